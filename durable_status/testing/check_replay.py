"""Would instances that are running now survive today's code? Judged as the platform would.

Every prefix of a recorded history is put to today's orchestrator, with the messages that came next: so a finished
instance stands for all the moments at which one like it may be in flight. The platform compares kind and name of what
was scheduled, by id; inputs, times and retry options may differ (replay.md §5), which is only noted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from durable_status.errors import DurableStatusError
from durable_status.replay.decisions import Outgoing, ScheduleActivity, SendEvent, SetTimer, StartSubOrchestration
from durable_status.replay.episode import Episode, Instance, run_episode
from durable_status.replay.events import (
    Event,
    ExecutionCompleted,
    OrchestrationStatus,
    SubOrchestrationInstanceCreated,
    TaskScheduled,
    TimerCreated,
)
from durable_status.replay.profile import Profile
from durable_status.replay.traps import TrapKind
from durable_status.testing.causes import cause_of
from durable_status.testing.functions import Functions
from durable_status.testing.payloads import shown
from durable_status.testing.recorded import RecordedEpisode, RecordedHistory

_NON_DETERMINISTIC = "Non-Deterministic workflow detected"
_TASK_ID = re.compile(r"sequence (?:ID|number) (\d+)")


class ReplayBroken(DurableStatusError, AssertionError):
    """Instances like the recorded ones would fail with today's code."""

    def __init__(self, checked: Sequence[CheckedHistory]) -> None:
        super().__init__("\n".join(str(item) for item in checked))
        self.checked = tuple(checked)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedHistory:
    """The verdict on one history."""

    instance_id: str
    name: str
    episodes: int
    source: str
    problem: str | None = None
    """Where and why an instance would fail; None: it survives."""
    notes: tuple[str, ...] = field(default=())
    """What differs without the platform minding."""

    def __str__(self) -> str:
        verdict = "would fail" if self.problem else "survives"
        lines = [f"{self.name} {self.instance_id!r} ({self.episodes} episodes, {self.source}): {verdict}"]
        lines += [f"  {self.problem}"] if self.problem else []
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def check_history(history: RecordedHistory, functions: Functions, profile: Profile) -> CheckedHistory:
    """Put every prefix of `history` to today's code.

    Raises:
        HarnessError: the app has no such orchestrator, or the history has no beginning.
    """
    started = history.started
    orchestrator = functions.orchestrator(started.name)
    episodes = history.episodes
    problem: str | None = None
    notes: list[str] = []
    before: tuple[Event, ...] = ()
    last = RecordedEpisode(now=episodes[-1].now, messages=(), decisions=(), appended=())
    has_ended = any(isinstance(event, ExecutionCompleted) for event in episodes[-1].decisions)
    for number, recorded in enumerate([*episodes, *([] if has_ended else [last])], start=1):
        episode = run_episode(
            Instance(instance_id=history.instance_id),
            before,
            recorded.messages,
            orchestrator=orchestrator,
            now=recorded.now,
            host=functions.host,
            profile=profile,
        )
        place = _place(number, len(episodes), before, recorded)
        problem = _problem(episode, before, place)
        if problem is not None:
            break
        if recorded is not last:
            is_open_end = number == len(episodes) and not recorded.decisions
            notes += [] if is_open_end else _notes(recorded, episode, history, place)
        before = (*before, *recorded.appended)
    return CheckedHistory(
        instance_id=history.instance_id,
        name=started.name,
        episodes=len(episodes),
        source=history.source,
        problem=problem,
        notes=tuple(notes),
    )


def _place(number: int, total: int, before: Sequence[Event], recorded: RecordedEpisode) -> str:
    cause = cause_of(before, recorded.messages)
    if number > total:
        return "at the next message"
    return f"in episode {number} of {total}" + (f", after {cause}" if cause else "")


def _problem(episode: Episode, before: Sequence[Event], place: str) -> str | None:
    failure = _end_of(episode)
    if failure is None or not (failure.result or "").startswith(_NON_DETERMINISTIC):
        return None
    behind = [trap.sentence for trap in episode.warnings if trap.kind is TrapKind.MASKED_ERROR]
    text = behind[0] if behind else failure.result or ""
    found = _TASK_ID.search(failure.result or "")
    recorded = next((event for event in before if found and _is_scheduling(event, int(found[1]))), None)
    return f"{place}, at the recorded {_told(recorded)}: {text}"


def _end_of(episode: Episode) -> ExecutionCompleted | None:
    """How an episode ended the execution: for good or by continuing as new."""
    return next((event for event in episode.appended if isinstance(event, ExecutionCompleted)), None)


def _is_scheduling(event: Event, task_id: int) -> bool:
    return event.event_id == task_id and not isinstance(event, ExecutionCompleted)


def _told(event: Event | None) -> str:
    match event:
        case TaskScheduled():
            return f"activity {event.event_id} {event.name!r}"
        case TimerCreated():
            return f"timer {event.event_id}"
        case SubOrchestrationInstanceCreated():
            return f"sub-orchestration {event.event_id} {event.name!r}"
        case None:
            return "history"
        case _:
            return f"message {event.event_id} to an entity"


def _notes(recorded: RecordedEpisode, episode: Episode, history: RecordedHistory, place: str) -> Iterator[str]:
    ever = {event.event_id for event in history.events if not isinstance(event, ExecutionCompleted)}
    then = {event.event_id: event for event in recorded.decisions if not isinstance(event, ExecutionCompleted)}
    now = {decision.id: decision for decision in episode.outbox}
    for task_id in sorted(now.keys() - ever):
        yield f"{place}: this code asks for more: {_asked(now[task_id])}"
    for task_id, event in then.items():
        decision = now.get(task_id)
        if decision is not None:
            yield from _differences(event, decision, place, compares_times=not history.is_rebuilt)
    yield from _end_notes(recorded, episode, place)


def _asked(decision: Outgoing) -> str:
    match decision:
        case ScheduleActivity() | StartSubOrchestration():
            return f"{decision.name}({shown(decision.input)})"
        case SetTimer():
            return "a timer"
        case SendEvent():
            return f"a message to {decision.instance_id}"


def _differences(event: Event, decision: Outgoing, place: str, *, compares_times: bool) -> Iterator[str]:
    match event, decision:
        case TimerCreated(), SetTimer():
            if compares_times and event.fire_at != decision.fire_at:
                yield f"{place}: timer {event.event_id} would fire at another time"
        case ((TaskScheduled() | SubOrchestrationInstanceCreated()), (ScheduleActivity() | StartSubOrchestration())):
            if event.input and event.input != decision.input:
                yield f"{place}: {_told(event)} would get another input: {shown(decision.input)}"


def _end_notes(recorded: RecordedEpisode, episode: Episode, place: str) -> Iterator[str]:
    then = next((event for event in recorded.decisions if isinstance(event, ExecutionCompleted)), None)
    now = _end_of(episode)
    if then is None and now is not None:
        yield f"{place}: this code ends here ({now.orchestration_status.value}, {shown(now.result)})"
    elif then is not None and now is None:
        yield f"{place}: the recorded instance ended here, this code goes on"
    elif then is not None and now is not None and _outcome(then) != _outcome(now):
        yield f"{place}: the outcome would be {shown(now.result)}, it was {shown(then.result)}"


def _outcome(end: ExecutionCompleted) -> tuple[OrchestrationStatus, str | None]:
    return end.orchestration_status, end.result
