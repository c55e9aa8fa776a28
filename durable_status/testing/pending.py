"""What may happen next in a task hub: activities that run, timers that are set, messages on their way."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from durable_status.replay.events import Event, ParentInstance
from durable_status.replay.ticks import Ticks, format_ticks
from durable_status.testing.payloads import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingActivity:
    """An activity that was scheduled and has not answered. `input` is the JSON text the orchestrator gave."""

    instance_id: str
    execution_id: str
    id: int
    name: str
    input: str | None

    def __str__(self) -> str:
        return f"activity {self.id}: {self.name}({shown(self.input)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingTimer:
    """A timer that was set and has not fired."""

    instance_id: str
    execution_id: str
    id: int
    created: Ticks
    fire_at: Ticks

    def __str__(self) -> str:
        return f"timer {self.id}: fires at {format_ticks(self.fire_at)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingChild:
    """A sub-orchestration that was started and has not ended; only where children do not run by themselves."""

    instance_id: str
    execution_id: str
    id: int
    name: str
    child_id: str
    input: str | None
    parent: ParentInstance

    def __str__(self) -> str:
        return f"sub-orchestration {self.id}: {self.name}({shown(self.input)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingMessage:
    """A message on its way from one instance to another."""

    instance_id: str
    execution_id: str | None
    id: int
    """The task it answers, or that sent it."""
    event: Event
    text: str
    due: Ticks = Ticks(0)
    """Not to be delivered before."""

    def __str__(self) -> str:
        return self.text


Pending = PendingActivity | PendingTimer | PendingChild | PendingMessage


class PendingItems:
    """What is pending in a task hub, oldest first; an item is itself and not one that is equal.

    To add one, to take one and to look at the oldest costs the same however many there are.
    """

    def __init__(self, items: PendingItems | None = None) -> None:
        self._items: OrderedDict[int, Pending] = OrderedDict(items._items if items else ())
        self._of_execution: defaultdict[str | None, set[int]] = defaultdict(set)
        for key, item in self._items.items():
            self._of_execution[item.execution_id].add(key)

    def __iter__(self) -> Iterator[Pending]:
        return iter(self._items.values())

    def add(self, item: Pending) -> None:
        """Put one at the end."""
        self._items[id(item)] = item
        self._of_execution[item.execution_id].add(id(item))

    def take(self, item: Pending) -> None:
        """Remove one, if it is there."""
        if self._items.pop(id(item), None) is not None:
            self._of_execution[item.execution_id].discard(id(item))

    def end(self, execution_id: str) -> None:
        """Remove what is of no use once an execution is over; a child that was asked for starts all the same."""
        for key in list(self._of_execution.get(execution_id, ())):
            if not isinstance(self._items[key], PendingChild):
                self.take(self._items[key])
