"""Log lines by the categories that the platform has for them, and the levels of host.json that count for those."""

from __future__ import annotations

import functools
import logging
from typing import Any

from durable_status.app.log_levels import LogLevels
from durable_status.app.python_worker import function_in_hand

_CATEGORY = "category"  # the attribute of a record that has one
_HERE = "durable_status."
_DURABLE = "Host.Triggers.DurableTask"
_OF_LOGGERS = {
    "durable_status.local_host.storage": "DurableTask.AzureStorage",
    "durable_status.local_host.dispatcher": "DurableTask.Core",
    "durable_status.local_host.activities": _DURABLE,
    "durable_status.local_host.entities": _DURABLE,
    "durable_status.local_host.http_calls": _DURABLE,
    "durable_status.local_host.management": _DURABLE,
    "durable_status.local_host.orchestrations": _DURABLE,
    "durable_status.local_host.timers": "Host.Triggers.Timer",
    "durable_status.payloads": _DURABLE,
}
_OTHERS = "Host.General"


def of_function(name: str) -> dict[str, Any]:
    """The `extra` of a log line about a function: ``Function.<name>``."""
    return {_CATEGORY: f"Function.{name}"}


def honour_log_levels(levels: LogLevels | None) -> None:
    """Let only those lines through that `levels` let through, from now on; None: all that were let through before."""
    root = logging.getLogger()
    for handler in root.handlers:
        for old in [item for item in handler.filters if isinstance(item, _ByCategory)]:
            handler.removeFilter(old)
            root.setLevel(old.level_before)
        if levels is not None:
            handler.addFilter(_ByCategory(levels, root.level))
    if levels is not None:
        root.setLevel(levels.lowest)


class _ByCategory(logging.Filter):
    def __init__(self, levels: LogLevels, level_before: int) -> None:
        super().__init__()
        self.level_before = level_before
        self._level_of = functools.lru_cache(maxsize=512)(levels.of)

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= self._level_of(category_of(record))


def category_of(record: logging.LogRecord) -> str:
    """The platform's category: of what a function logs by itself, ``Function.<name>.User``."""
    category = getattr(record, _CATEGORY, None)
    if isinstance(category, str):
        return category
    if record.name.startswith(_HERE):
        names = record.name.split(".")
        return next(
            (_OF_LOGGERS[name] for end in range(len(names), 0, -1) if (name := ".".join(names[:end])) in _OF_LOGGERS),
            _OTHERS,
        )
    function = function_in_hand()
    return "" if function is None else f"Function.{function}.User"
