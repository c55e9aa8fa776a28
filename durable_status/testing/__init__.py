"""Tests orchestrations: the real SDK, virtual time, every status a poller could have seen, every order of events.

The names are imported from their modules when they are asked for: a test run that needs none of them pays for none.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what `__getattr__` hands out, for type checkers
    from durable_status.testing.azurite import Azurite
    from durable_status.testing.bench import DurableBench
    from durable_status.testing.check_replay import CheckedHistory, ReplayBroken
    from durable_status.testing.context import FakeOrchestrationContext
    from durable_status.testing.errors import Finding, HarnessError, RuleBroken
    from durable_status.testing.explore import Exploration, ExploredRun
    from durable_status.testing.faults import Faults
    from durable_status.testing.fresh_task_hub import FreshTaskHub
    from durable_status.testing.moves import event
    from durable_status.testing.outcomes import HANG, either, in_turn
    from durable_status.testing.recorder import record_histories
    from durable_status.testing.run import OrchestrationRun
    from durable_status.testing.snapshots import Snapshots
    from durable_status.testing.timeline import Timeline

_MODULES = {
    "HANG": "outcomes",
    "Azurite": "azurite",
    "CheckedHistory": "check_replay",
    "DurableBench": "bench",
    "Exploration": "explore",
    "ExploredRun": "explore",
    "FakeOrchestrationContext": "context",
    "Faults": "faults",
    "Finding": "errors",
    "FreshTaskHub": "fresh_task_hub",
    "HarnessError": "errors",
    "OrchestrationRun": "run",
    "ReplayBroken": "check_replay",
    "RuleBroken": "errors",
    "Snapshots": "snapshots",
    "Timeline": "timeline",
    "either": "outcomes",
    "event": "moves",
    "in_turn": "outcomes",
    "record_histories": "recorder",
}

__all__ = [
    "HANG",
    "Azurite",
    "CheckedHistory",
    "DurableBench",
    "Exploration",
    "ExploredRun",
    "FakeOrchestrationContext",
    "Faults",
    "Finding",
    "FreshTaskHub",
    "HarnessError",
    "OrchestrationRun",
    "ReplayBroken",
    "RuleBroken",
    "Snapshots",
    "Timeline",
    "either",
    "event",
    "in_turn",
    "record_histories",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
