"""What comes out when several things happen to an instance in one batch: which end wins, and what the row shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status.replay.decisions import SetTimer
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionRewound,
    ExecutionSuspended,
    ExecutionTerminated,
    GenericEvent,
    HistoryState,
    OrchestrationStatus,
    SubOrchestrationInstanceCompleted,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
)
from durable_status.replay.ticks import PER_SECOND, Ticks
from tests.durable_status.replay.histories import Driven, event_names, host_with, scheduled

COMPLETED, RUNNING = OrchestrationStatus.COMPLETED, OrchestrationStatus.RUNNING
SUSPENDED, TERMINATED = OrchestrationStatus.SUSPENDED, OrchestrationStatus.TERMINATED

UserCode = Callable[[Any], Any]


def _then(last: UserCode) -> UserCode:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        context.set_custom_status("after")
        return last(context)

    return orchestrator


def _fail(_context: Any) -> Any:
    raise ValueError("it broke")


def _continue(context: Any) -> Any:
    context.continue_as_new(2)


def _done(now: Ticks) -> Event:
    return TaskCompleted(timestamp=now, task_scheduled_id=0, result="null")


def _terminate(now: Ticks) -> Event:
    return ExecutionTerminated(timestamp=now, input="bye")


def _suspend(now: Ticks) -> Event:
    return ExecutionSuspended(timestamp=now, reason="wait")


def _resume(now: Ticks) -> Event:
    return ExecutionResumed(timestamp=now, reason="go on")


@pytest.mark.conforms("R3.9-6")
@pytest.mark.parametrize("order", [(_done, _terminate), (_terminate, _done)])
@pytest.mark.parametrize("last", [lambda _context: 7, _fail])
def test_a_termination_beats_a_result_and_a_failure_in_either_order(last: UserCode, order: Any) -> None:
    driven = Driven(_then(last))
    driven.start()
    episode = driven.feed(*(make(driven.now) for make in order))

    assert (episode.runtime_status, episode.output, episode.custom_status) == (TERMINATED, "bye", '"after"')
    assert episode.next_generation is None


@pytest.mark.conforms("R3.9-28")
@pytest.mark.parametrize("order", [(_done, _terminate), (_terminate, _done)])
def test_a_continue_as_new_that_completes_in_the_same_batch_beats_a_termination(order: Any) -> None:
    driven = Driven(_then(_continue))
    driven.start()
    episode = driven.feed(*(make(driven.now) for make in order))

    assert (episode.runtime_status, episode.custom_status) == (RUNNING, '"after"')
    assert scheduled(episode) == [(0, "Echo")]
    assert event_names(driven.history) == "OS ES OC TS OC"


@pytest.mark.conforms("R3.9-28")
def test_a_continue_as_new_that_waits_for_an_open_task_is_terminated() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.task_any([context.call_activity("Echo"), context.call_activity("Echo")])
        context.continue_as_new(2)

    driven = Driven(orchestrator)
    driven.start()
    episode = driven.feed(_done(driven.now), _terminate(driven.now))

    assert (episode.runtime_status, episode.output) == (TERMINATED, "bye")


@pytest.mark.conforms("R3.9-29")
@pytest.mark.parametrize(
    ("messages", "status"), [((_done, _suspend), COMPLETED), ((_suspend, _done), SUSPENDED), ((_suspend,), SUSPENDED)]
)
def test_what_ends_before_a_suspension_of_the_same_batch_has_ended(messages: Any, status: OrchestrationStatus) -> None:
    driven = Driven(_then(lambda _context: 7))
    driven.start()
    episode = driven.feed(*(make(driven.now) for make in messages))

    assert (episode.runtime_status, episode.output) == (status, "7" if status is COMPLETED else "wait")


@pytest.mark.conforms("R3.9-29")
def test_events_of_a_suspension_are_not_processed_when_it_is_terminated() -> None:
    driven = Driven(_then(_continue))
    driven.start()
    driven.feed(_suspend(driven.now))
    episode = driven.feed(_done(driven.now), _terminate(driven.now))

    assert (episode.runtime_status, episode.output, episode.outbox) == (TERMINATED, "bye", ())


@pytest.mark.conforms("R3.9-33")
def test_a_result_of_none_leaves_the_rows_output_even_when_a_resume_came_with_it() -> None:
    driven = Driven(_then(lambda _context: None))
    driven.start()
    driven.feed(_suspend(driven.now))
    episode = driven.feed(_resume(driven.now), _done(driven.now))

    assert (episode.runtime_status, episode.output) == (COMPLETED, None)


@pytest.mark.conforms("R3.9-33")
def test_of_several_reasons_in_a_batch_the_last_is_the_output() -> None:
    driven = Driven(_then(lambda _context: None))
    driven.start()
    episode = driven.feed(_suspend(driven.now), _resume(driven.now))

    assert (episode.runtime_status, episode.output) == (RUNNING, "go on")


@pytest.mark.conforms("R3.9-29")
def test_a_suspension_withholds_all_that_a_batch_reached_before_it_under_its_ids() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        yield context.task_all([context.call_activity("Two"), context.call_sub_orchestrator("Child")])

    driven = Driven(orchestrator, host=host_with("Echo", "Two"))
    driven.start()
    suspended = driven.feed(_done(driven.now), _suspend(driven.now))
    queued = driven.feed(EventRaised(timestamp=driven.now, name="any", input="1"))
    resumed = driven.feed(_resume(driven.now))

    assert [scheduled(episode) for episode in (suspended, queued, resumed)] == [[], [], [(1, "Two"), (2, "Child")]]
    assert event_names(driven.history).endswith("OS TC ES OC OS ER OC OS ER TS SOIC OC")


@pytest.mark.conforms("R5-6")
@pytest.mark.parametrize("make", [TaskCompleted, TaskFailed])
def test_completions_nobody_waits_for_are_recorded_as_played_and_change_nothing(make: Any) -> None:
    driven = Driven(_then(lambda _context: 7))
    driven.start()
    episode = driven.feed(make(timestamp=driven.now, task_scheduled_id=5))

    assert (episode.runtime_status, episode.outbox) == (RUNNING, ())
    assert [event.is_played for event in driven.history if isinstance(event, make)] == [True]
    assert not any(event.is_played for event in driven.history if isinstance(event, TaskScheduled))


@pytest.mark.conforms("R5-6")
def test_a_completion_that_comes_twice_ends_no_other_task() -> None:
    def orchestrator(context: Any) -> Any:
        first = yield context.call_activity("Echo")
        second = yield context.call_activity("Echo")
        return [first, second]

    driven = Driven(orchestrator)
    driven.start()
    episode = driven.feed(_done(driven.now), _done(driven.now))

    assert (episode.runtime_status, scheduled(episode)) == (RUNNING, [(1, "Echo")])


@pytest.mark.conforms("R3.9-34")
def test_the_clock_goes_on_while_suspended_and_a_retry_counts_from_the_resume() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity_with_retry("Echo", df.RetryOptions(5_000, 2))

    driven = Driven(orchestrator)
    driven.start()
    driven.feed(_suspend(driven.now))
    driven.fail(0)
    resumed_at = driven.now
    (timer,) = driven.feed(_resume(driven.now)).outbox

    assert timer == SetTimer(id=1, fire_at=Ticks(resumed_at + 5 * PER_SECOND))
    assert scheduled(driven.fire(1)) == [(2, "Echo")]  # the replay finds the same timer


@pytest.mark.conforms("R3.2-4")
def test_retries_side_by_side_take_ids_in_the_order_of_their_failures() -> None:
    def orchestrator(context: Any) -> Any:
        retry = df.RetryOptions(5_000, 2)
        yield context.task_all([context.call_activity_with_retry(name, retry) for name in ("One", "Two")])
        yield context.call_activity("Three")

    driven = Driven(orchestrator, host=host_with("One", "Two", "Three"))
    steps = [driven.start(), driven.fail(1), driven.fail(0), driven.fire(3), driven.fire(2)]

    assert [scheduled(step) for step in steps] == [
        [(0, "One"), (1, "Two")],
        [(2, "timer")],
        [(3, "timer")],
        [(4, "One")],
        [(5, "Two")],
    ]
    assert scheduled(driven.complete(4, 5)) == [(6, "Three")]


@pytest.mark.conforms("R3.10-6")
def test_a_failure_waits_for_the_siblings_of_what_failed() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.task_all([context.call_activity("Echo"), context.call_sub_orchestrator("Child")])

    driven = Driven(orchestrator)
    driven.start()
    failed = driven.fail(0)
    ended = driven.feed(SubOrchestrationInstanceCompleted(timestamp=driven.now, task_scheduled_id=1, result="1"))

    assert [failed.runtime_status, ended.runtime_status] == [RUNNING, OrchestrationStatus.FAILED]


@pytest.mark.conforms("R3.10-5")
def test_yielding_a_finished_task_again_adds_no_action() -> None:
    def orchestrator(context: Any) -> Any:
        task = context.call_activity("Echo")
        return [(yield task), (yield task), (yield context.call_activity("Echo"))]

    driven = Driven(orchestrator)
    driven.start()

    assert scheduled(driven.complete(0, result="1")) == [(1, "Echo")]
    assert driven.complete(1, result="2").output == "[1,1,2]"


@pytest.mark.conforms("R1.1-7")
@pytest.mark.parametrize("make", [GenericEvent, HistoryState, ExecutionRewound])
def test_events_that_mean_nothing_to_an_orchestration_are_played_and_have_no_effect(make: Any) -> None:
    driven = Driven(_then(lambda _context: 7))
    driven.start()
    episode = driven.feed(make(timestamp=driven.now))

    assert (episode.runtime_status, episode.outbox, episode.output) == (RUNNING, (), None)
    assert [event.is_played for event in driven.history if isinstance(event, make)] == [True]
    assert driven.complete(0).output == "7"


@pytest.mark.conforms("R1.1-8")
def test_what_stands_at_the_head_of_a_generation_is_played_but_for_its_start() -> None:
    def orchestrator(context: Any) -> Any:
        if context.get_input() is None:
            context.continue_as_new(2)
            return
        yield context.wait_for_external_event("later")

    driven = Driven(orchestrator)
    driven.start(EventRaised(timestamp=driven.now, name="go", input="1"))

    assert [event.is_played for event in driven.history] == [False, True, True, True]
    assert event_names(driven.history) == "OS ES ER OC"
