"""Traps of tasks: yielded twice, never, not at all, or in compounds that end before all of their tasks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status.replay.events import (
    OrchestrationStatus,
    TaskCompleted,
    TaskFailed,
)
from durable_status.replay.host_facts import FunctionKind, FunctionNames
from durable_status.replay.traps import Mode, TrapKind
from tests.durable_status.replay.histories import Driven, event_names, host_with, scheduled
from tests.durable_status.replay.trap_runs import last_episode, run_into

RUNNING, FAILED = OrchestrationStatus.RUNNING, OrchestrationStatus.FAILED
_RETRY = df.RetryOptions(5_000, 3)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.conforms("R6-1")
def test_a_task_that_is_created_and_not_yielded_never_runs() -> None:
    def orchestrator(context: Any) -> Any:
        context.call_activity("Echo", "never")
        context.signal_entity(df.EntityId("Counter", "k"), "add", 1)
        yield context.call_activity("Echo", "runs")

    entities = FunctionNames.create(FunctionKind.ENTITY, ["Counter"])
    for mode in Mode:  # the SDK says nothing of such a task, so there is nothing to see in either mode
        episode = Driven(orchestrator, host=host_with(entities=entities), mode=mode).start()
        assert event_names(episode.appended) == "OS ES ES TS OC"  # EventSent has the letters of ExecutionStarted


@pytest.mark.conforms("R0-2", "R6-2")
def test_after_a_failed_task_all_nothing_is_scheduled_before_every_sibling_is_done() -> None:
    def orchestrator(context: Any) -> Any:
        try:
            yield context.task_all([context.call_activity("Echo", n) for n in range(2)])
        except Exception:
            context.set_custom_status("compensating")
            yield context.call_activity("Echo", "compensate")

    driven, trap = run_into(orchestrator, lambda it: (it.start(), it.fail(0)), TrapKind.FAIL_FAST)

    assert (last_episode(driven).custom_status, scheduled(last_episode(driven))) == ('"compensating"', [])
    assert trap.action == 0
    assert scheduled(driven.complete(1)) == [(2, "Echo")]


@pytest.mark.conforms("R6-3")
def test_a_call_with_retry_in_a_failed_task_all_shifts_ids() -> None:
    def orchestrator(context: Any) -> Any:
        retried = context.call_activity_with_retry("Echo", _RETRY)
        try:
            yield context.task_all([retried, context.call_activity("Echo")])
        except Exception:
            return (yield context.call_activity("Echo", "comp"))

    driven, trap = run_into(orchestrator, lambda it: (it.start(), it.fail(1)), TrapKind.ID_SHIFT)
    again = driven.fail(0)
    fired = driven.fire(2)

    assert trap.action == 0
    assert scheduled(again) == [(2, "timer")]  # Python has given this id to its next task
    assert fired.runtime_status is RUNNING
    assert fired.appended[-1] != driven.history[0]


@pytest.mark.conforms("R2.1-3", "R6-4")
def test_a_pending_task_in_a_second_task_any_holds_the_host_at_the_new_ones() -> None:
    def orchestrator(context: Any) -> Any:
        event = context.wait_for_external_event("go")
        for _ in range(2):
            timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=20))
            winner = yield context.task_any([event, timer])
            if winner is event:
                break
        yield context.call_activity("Echo")

    driven, trap = run_into(
        orchestrator, lambda it: (it.start(), it.fire(0), it.raise_event("go")), TrapKind.REUSED_TASK
    )

    assert trap.action == 1
    assert scheduled(last_episode(driven)) == []
    assert scheduled(driven.fire(1)) == [(2, "Echo")]


@pytest.mark.conforms("R6-9")
def test_yielding_none_waits_for_ever() -> None:
    def orchestrator(_context: Any) -> Any:
        yield None

    driven, _ = run_into(orchestrator, lambda it: it.start(), TrapKind.NOTHING_AWAITED)

    assert (last_episode(driven).runtime_status, event_names(driven.history)) == (RUNNING, "OS ES OC")


@pytest.mark.conforms("R6-9")
@pytest.mark.parametrize("value", [[], 7, "text"])
def test_yielding_what_is_no_task_fails_raw(value: Any) -> None:
    def orchestrator(_context: Any) -> Any:
        yield value

    driven, _ = run_into(orchestrator, lambda it: it.start(), TrapKind.YIELDED_NO_TASK)

    assert "has no attribute '_is_scheduled'" in last_episode(driven).output


@pytest.mark.conforms("R6-9")
def test_returning_a_task_instead_of_yielding_it_fails() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        return context.task_all([context.call_activity("Echo")])

    driven, _ = run_into(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.RETURNED_TASK)

    assert "Task is not JSON serializable" in last_episode(driven).output


@pytest.mark.conforms("R6-15")
def test_yielding_a_finished_task_again_and_again_ends_in_recursion() -> None:
    def orchestrator(context: Any) -> Any:
        task = context.call_activity("Echo")
        for _ in range(3_000):
            yield task

    driven, _ = run_into(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.RECURSION)

    assert "maximum recursion depth exceeded" in last_episode(driven).output


@pytest.mark.conforms("R6-21")
def test_a_call_with_retry_under_a_timeout_ends_in_non_determinism_once_it_is_retried() -> None:
    def orchestrator(context: Any) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
        retried = context.call_activity_with_retry("Echo", _RETRY)
        winner = yield context.task_any([retried, timer])
        if winner is retried:
            timer.cancel()
        yield context.call_activity("Echo", "next")

    steps = lambda it: (it.start(), it.fail(0), it.fire(2), it.complete(3))  # noqa: E731
    driven, trap = run_into(orchestrator, steps, TrapKind.RETRY_IN_TASK_ANY)

    assert trap.action == 0
    assert last_episode(driven).runtime_status is FAILED
    assert last_episode(driven).output.startswith("Non-Deterministic workflow detected")


@pytest.mark.conforms("R6-23")
def test_a_task_all_that_fails_inside_another_breaks_the_sdk() -> None:
    def orchestrator(context: Any) -> Any:
        inner = context.task_all([context.call_activity("Echo"), context.call_activity("Echo")])
        yield context.task_any([inner, context.wait_for_external_event("go")])
        yield context.call_activity("Echo", "next")

    def steps(driven: Driven) -> None:
        driven.start()
        driven.feed(
            TaskFailed(timestamp=driven.now, task_scheduled_id=0, reason="it broke", details=None),
            TaskCompleted(timestamp=driven.now, task_scheduled_id=1, result="1"),
        )

    driven, _ = run_into(orchestrator, steps, TrapKind.NESTED_TASK_ALL)

    assert last_episode(driven).runtime_status is FAILED


@pytest.mark.conforms("R3.10-4", "R6-24")
def test_a_task_that_is_listed_twice_runs_twice() -> None:
    def orchestrator(context: Any) -> Any:
        task = context.call_activity("Echo", "twice")
        yield context.task_all([task, task])
        return (yield context.call_activity("Echo", "next"))

    driven, _ = run_into(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.TASK_LISTED_TWICE)

    assert scheduled(Driven(orchestrator).start()) == [(0, "Echo"), (1, "Echo")]
    assert last_episode(driven).runtime_status is RUNNING


def test_a_task_that_is_listed_twice_is_seen_when_both_results_come_at_once() -> None:
    def orchestrator(context: Any) -> Any:
        task = context.call_activity("Echo", "twice")
        yield context.task_all([task, task])
        return (yield context.call_activity("Echo", "next"))

    _, trap = run_into(orchestrator, lambda it: (it.start(), it.complete(0, 1)), TrapKind.TASK_LISTED_TWICE)

    assert trap.action == 0
