"""The host's only source of time, so that tests can move it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks

_UNIX_EPOCH = parse_ticks("1970-01-01T00:00:00Z")
_LONGEST_SLEEP_SECONDS = 60.0  # so that a change of the system's clock is noticed


class Clock(Protocol):
    """Tells the time and waits for it."""

    def now(self) -> Ticks:
        """The time now."""

    async def wait_until(self, moment: Ticks) -> None:
        """Return at `moment` or soon after."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> Ticks:
        return Ticks(_UNIX_EPOCH + time.time_ns() // 100)

    async def wait_until(self, moment: Ticks) -> None:
        while (left := (moment - self.now()) / PER_SECOND) > 0:
            await asyncio.sleep(min(left, _LONGEST_SLEEP_SECONDS))
