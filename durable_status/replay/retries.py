"""The host's retry loop of a ``_with_retry`` call.

Python's SDK mirrors it only to keep ids aligned. n failed attempts burn n task ids and n timer ids: after the last
failure comes one more timer, due at once, before the failure surfaces.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from durable_status.replay.actions import Action
from durable_status.replay.futures import Future
from durable_status.replay.host_context import HostContext
from durable_status.replay.ticks import PER_MILLISECOND, Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryOptions:
    """How often and how long after a failure to try again; there is no back-off in Python."""

    max_attempts: int
    interval: Ticks

    @classmethod
    def from_action(cls, action: Action) -> Self:
        """Read the options of a retrying action."""
        options = action["retryOptions"]
        return cls(
            max_attempts=options["maxNumberOfAttempts"],
            interval=Ticks(options["firstRetryIntervalInMilliseconds"] * PER_MILLISECOND),
        )


async def retry(context: HostContext, options: RetryOptions, attempt: Callable[[], Future]) -> bool:
    """Attempt until one succeeds or none is left; the timers count from the clock at each failure."""
    for attempts_left in range(options.max_attempts - 1, -1, -1):
        if await attempt():
            return True
        delay = options.interval if attempts_left else 0
        await context.set_timer(Ticks(context.clock + delay))
    return False
