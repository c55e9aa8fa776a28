"""Traps of external events: other case, too early, lost or coming back."""

from __future__ import annotations

import warnings
from datetime import timedelta
from typing import Any

import pytest

from durable_status.replay.events import (
    EventRaised,
    OrchestrationStatus,
)
from durable_status.replay.profile import PROFILE_3
from durable_status.replay.traps import TrapKind
from tests.durable_status.replay.histories import Driven, event_names
from tests.durable_status.replay.trap_runs import last_episode, run_into

RUNNING, FAILED = OrchestrationStatus.RUNNING, OrchestrationStatus.FAILED

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.conforms("R3.4-1", "R6-7")
def test_an_event_in_the_wrong_case_wakes_the_host_only() -> None:
    def orchestrator(context: Any) -> Any:
        return (yield context.wait_for_external_event("Approval"))

    driven, _ = run_into(orchestrator, lambda it: (it.start(), it.raise_event("approval", "1")), TrapKind.EVENT_CASE)

    assert last_episode(driven).runtime_status is RUNNING
    assert driven.raise_event("Approval", "2").output == "2"


@pytest.mark.conforms("R3.4-3", "R6-7")
def test_an_early_event_is_handed_out_twice() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        first = yield context.wait_for_external_event("go")
        second = yield context.wait_for_external_event("go")
        return [first, second]

    steps = lambda it: (it.start(), it.raise_event("go", "1"), it.complete(0))  # noqa: E731
    driven, _ = run_into(orchestrator, steps, TrapKind.EARLY_EVENT)

    assert last_episode(driven).runtime_status is RUNNING
    assert driven.raise_event("go", "2").output == "[1,1]"


@pytest.mark.conforms("R3.4-3", "R6-7")
def test_of_two_early_events_the_first_is_lost() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        first = yield context.wait_for_external_event("go")
        second = yield context.wait_for_external_event("go")
        return [first, second]

    steps = lambda it: (it.start(), it.raise_event("go", "1"), it.raise_event("go", "2"), it.complete(0))  # noqa: E731
    driven, _ = run_into(orchestrator, steps, TrapKind.EARLY_EVENT)

    assert last_episode(driven).output == "[2,2]"


@pytest.mark.conforms("R3.5-5", "R6-7")
def test_events_that_nobody_has_waited_for_are_lost_by_continuing_as_new() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        if context.get_input() is None:
            context.continue_as_new(1)
            return None
        return (yield context.wait_for_external_event("go"))

    steps = lambda it: (it.start(), it.raise_event("go"), it.complete(0))  # noqa: E731
    driven, _ = run_into(orchestrator, steps, TrapKind.LOST_EVENT)

    assert event_names(driven.history) == "OS ES OC TS OC"


@pytest.mark.conforms("R6-16")
def test_warnings_as_errors_break_the_sdk_on_an_early_event() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        driven, trap = run_into(orchestrator, lambda it: (it.start(), it.raise_event("go")), TrapKind.WARNING_RAISED)

    assert "Potential duplicate Task completion" in trap.sentence
    assert last_episode(driven).runtime_status is FAILED


@pytest.mark.conforms("R6-22")
def test_an_event_that_was_taken_comes_back_after_continue_as_new() -> None:
    def orchestrator(context: Any) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
        event = context.wait_for_external_event("go")
        winner = yield context.task_any([event, timer])
        if winner is event and context.get_input() is None:
            timer.cancel()
            context.continue_as_new(1)
            return None
        yield context.wait_for_external_event("other")

    driven, _ = run_into(orchestrator, lambda it: (it.start(), it.raise_event("go", "1")), TrapKind.EVENT_COMES_BACK)

    assert [event.name for event in driven.history if isinstance(event, EventRaised)] == ["go"]


@pytest.mark.conforms("R6-34")
@pytest.mark.parametrize("name", ["a/b", "/", ".", ".."])
def test_an_event_that_no_client_can_raise_is_named(name: str) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.wait_for_external_event(name)

    _, trap = run_into(orchestrator, lambda it: it.start(), TrapKind.EVENT_NAME)

    assert f"No client can raise the event '{name}'" in trap.sentence


@pytest.mark.conforms("R6-34")
def test_a_plus_in_the_name_of_an_event_is_a_trap_of_3_only() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.task_any([context.wait_for_external_event("a+b"), context.wait_for_external_event("c.d-e f")])

    assert Driven(orchestrator).start().warnings == ()
    (trap,) = Driven(orchestrator, profile=PROFILE_3).start().warnings
    assert trap.kind is TrapKind.EVENT_NAME
