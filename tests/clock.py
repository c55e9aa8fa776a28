"""A clock that only the test moves."""

from __future__ import annotations

import asyncio

from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks


class ManualClock:
    """Stands still until `advance` is called."""

    def __init__(self) -> None:
        self._now = parse_ticks("2026-11-22T11:30:00Z")
        self._waiting: list[tuple[Ticks, asyncio.Event]] = []

    def now(self) -> Ticks:
        """The time, which grows by a tick at each look, so that no two events share one."""
        self._now = Ticks(self._now + 1)
        return self._now

    async def wait_until(self, moment: Ticks) -> None:
        """Wait for `advance` to get there."""
        reached = asyncio.Event()
        if moment > self._now:
            self._waiting.append((moment, reached))
            await reached.wait()

    def advance(self, seconds: float) -> None:
        """Move on, and wake who waited for it."""
        self._now = Ticks(self._now + round(seconds * PER_SECOND))
        due = [entry for entry in self._waiting if entry[0] <= self._now]
        self._waiting = [entry for entry in self._waiting if entry[0] > self._now]
        for _, reached in due:
            reached.set()
