"""Does this replay still decide what an earlier one decided?

The host looks at kind and name only; inputs, times, retry options and versions may change unnoticed. The texts are the
platform's own, its missing blanks and brackets included: they are what an instance's output shows.
"""

from __future__ import annotations

from durable_status.replay.decisions import Decision, ScheduleActivity, SendEvent, SetTimer, StartSubOrchestration
from durable_status.replay.events import EventSent, SubOrchestrationInstanceCreated, TaskScheduled, TimerCreated
from durable_status.replay.names import caseless

SchedulingEvent = TaskScheduled | TimerCreated | SubOrchestrationInstanceCreated | EventSent

_QUESTION = " Was a change made to the orchestrator code after this instance had already started running?"


class NonDeterminismError(Exception):
    """The orchestrator no longer produces what its history says it produced; the text is the platform's."""

    def __init__(self, difference: str) -> None:
        super().__init__(
            f"Non-Deterministic workflow detected: A previous execution of this orchestration scheduled {difference}"
            + _QUESTION
        )


def check_decision(event: SchedulingEvent, decision: Decision | None) -> None:
    """Compare a recorded event with what this replay has decided under its id.

    Raises:
        NonDeterminismError: they differ, or nothing was decided under that id.
    """
    match event:
        case TaskScheduled(name=name) if isinstance(decision, ScheduleActivity) and decision.name == name:
            return  # as it is nearly always
        case TaskScheduled():
            _check_activity(event, decision)
        case TimerCreated():
            _check_timer(event, decision)
        case SubOrchestrationInstanceCreated():
            _check_sub_orchestration(event, decision)
        case EventSent():
            _check_sent_event(event, decision)


def _check_activity(event: TaskScheduled, decision: Decision | None) -> None:
    if decision is None:
        raise NonDeterminismError(
            f"an activity task with sequence ID {event.event_id} and name '{event.name}' (version '{event.version}'), "
            "but the current replay execution hasn't (yet?) scheduled this task."
        )
    recorded = f"an activity task with sequence number {event.event_id} named '{event.name}', but the current"
    if not isinstance(decision, ScheduleActivity):
        raise NonDeterminismError(
            f"{recorded} orchestration replay instead produced a {decision.wire_name} action with this sequence number."
        )
    if not _same_name(event.name, decision.name):
        raise NonDeterminismError(
            f"{recorded} orchestration replay instead scheduled an activity task named '{decision.name}' "
            "with this sequence number. "
        )


def _check_timer(event: TimerCreated, decision: Decision | None) -> None:
    recorded = f"a timer task with sequence number {event.event_id}"
    if decision is None:
        raise NonDeterminismError(f"{recorded} but the current replay execution hasn't (yet?) scheduled this task.")
    if not isinstance(decision, SetTimer):
        raise NonDeterminismError(
            f"{recorded} named but the current orchestration replay instead produced a {decision.wire_name} action "
            "with this sequence number."
        )


def _check_sub_orchestration(event: SubOrchestrationInstanceCreated, decision: Decision | None) -> None:
    recorded = (
        f"a sub-orchestration task with sequence ID {event.event_id} and name '{event.name}' "
        f"(version '{event.version}', instance ID '{event.instance_id}'), but the current"
    )
    if decision is None:
        raise NonDeterminismError(f"{recorded} replay execution hasn't (yet?) scheduled this task.")
    if not isinstance(decision, StartSubOrchestration):
        raise NonDeterminismError(
            f"{recorded} orchestration replay instead produced a {decision.wire_name} action at this sequence number."
        )
    if not _same_name(event.name, decision.name):
        raise NonDeterminismError(
            f"{recorded} orchestration replay instead scheduled a sub-orchestration task with name {decision.name} "
            "at this sequence number."
        )


def _check_sent_event(event: EventSent, decision: Decision | None) -> None:
    recorded = f"a send event task with sequence ID {event.event_id}, type 'EventSent'"
    target = f"name '{event.name}', instance ID '{event.instance_id}', but the current"
    if decision is None:
        raise NonDeterminismError(f"{recorded} {target} replay execution hasn't (yet?) scheduled this task.")
    if not isinstance(decision, SendEvent):
        raise NonDeterminismError(
            f"{recorded}, {target} orchestration replay instead scheduled a {decision.wire_name} task "
            "at this sequence number."
        )
    if not _same_name(event.name, decision.name):  # only a signal with a time has another name than "op"
        raise NonDeterminismError(
            f"{recorded}, name '{event.name}', instance ID '{event.instance_id}'), but the current orchestration "
            f"replay instead scheduled a send event task with name {decision.name}at this sequence number."
        )


def _same_name(recorded: str, decided: str) -> bool:
    return caseless(recorded) == caseless(decided)
