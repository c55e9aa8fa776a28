"""External events as the host matches them to waiters.

Names match in any case. Several waiters on one name form a stack: the latest is served first. Events nobody waits for
are kept in order of arrival, per name. The SDK compares names exactly and keeps one early event per name, which is why
an instance can hang although its event has come.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from durable_status.replay.futures import Future


class ExternalEvents:
    """The waiters and the early events of one execution."""

    def __init__(self) -> None:
        self._waiting: defaultdict[str, list[Future]] = defaultdict(list)
        self._early: Counter[str] = Counter()

    def wait(self, name: str) -> Future:
        """Wait for the next event of that name; an early one is taken at once, by the latest waiter."""
        key = name.casefold()
        waiter = Future()
        self._waiting[key].append(waiter)
        if self._early[key]:
            self._early[key] -= 1
            self.raise_event(name)
        return waiter

    def raise_event(self, name: str) -> None:
        """Serve the latest waiter, or keep the event for the next."""
        key = name.casefold()
        if self._waiting[key]:
            self._waiting[key].pop().settle(True)
        else:
            self._early[key] += 1
