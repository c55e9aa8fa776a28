"""The readers of a task hub under one set of names, so that one test body runs with each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from durable_status.client.task_hub_reader import AsyncTaskHubReader, TaskHubReader
from durable_status.client.watching import Pace

KINDS = ("sync", "async")
QUICK = Pace(shortest=0.005, longest=0.02, patience=0.0)


class HubReads:
    """Opens a reader for each verb, of one kind, and closes it again; what hands out one after the other is a list."""

    def __init__(self, kind: str, connection_string: str, hub: str) -> None:
        self._kind = kind
        self._place = (connection_string, hub)

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        return lambda *arguments, **options: self._call(verb, arguments, options)

    def _call(self, verb: str, arguments: Any, options: Any) -> Any:
        if self._kind == "async":
            return asyncio.run(self._call_async(verb, arguments, options))
        with TaskHubReader.from_connection_string(*self._place, pace=QUICK) as reader:
            found = getattr(reader, verb)(*arguments, **options)
            return list(found) if verb in ("list_statuses", "watch") else found

    async def _call_async(self, verb: str, arguments: Any, options: Any) -> Any:
        async with AsyncTaskHubReader.from_connection_string(*self._place, pace=QUICK) as reader:
            found = getattr(reader, verb)(*arguments, **options)
            return [item async for item in found] if verb in ("list_statuses", "watch") else await found
