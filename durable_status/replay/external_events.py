"""External events as the host matches them to waiters.

Names match in any case. Several waiters on one name form a stack: the latest is served first. Events nobody waits for
are kept in order of arrival, per name. The SDK compares names exactly and keeps one early event per name, which is why
an instance can hang although its event has come.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from enum import Enum, auto

from durable_status.replay.futures import Future
from durable_status.replay.names import caseless
from durable_status.replay.traps import TrapKind, TrapLog


class _Slot(Enum):
    """The SDK's one place for early events of a name; it is never emptied (replay.md §3.4)."""

    FRESH = auto()
    OVERWRITTEN = auto()
    USED = auto()


@dataclass(frozen=True, slots=True)
class _Waiter:
    name: str
    future: Future = field(default_factory=Future)


class ExternalEvents:
    """The waiters and the early events of one execution."""

    def __init__(self, log: TrapLog) -> None:
        self._log = log
        self._waiting: defaultdict[str, list[_Waiter]] = defaultdict(list)
        self._early: defaultdict[str, deque[str]] = defaultdict(deque)
        self._slots: dict[str, _Slot] = {}

    @property
    def unserved(self) -> list[str]:
        """The names of the events that nobody has waited for."""
        return [name for names in self._early.values() for name in names]

    @property
    def are_waited_for(self) -> bool:
        """Whether anybody waits for an event."""
        return any(self._waiting.values())

    def is_waited_for(self, name: str) -> bool:
        """Whether anybody waits for an event of that name."""
        return bool(self._waiting[caseless(name)])

    def wait(self, name: str) -> Future:
        """Wait for the next event of that name; an early one is taken at once, by the latest waiter."""
        key = caseless(name)
        waiter = _Waiter(name)
        self._waiting[key].append(waiter)
        self._take_slot(name)
        if self._early[key]:
            self._serve(self._early[key].popleft())
        return waiter.future

    def raise_event(self, name: str) -> None:
        """Serve the latest waiter, or keep the event for the next."""
        key = caseless(name)
        if self._waiting[key]:
            self._serve(name)
            return
        self._early[key].append(name)
        self._slots[name] = _Slot.OVERWRITTEN if self._slots.get(name) is _Slot.FRESH else _Slot.FRESH

    def _serve(self, name: str) -> None:
        waiter = self._waiting[caseless(name)].pop()
        if waiter.name != name:
            self._log.note(
                TrapKind.EVENT_CASE,
                f"Event '{name}' ends the wait for '{waiter.name}' in the host, but not in Python, which waits on.",
            )
        waiter.future.settle(True)

    def _take_slot(self, name: str) -> None:
        slot = self._slots.get(name)
        if slot is None:
            return
        if slot is _Slot.OVERWRITTEN:
            self._log.note(
                TrapKind.EARLY_EVENT,
                f"Several events '{name}' came before they were waited for; Python has kept only the last of them.",
            )
        elif slot is _Slot.USED:
            self._log.note(
                TrapKind.EARLY_EVENT,
                f"An event '{name}' that came early is handed out again by Python, while the host waits for another.",
            )
        self._slots[name] = _Slot.USED
