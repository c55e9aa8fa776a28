"""External events, suspend, resume, terminate, continue-as-new, and what happens when they meet in one batch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from durable_status.replay.events import (
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
    OrchestrationInstance,
    OrchestrationStatus,
    ParentInstance,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceFailed,
    TaskCompleted,
)
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3
from tests.durable_status.replay.histories import Driven, event_names, scheduled

RUNNING, COMPLETED = OrchestrationStatus.RUNNING, OrchestrationStatus.COMPLETED
SUSPENDED, TERMINATED = OrchestrationStatus.SUSPENDED, OrchestrationStatus.TERMINATED


def _wait_then_echo(context: Any) -> Any:
    payload = yield context.wait_for_external_event("go")
    context.set_custom_status({"got": payload})
    yield context.call_activity("Echo", payload)
    return payload


@pytest.mark.conforms("R1.2-2", "R3.4-3")
def test_an_event_that_comes_with_the_start_is_kept_for_its_waiter() -> None:
    driven = Driven(_wait_then_echo)
    episode = driven.start(EventRaised(timestamp=driven.now, name="go", input='"early"'))

    assert scheduled(episode) == [(0, "Echo")]
    assert episode.custom_status == '{"got":"early"}'


@pytest.mark.conforms("R3.4-1")
def test_the_host_matches_event_names_in_any_case_but_python_does_not() -> None:
    driven = Driven(_wait_then_echo)
    driven.start()
    wrong_case = driven.raise_event("GO", '"x"')
    exact = driven.raise_event("go", '"y"')

    assert (wrong_case.runtime_status, scheduled(wrong_case)) == (RUNNING, [])
    assert scheduled(exact) == [(0, "Echo")]


@pytest.mark.conforms("R3.4-2")
def test_several_waiters_on_one_name_are_served_latest_first() -> None:
    def orchestrator(context: Any) -> Any:
        return (yield context.task_all([context.wait_for_external_event("go") for _ in range(2)]))

    driven = Driven(orchestrator)
    driven.start()
    driven.raise_event("go", '"e1"')
    episode = driven.raise_event("go", '"e2"')

    assert episode.output == '["e2","e1"]'


@pytest.mark.conforms("R4-5")
def test_while_suspended_python_runs_ahead_and_nothing_new_is_scheduled() -> None:
    driven = Driven(_wait_then_echo)
    driven.start()
    suspended = driven.feed(ExecutionSuspended(timestamp=driven.now, reason="hold"))
    meanwhile = driven.raise_event("go", '"v"')
    resumed = driven.feed(ExecutionResumed(timestamp=driven.now, reason="on"))

    assert (suspended.runtime_status, suspended.output) == (SUSPENDED, "hold")
    assert (meanwhile.runtime_status, meanwhile.custom_status, scheduled(meanwhile)) == (SUSPENDED, '{"got":"v"}', [])
    assert (resumed.runtime_status, resumed.output, scheduled(resumed)) == (RUNNING, "on", [(0, "Echo")])


def test_what_was_reached_before_a_suspension_in_the_same_batch_goes_out_with_the_resume() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")

    driven = Driven(orchestrator)
    suspended = driven.start(ExecutionSuspended(timestamp=driven.now, reason=None))
    resumed = driven.feed(ExecutionResumed(timestamp=driven.now, reason=None))

    assert (scheduled(suspended), scheduled(resumed)) == ([], [(0, "Echo")])
    assert event_names(driven.history) == "OS ES ES OC OS ER TS OC"


def test_a_termination_beats_a_completion_in_the_same_batch_in_either_order() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        return "done"

    for terminated_first in (True, False):
        driven = Driven(orchestrator)
        driven.start()
        batch = [
            ExecutionTerminated(timestamp=driven.now, input="stop"),
            TaskCompleted(timestamp=driven.now, task_scheduled_id=0),
        ]
        episode = driven.feed(*(batch if terminated_first else reversed(batch)))

        assert (episode.runtime_status, episode.output) == (TERMINATED, "stop")


@pytest.mark.conforms("R4-4")
def test_python_runs_in_the_terminating_episode_and_its_status_is_stored() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("ran")
        yield context.call_activity("Echo")

    driven = Driven(orchestrator)
    episode = driven.start(ExecutionTerminated(timestamp=driven.now, input=None))

    assert (episode.runtime_status, episode.custom_status) == (TERMINATED, '"ran"')
    assert scheduled(episode) == [(0, "Echo")]  # decided all the same, and sent


def _countdown(context: Any) -> Any:
    left = context.get_input()
    if left == 2:
        context.set_custom_status({"left": left})
    payload = yield context.wait_for_external_event("go")
    if left:
        context.continue_as_new(left - 1)
    return payload


@pytest.mark.conforms("R1.2-3", "R3.5-1")
def test_continuing_as_new_replaces_the_history_in_the_same_work_item() -> None:
    driven = Driven(_countdown, input='"2"')
    driven.start()
    episode = driven.raise_event("go", "1")

    assert event_names(driven.history) == "OS ES OC"
    assert driven.history[1].input == '"1"'  # type: ignore[attr-defined]
    assert episode.runtime_status is RUNNING


@pytest.mark.conforms("R4-6")
def test_the_custom_status_is_carried_over_once() -> None:
    driven = Driven(_countdown, input='"2"')
    statuses = [driven.start().custom_status, driven.raise_event("go").custom_status]
    statuses.append(driven.raise_event("other").custom_status)

    assert statuses == ['{"left":2}', '{"left":2}', None]


@pytest.mark.conforms("R4-6")
def test_two_generations_in_a_row_without_a_status_lose_it() -> None:
    def orchestrator(context: Any) -> Any:
        left = context.get_input()
        if left == 2:
            context.set_custom_status("first")
            yield context.wait_for_external_event("go")
        if left:
            context.continue_as_new(left - 1)
        else:
            yield context.wait_for_external_event("never")

    driven = Driven(orchestrator, input='"2"')
    driven.start()

    assert driven.raise_event("go").custom_status is None


@pytest.mark.conforms("R3.5-3")
def test_events_after_a_continue_as_new_are_carried_and_those_before_it_are_lost() -> None:
    driven = Driven(_countdown, input='"2"')
    driven.start()
    batch = [EventRaised(timestamp=driven.now, name="go", input=str(number)) for number in range(2)]
    episode = driven.feed(*batch)

    # The second event came after the code had continued as new, so the next generation gets it and continues, too.
    assert driven.history[1].input == '"0"'  # type: ignore[attr-defined]
    assert episode.runtime_status is RUNNING


@pytest.mark.conforms("R0-3", "R3.5-2")
def test_continuing_as_new_waits_for_open_tasks() -> None:
    def orchestrator(context: Any) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=9))
        yield context.task_any([context.wait_for_external_event("go"), timer])
        context.continue_as_new(None)

    driven = Driven(orchestrator)
    driven.start()
    waiting = driven.raise_event("go")
    driven.fire(0)

    assert event_names(driven.history) == "OS ES OC TC OC"
    assert waiting.next_generation is None


@pytest.mark.conforms("R2.2-5", "R3-7", "R3.8-1", "R3.8-2", "XR-2")
def test_a_child_tells_its_parent_how_it_ended() -> None:
    parent = ParentInstance(
        name="Parent",
        orchestration_instance=OrchestrationInstance(instance_id="parent", execution_id="e"),
        task_schedule_id=7,
        version="",
    )

    def returns(_context: Any) -> Any:
        return {"n": 1}

    def raises(context: Any) -> Any:
        yield context.call_activity("Echo")
        raise ValueError("bad luck")

    completed = Driven(returns, parent=parent).start().parent_message
    on_3 = Driven(returns, parent=parent, profile=PROFILE_3).start().parent_message
    failing = Driven(raises, parent=parent, profile=PROFILE_2_13)
    failing.start()
    failed = failing.complete(0).parent_message
    terminated = Driven(raises, parent=parent)
    stopped = terminated.start(ExecutionTerminated(timestamp=terminated.now, input="bye")).parent_message

    assert completed is not None
    assert completed.parent == parent.orchestration_instance
    assert isinstance(completed.event, SubOrchestrationInstanceCompleted)
    assert (completed.event.task_scheduled_id, completed.event.result) == (7, '{"n":1}')
    assert completed.event.instance_id is None
    assert on_3 is not None
    assert getattr(on_3.event, "instance_id") == "instance"  # noqa: B009
    assert failed is not None
    assert isinstance(failed.event, SubOrchestrationInstanceFailed)
    assert failed.event.reason == "Orchestrator function 'Main' failed: bad luck"
    assert (failed.event.details or "").startswith("Message: bad luck, StackTrace: ")
    assert stopped is not None
    assert (getattr(stopped.event, "reason"), getattr(stopped.event, "details")) == ("bye", None)  # noqa: B009


@pytest.mark.conforms("R3.4-4")
def test_an_event_that_comes_between_two_waits_serves_the_second() -> None:
    def orchestrator(context: Any) -> Any:
        first = yield context.wait_for_external_event("go")
        yield context.call_activity("Echo")
        return [first, (yield context.wait_for_external_event("go"))]

    driven = Driven(orchestrator)
    driven.start()
    driven.raise_event("go", "1")
    driven.raise_event("go", "2")
    episode = driven.complete(0)

    assert (episode.runtime_status, episode.output) == (COMPLETED, "[1,2]")


@pytest.mark.conforms("R3.5-7")
def test_a_second_continue_as_new_and_a_yield_after_one_have_no_effect() -> None:
    def orchestrator(context: Any) -> Any:
        if context.get_input() is None:
            context.continue_as_new("first")
            context.continue_as_new("second")
            yield context.call_activity("Echo")
            return "never"
        return context.get_input()

    episode = Driven(orchestrator).start()

    assert (episode.runtime_status, episode.output, episode.outbox) == (COMPLETED, '"first"', ())


@pytest.mark.conforms("R4-13")
def test_a_child_neither_gets_nor_gives_a_custom_status() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("parent's")
        yield context.call_sub_orchestrator("Child")

    driven = Driven(orchestrator)
    driven.start()
    episode = driven.feed(
        SubOrchestrationInstanceCompleted(timestamp=driven.now, task_scheduled_id=0, result='"result"')
    )

    assert episode.custom_status == '"parent\'s"'
