"""What is done to the SDK in a process that runs its orchestrators itself.

It spares the SDK work that is the same in every call; results stay equal:

- ``dateutil`` guesses the format of every time stamp of every event, which takes most of a replay's time. The format is
  ISO 8601; ``datetime.fromisoformat`` reads it some 200 times as fast.
- Every trigger holds the same two spans of time, read by a slow pattern.
- Every call of an orchestrator defines the same ``namedtuple`` class, which takes most of a short episode's time.
"""

from __future__ import annotations

import functools
import importlib
from datetime import datetime
from typing import Any

_REPLACED: dict[str, dict[str, Any]] = {
    "azure.durable_functions.models.history.HistoryEvent": {"dt_parse": lambda _: datetime.fromisoformat},
    "azure.durable_functions.models.DurableOrchestrationContext": {"parse_timespan_attrib": functools.cache},
    "azure.durable_functions.models.TaskOrchestrationExecutor": {"namedtuple": functools.cache},
}


@functools.cache  # once per process: a second time would wrap what was wrapped
def speed_up_sdk() -> None:
    """Replace the names above; a release of the SDK that has none of them stays as it is."""
    for module_name, replacements in _REPLACED.items():
        module = importlib.import_module(module_name)
        for name, replacement in replacements.items():
            original = getattr(module, name, None)
            if original is not None:
                setattr(module, name, replacement(original))
