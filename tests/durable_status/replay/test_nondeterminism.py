"""Code that changed under a running instance."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest

from durable_status.replay.decisions import ScheduleActivity, SendEvent
from durable_status.replay.determinism import NonDeterminismError, check_decision
from durable_status.replay.events import EventSent, OrchestrationStatus, TaskScheduled
from tests.durable_status.replay.histories import START, Driven, host_with, scheduled

_QUESTION = " Was a change made to the orchestrator code after this instance had already started running?"
_START = "Non-Deterministic workflow detected: A previous execution of this orchestration scheduled "

_STEPS: dict[str, Callable[[Any], Any]] = {
    "Echo": lambda context: context.call_activity("Echo"),
    "echo": lambda context: context.call_activity("echo"),
    "Other": lambda context: context.call_activity("Other"),
    "timer": lambda context: context.create_timer(context.current_utc_datetime + timedelta(seconds=9)),
    "Child": lambda context: context.call_sub_orchestrator("Child", None, "c"),
    "Child2": lambda context: context.call_sub_orchestrator("Child2", None, "c"),
    "wait": lambda context: context.wait_for_external_event("go"),
}


def _output_after_change(before: str, after: str) -> tuple[OrchestrationStatus, str]:
    def orchestrator(step: str) -> Callable[[Any], Any]:
        def user_code(context: Any) -> Any:
            yield _STEPS[step](context)

        return user_code

    host = host_with("Echo", "Other", orchestrators=("Main", "Child", "Child2"))
    driven = Driven(orchestrator(before), host=host)
    driven.start()
    driven.user_code = orchestrator(after)
    episode = driven.raise_event("anything")
    return episode.runtime_status, episode.output or ""


@pytest.mark.conforms("R4-3", "R5-1", "R5-3")
@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        (
            "Echo",
            "wait",
            "an activity task with sequence ID 0 and name 'Echo' (version ''), but the current replay execution hasn't "
            "(yet?) scheduled this task.",
        ),
        (
            "Echo",
            "timer",
            "an activity task with sequence number 0 named 'Echo', but the current orchestration replay instead "
            "produced a CreateTimerOrchestratorAction action with this sequence number.",
        ),
        (
            "Echo",
            "Other",
            "an activity task with sequence number 0 named 'Echo', but the current orchestration replay instead "
            "scheduled an activity task named 'Other' with this sequence number. ",
        ),
        (
            "timer",
            "wait",
            "a timer task with sequence number 0 but the current replay execution hasn't (yet?) scheduled this task.",
        ),
        (
            "timer",
            "Child",
            "a timer task with sequence number 0 named but the current orchestration replay instead produced a "
            "CreateSubOrchestrationAction action with this sequence number.",
        ),
        (
            "Child",
            "wait",
            "a sub-orchestration task with sequence ID 0 and name 'Child' (version '', instance ID 'c'), but the "
            "current replay execution hasn't (yet?) scheduled this task.",
        ),
        (
            "Child",
            "Echo",
            "a sub-orchestration task with sequence ID 0 and name 'Child' (version '', instance ID 'c'), but the "
            "current orchestration replay instead produced a ScheduleTaskOrchestratorAction action at this sequence "
            "number.",
        ),
        (
            "Child",
            "Child2",
            "a sub-orchestration task with sequence ID 0 and name 'Child' (version '', instance ID 'c'), but the "
            "current orchestration replay instead scheduled a sub-orchestration task with name Child2 at this sequence "
            "number.",
        ),
    ],
)
def test_a_difference_fails_the_instance_in_the_platforms_words(before: str, after: str, difference: str) -> None:
    assert _output_after_change(before, after) == (
        OrchestrationStatus.FAILED,
        f"{_START}{difference}{_QUESTION}",
    )


@pytest.mark.conforms("R5-2")
@pytest.mark.parametrize(("before", "after"), [("Echo", "echo"), ("wait", "Echo"), ("wait", "timer")])
def test_other_case_and_more_work_than_before_are_no_difference(before: str, after: str) -> None:
    assert _output_after_change(before, after)[0] is OrchestrationStatus.RUNNING


@pytest.mark.conforms("R5-4")
def test_what_was_decided_anew_is_carried_out_although_the_instance_fails() -> None:
    def before(context: Any) -> Any:
        yield context.call_activity("Echo")

    def after(context: Any) -> Any:
        yield context.call_activity("Other")

    driven = Driven(before, host=host_with("Echo", "Other"))
    driven.start()
    driven.user_code = after
    episode = driven.raise_event("anything")

    assert scheduled(episode) == [(0, "Other")]
    assert [event.is_played for event in episode.appended] == [False, False, False, False, False]


@pytest.mark.conforms("R5-1")
def test_a_signal_that_gets_a_time_is_a_difference() -> None:
    sent = EventSent(event_id=0, timestamp=START, instance_id="@counter@k", name="op", input="{}")
    later = SendEvent(id=0, instance_id="@counter@k", name="op@2026-11-22T11:30:09.0000000Z", input="{}")

    with pytest.raises(NonDeterminismError) as error:
        check_decision(sent, later)

    assert str(error.value) == (
        f"{_START}a send event task with sequence ID 0, type 'EventSent', name 'op', instance ID '@counter@k'), but "
        "the current orchestration replay instead scheduled a send event task with name "
        f"op@2026-11-22T11:30:09.0000000Zat this sequence number.{_QUESTION}"
    )


@pytest.mark.conforms("R5-2")
@pytest.mark.parametrize(
    ("recorded", "decided", "are_equal"), [("Größe", "GRÖẞE", False), ("É", "é", True), ("ß", "SS", False)]
)
def test_names_are_compared_character_by_character(recorded: str, decided: str, are_equal: bool) -> None:
    scheduled_before = TaskScheduled(event_id=0, timestamp=START, name=recorded)
    decision = ScheduleActivity(id=0, name=decided, version="", input="[null]")

    with nullcontext() if are_equal else pytest.raises(NonDeterminismError):
        check_decision(scheduled_before, decision)
