"""First episodes, and what each kind of action becomes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from durable_status.replay.decisions import ScheduleActivity, SetTimer, StartSubOrchestration
from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.ticks import PER_SECOND
from tests.durable_status.replay.histories import START, Driven, event_names, host_with, scheduled


@pytest.mark.conforms("R0-1", "R1.2-1", "R4-1")
def test_a_first_episode_schedules_up_to_the_first_yield_and_shows_the_status() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status({"stage": "called"})
        yield context.call_activity("Echo", {"a": 1})
        yield context.call_activity("Echo", "never reached in this episode")

    driven = Driven(orchestrator)
    episode = driven.start()

    assert event_names(driven.history) == "OS ES TS OC"
    assert episode.outbox == (ScheduleActivity(id=0, name="Echo", version="", input='["{\\"a\\": 1}"]'),)
    assert episode.custom_status == '{"stage":"called"}'
    assert episode.runtime_status is OrchestrationStatus.RUNNING
    assert episode.output is None


@pytest.mark.conforms("R1.3-3")
def test_a_run_to_the_end_completes_with_its_output() -> None:
    def orchestrator(context: Any) -> Any:
        first = yield context.call_activity("Echo")
        return [first, "done"]

    driven = Driven(orchestrator)
    driven.start()
    episode = driven.complete(0, result='"one"')

    assert event_names(driven.history) == "OS ES TS OC OS TC EC OC"
    assert episode.runtime_status is OrchestrationStatus.COMPLETED
    assert episode.output == '["one","done"]'


@pytest.mark.conforms("R1.1-4")
def test_messages_are_stored_as_played_and_decisions_are_not() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")

    driven = Driven(orchestrator)
    driven.start()

    assert [event.is_played for event in driven.history] == [False, True, False, False]


@pytest.mark.conforms("R2.1-4")
def test_a_timer_is_due_when_python_says() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=30))

    episode = Driven(orchestrator).start()

    assert episode.outbox == (SetTimer(id=0, fire_at=START + 30 * PER_SECOND),)


@pytest.mark.conforms("R1.3-2", "R3-3")
def test_a_child_gets_its_input_as_text_in_text_and_an_id_of_the_execution() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_sub_orchestrator("Child", {"n": 1})

    episode = Driven(orchestrator).start()

    (child,) = episode.outbox
    assert isinstance(child, StartSubOrchestration)
    assert child.instance_id == "execution0:0"
    assert json.loads(json.loads(child.input or "")) == {"n": 1}


@pytest.mark.conforms("R3-4")
def test_a_child_keeps_the_id_it_is_given() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_sub_orchestrator("Child", None, "my-child")

    (child,) = Driven(orchestrator).start().outbox

    assert isinstance(child, StartSubOrchestration)
    assert child.instance_id == "my-child"


@pytest.mark.conforms("R1.2-4", "R2.1-1")
def test_waiting_for_an_event_takes_no_id() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.task_any([context.wait_for_external_event("go"), context.call_activity("Echo")])

    episode = Driven(orchestrator).start()

    assert scheduled(episode) == [(0, "Echo")]


@pytest.mark.conforms("R1.1-5", "R1.3-1")
def test_inputs_go_into_the_history_only_when_the_host_is_asked_to() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo", 1)

    plain, storing = Driven(orchestrator), Driven(orchestrator, host=host_with(store_inputs_in_history=True))
    plain.start()
    storing.start()

    assert [getattr(driven.history[2], "input") for driven in (plain, storing)] == [None, '["1"]']  # noqa: B009


def test_a_function_without_yield_completes_in_its_first_episode() -> None:
    def orchestrator(context: Any) -> Any:
        return {"plain": context.get_input()}

    episode = Driven(orchestrator, input='"7"').start()

    assert episode.runtime_status is OrchestrationStatus.COMPLETED
    assert episode.output == '{"plain":7}'


@pytest.mark.conforms("R3.1-4")
def test_nothing_is_scheduled_beyond_the_limit_of_actions_and_a_warning_says_so() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.task_all([context.call_activity("Echo") for _ in range(3)])

    episode = Driven(orchestrator, host=host_with(max_orchestration_actions=2)).start()

    assert scheduled(episode) == [(0, "Echo"), (1, "Echo")]
    assert "maxOrchestrationActions" in str(episode.warnings[0])
