"""Recorded histories: what they are, and how a file of any of three kinds becomes one.

- the body of a trigger, as `recorder` keeps it: complete and exact;
- rows of the History table of a task hub: complete, too;
- a status document with its history (``GetStatus?showHistory=true&showHistoryOutput=true&showInput=true``): ids and the
  bounds of episodes are missing and are rebuilt from the times.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from durable_status.replay.event_json import event_from_members
from durable_status.replay.events import (
    ContinueAsNew,
    Event,
    EventSent,
    ExecutionCompleted,
    ExecutionStarted,
    OrchestratorCompleted,
    OrchestratorStarted,
    SubOrchestrationInstanceCreated,
    TaskScheduled,
    TimerCreated,
)
from durable_status.replay.ticks import Ticks
from durable_status.testing.errors import HarnessError
from durable_status.testing.exported import events_of_export
from durable_status.testing.history_rows import histories_in_rows

SchedulingEvent = TaskScheduled | TimerCreated | SubOrchestrationInstanceCreated | EventSent
_DECISIONS = (
    TaskScheduled,
    TimerCreated,
    SubOrchestrationInstanceCreated,
    EventSent,
    ExecutionCompleted,
    ContinueAsNew,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEpisode:
    """One episode: what came, and what the orchestrator had decided at its end."""

    now: Ticks
    messages: tuple[Event, ...]
    decisions: tuple[Event, ...]
    appended: tuple[Event, ...]
    """All its events as the history has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedHistory:
    """The events of one instance's current generation."""

    instance_id: str
    events: tuple[Event, ...]
    source: str
    is_rebuilt: bool = False
    """Whether ids and episodes were rebuilt: times are then not to be compared."""

    @property
    def started(self) -> ExecutionStarted:
        """How it began.

        Raises:
            HarnessError: the history has no beginning.
        """
        for event in self.events:
            if isinstance(event, ExecutionStarted):
                return event
        raise HarnessError(f"{self.source}: the history of {self.instance_id!r} has no ExecutionStarted event.")

    @property
    def episodes(self) -> list[RecordedEpisode]:
        """The history cut at its OrchestratorStarted events."""
        starts = [index for index, event in enumerate(self.events) if isinstance(event, OrchestratorStarted)]
        bounds = [*starts, len(self.events)]
        return [_episode(self.events[bounds[number] : bounds[number + 1]]) for number in range(len(starts))]


def _episode(events: Sequence[Event]) -> RecordedEpisode:
    decisions = tuple(event for event in events if isinstance(event, _DECISIONS))
    messages = [event for event in events[1:] if event not in decisions]
    if messages and isinstance(messages[-1], OrchestratorCompleted):
        messages.pop()  # the episode's own end; one before decisions is the head of a generation
    return RecordedEpisode(
        now=events[0].timestamp, messages=tuple(messages), decisions=decisions, appended=tuple(events)
    )


def read_histories(path: Path) -> list[RecordedHistory]:
    """Read all histories in a file of JSON.

    Raises:
        HarnessError: the file cannot be read, or holds no history.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HarnessError(f"{path} cannot be read as JSON: {error}") from error
    return histories_in(document, str(path))


def histories_in(document: Any, source: str = "the history") -> list[RecordedHistory]:
    """Read all histories in parsed JSON: any of the three kinds, or a list of them.

    Raises:
        HarnessError: it is none of the three kinds, or lacks what a check needs.
    """
    try:
        found = list(_histories(document, source))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HarnessError(f"{source} holds something that is no history: {type(error).__name__}: {error}") from error
    if not found:
        raise HarnessError(
            f"{source} holds no history: expected a trigger's body, rows of a History table, or a status document with "
            "historyEvents."
        )
    return found


def _histories(document: Any, source: str) -> Iterator[RecordedHistory]:
    match document:
        case {"historyEvents": list()}:
            yield RecordedHistory(
                instance_id=document["instanceId"],
                events=events_of_export(document, source),
                source=source,
                is_rebuilt=True,
            )
        case {"history": [{"RowKey": _}, *_]} | {"value": [{"RowKey": _}, *_]}:
            yield from _histories(document.get("history") or document["value"], source)
        case [{"RowKey": _}, *_]:
            for instance_id, events in histories_in_rows(document, source):
                yield RecordedHistory(instance_id=instance_id, events=events, source=source)
        case {"history": [{"EventType": int()}, *_] as members}:
            yield _history_of_trigger(document, members, source)
        case list():
            for item in document:
                yield from _histories(item, source)
        case _:
            return


def _history_of_trigger(
    trigger: Mapping[str, Any], members: Sequence[Mapping[str, Any]], source: str
) -> RecordedHistory:
    return RecordedHistory(
        instance_id=str(trigger["instanceId"]),
        events=tuple(event_from_members(item) for item in members),
        source=source,
    )
