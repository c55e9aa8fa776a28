"""What can happen next to an orchestration, and what comes of it: the tree that an exploration walks.

A move is one episode: one message, or several in one batch. Its text is a schedule's word: ``A0`` (activity 0 ends),
``A0:1`` (with its outcome 1), ``T1`` (timer 1 fires), ``C2`` (sub-orchestration 2 ends), ``M0`` (the first message on
its way comes), ``E0`` (the first of the test's events comes); ``E0+T1`` is a batch, ``2/A0`` happens to the
sub-orchestration that is task 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from durable_status.replay.events import Event, EventRaised
from durable_status.testing.context import event_text
from durable_status.testing.errors import Finding, HarnessError
from durable_status.testing.outcomes import Outcomes
from durable_status.testing.pending import Pending, PendingActivity, PendingChild, PendingMessage, PendingTimer
from durable_status.testing.rules import check_at_rest
from durable_status.testing.task_hub import TaskHub

_LONGEST_CASCADE = 1_000


@dataclass(frozen=True, slots=True)
class ExternalEvent:
    """An event that may come at any moment, once."""

    name: str
    payload: Any = None
    sent_by_sdk: bool = False

    def __repr__(self) -> str:
        sent = ", sent_by_sdk=True" if self.sent_by_sdk else ""
        return f"event({self.name!r}, {self.payload!r}{sent})"


def event(name: str, payload: Any = None, *, sent_by_sdk: bool = False) -> ExternalEvent:
    """An event that may come at any moment, once: JSON as an HTTP caller sends it, or as the SDK's client does."""
    return ExternalEvent(name, payload, sent_by_sdk)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    """One message that can come; `choice` is the outcome of a call, or the number of an event."""

    word: str
    instance_id: str
    item: Pending | ExternalEvent
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """One episode's messages, in order."""

    arrivals: tuple[_Arrival, ...]

    @property
    def text(self) -> str:
        """The word of a schedule."""
        return "+".join(arrival.word for arrival in self.arrivals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One state of an orchestration, and the schedule that led to it."""

    hub: TaskHub
    schedule: tuple[str, ...] = ()
    raised: tuple[int, ...] = ()
    """How often each event has come."""

    @property
    def text(self) -> str:
        """The schedule in one line."""
        return " ".join(self.schedule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """All that can happen to one started orchestration, within these bounds."""

    root_id: str
    outcomes: Outcomes
    events: tuple[ExternalEvent, ...]
    batch: int
    duplicates: bool
    allow: frozenset[str]

    def begin(self, hub: TaskHub, started: Event) -> Node:
        """The state after the first episode."""
        hub.deliver(self.root_id, started)
        self._settle(hub)
        return Node(hub=hub, raised=(0,) * len(self.events))

    def findings(self, node: Node) -> list[Finding]:
        """The rules that have been broken on the way to `node`."""
        findings = list(node.hub.findings)
        state = node.hub.instance(self.root_id)
        answer = state.answer
        if answer and answer.has_ended and not state.runtime_status.has_ended and not self._arrivals(node):
            findings += check_at_rest(state.started.name, answer)
        return [finding for finding in findings if finding.rule not in self.allow]

    def moves(self, node: Node) -> list[Move]:
        """What can happen next, the simplest first; nothing once the orchestration has ended or broken a rule."""
        if node.hub.instance(self.root_id).runtime_status.has_ended or self.findings(node):
            return []
        arrivals = self._arrivals(node)
        timers = [arrival.item for arrival in arrivals if isinstance(arrival.item, PendingTimer)]
        timers.sort(key=_timer_order)
        return [
            Move(batch)
            for size in range(1, self.batch + 1)
            for batch in permutations(arrivals, size)
            if _is_possible(batch, timers)
        ]

    def follow(self, node: Node, move: Move) -> Node:
        """The state after `move`."""
        hub = node.hub.fork()
        raised = Counter(dict(enumerate(node.raised)))
        messages = []
        for arrival in move.arrivals:
            if isinstance(arrival.item, ExternalEvent):
                raised[arrival.choice] += 1
            messages.append(self._message(hub, arrival))
        hub.deliver(move.arrivals[0].instance_id, *messages)
        self._settle(hub)
        return Node(
            hub=hub,
            schedule=(*node.schedule, move.text),
            raised=tuple(raised[number] for number in range(len(self.events))),
        )

    def follow_text(self, node: Node, schedule: str) -> Node:
        """The state after the moves of `schedule`.

        Raises:
            HarnessError: one of them is not possible.
        """
        for word in schedule.split():
            moves = {move.text: move for move in self.moves(node)}
            if word not in moves:
                possible = ", ".join(moves) or "nothing"
                raise HarnessError(f"{word!r} cannot happen after {node.text or 'the start'!r}; possible: {possible}.")
            node = self.follow(node, moves[word])
        return node

    def _settle(self, hub: TaskHub) -> None:
        """Do what is no choice: start children, run entities, drop what nobody takes."""
        for _ in range(_LONGEST_CASCADE):
            item = next((item for item in hub.pending if self._is_no_choice(hub, item)), None)
            if item is None:
                return
            if isinstance(item, PendingChild):
                hub.start_child(item)
            elif isinstance(item, PendingMessage) and item.instance_id.startswith("@"):
                hub.run_entity(item)
            else:
                hub.take(item)
        raise HarnessError("sub-orchestrations start each other without end.")

    def _is_no_choice(self, hub: TaskHub, item: Pending) -> bool:
        match item:
            case PendingChild():
                return self.outcomes.runs_itself(item)
            case PendingMessage():
                return item.instance_id.startswith("@") or item.instance_id not in hub.instances
            case _:
                return False

    def _arrivals(self, node: Node) -> list[_Arrival]:
        hub = node.hub
        ranked = sorted(hub.pending, key=lambda item: isinstance(item, PendingTimer))
        messages: Counter[str] = Counter()
        arrivals: list[_Arrival] = []
        for item in ranked:
            prefix = _path(hub, item.instance_id)
            match item:
                case PendingActivity() | PendingChild():
                    letter = "A" if isinstance(item, PendingActivity) else "C"
                    options = self.outcomes.choices(item, hub.calls)
                    for number in range(len(options)):
                        word = f"{prefix}{letter}{item.id}" + (f":{number}" if number else "")
                        arrivals.append(_Arrival(word=word, instance_id=item.instance_id, item=item, choice=number))
                case PendingTimer():
                    arrivals.append(_Arrival(word=f"{prefix}T{item.id}", instance_id=item.instance_id, item=item))
                case PendingMessage():
                    word = f"{prefix}M{messages[item.instance_id]}"
                    messages[item.instance_id] += 1
                    arrivals.append(_Arrival(word=word, instance_id=item.instance_id, item=item))
        arrivals += self._events(node)
        return arrivals

    def _events(self, node: Node) -> Iterator[_Arrival]:
        most = 2 if self.duplicates else 1
        for number, (item, raised) in enumerate(zip(self.events, node.raised, strict=True)):
            if raised < most:
                yield _Arrival(word=f"E{number}", instance_id=self.root_id, item=item, choice=number)

    def _message(self, hub: TaskHub, arrival: _Arrival) -> Event:
        item = arrival.item
        match item:
            case ExternalEvent():
                return EventRaised(timestamp=hub.now, name=item.name, input=event_text(item.payload, item.sent_by_sdk))
            case PendingTimer():
                return hub.fire(item)
            case PendingMessage():
                hub.take(item)
                return item.event
            case _:
                outcome = self.outcomes.choices(item, hub.calls)[arrival.choice]
                hub.take(item)
                hub.count(item.name)
                return self.outcomes.answer(item, outcome, hub)


def _timer_order(timer: PendingTimer) -> tuple[int, int]:
    return timer.fire_at, timer.id


def _is_possible(batch: Sequence[_Arrival], timers: Sequence[PendingTimer]) -> bool:
    """Whether these can come in one episode: for one instance, nothing twice, no timer before an earlier one."""
    if len({arrival.instance_id for arrival in batch}) > 1 or len({id(arrival.item) for arrival in batch}) < len(batch):
        return False
    fired = [arrival.item for arrival in batch if isinstance(arrival.item, PendingTimer)]
    later = timers
    for timer in fired:
        if timer.fire_at != later[0].fire_at:
            return False
        later = [other for other in later if other is not timer]
    return True


def _path(hub: TaskHub, instance_id: str) -> str:
    """Where an instance stands below the root: the ids of the tasks that it and its ancestors are."""
    parent = hub.instances[instance_id].started.parent_instance if instance_id in hub.instances else None
    if parent is None:
        return ""
    return f"{_path(hub, parent.orchestration_instance.instance_id)}{parent.task_schedule_id}/"
