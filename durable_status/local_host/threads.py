"""Threads that run blocking calls for an event loop.

Two things set them apart from the standard library's pool: they do not keep the process alive when user code never
returns, and results that arrive together wake the loop once, which is most of the cost of a short call.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")

_Call = tuple["asyncio.Future[Any]", Callable[[], Any]]


class Threads:
    """Up to `limit` threads, started when there is work for them. Use from one event loop."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._started = 0
        self._in_hand = 0
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._finished: list[Callable[[], None]] = []  # empty unless a wake-up of the loop is under way
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, call: Callable[[], Result]) -> Result:
        """Run `call` in a thread and wait for it; what it raises is raised here."""
        self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = self._loop.create_future()
        self._in_hand += 1
        if self._in_hand > self._started < self._limit:
            self._started += 1
            threading.Thread(target=self._serve, name=f"{self._name}-{self._started}", daemon=True).start()
        self._calls.put((future, call))
        return await future

    def stop(self) -> None:
        """End the threads that are idle, and the others when they have finished their call."""
        for _ in range(self._started):
            self._calls.put(None)

    def _serve(self) -> None:
        while (entry := self._calls.get()) is not None:
            future, call = entry
            try:
                result = call()
            except BaseException as error:
                self._finish(future.set_exception, future, error)
            else:
                self._finish(future.set_result, future, result)

    def _finish(self, settle: Callable[[Any], None], future: asyncio.Future[Any], outcome: object) -> None:
        def finish() -> None:
            self._in_hand -= 1
            if not future.done():  # it is done when the waiting task was cancelled
                settle(outcome)

        with self._lock:
            self._finished.append(finish)
            is_first = len(self._finished) == 1
        if is_first and self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:
                return  # the loop has ended, and with it everybody who waited

    def _drain(self) -> None:
        with self._lock:
            finished, self._finished = self._finished, []
        for finish in finished:
            finish()
