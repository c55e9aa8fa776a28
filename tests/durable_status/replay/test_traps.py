"""Every trap of the platform that the engine can see: faithful does what the host does, strict names the cure.

Two replays disagree in most of them, so the real SDK gives the answers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status.replay.events import (
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    OrchestrationStatus,
    TaskCompleted,
    TaskFailed,
)
from durable_status.replay.host_facts import FunctionKind, FunctionNames
from durable_status.replay.traps import Mode, Trap, TrapError, TrapKind
from tests.durable_status.replay.histories import Driven, UserCode, event_names, host_with, scheduled

RUNNING, COMPLETED, FAILED = OrchestrationStatus.RUNNING, OrchestrationStatus.COMPLETED, OrchestrationStatus.FAILED
_RETRY = df.RetryOptions(5_000, 3)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def _run(user_code: UserCode, steps: Callable[[Driven], object], kind: TrapKind, **options: Any) -> tuple[Driven, Trap]:
    """The instance as the host has it after `steps`, and the trap of `kind` that strict mode raises on the way."""
    faithful = Driven(user_code, **options)
    steps(faithful)
    strict = Driven(user_code, mode=Mode.STRICT, **options)
    with pytest.raises(TrapError) as raised:
        steps(strict)
    trap = raised.value.trap
    assert trap.kind is kind
    assert f"{trap.sentence} {trap.cure} ({trap.kind.title})" in str(raised.value)
    assert trap.orchestrator == "Main"
    return faithful, trap


def _last(driven: Driven) -> Any:
    assert driven.last is not None
    return driven.last


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

    driven, trap = _run(orchestrator, lambda it: (it.start(), it.fail(0)), TrapKind.FAIL_FAST)

    assert (_last(driven).custom_status, scheduled(_last(driven))) == ('"compensating"', [])
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

    driven, trap = _run(orchestrator, lambda it: (it.start(), it.fail(1)), TrapKind.ID_SHIFT)
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

    driven, trap = _run(orchestrator, lambda it: (it.start(), it.fire(0), it.raise_event("go")), TrapKind.REUSED_TASK)

    assert trap.action == 1
    assert scheduled(_last(driven)) == []
    assert scheduled(driven.fire(1)) == [(2, "Echo")]


@pytest.mark.conforms("R6-5")
@pytest.mark.parametrize("ending", ["return", "raise", "continue"])
def test_a_timer_that_is_not_cancelled_holds_every_kind_of_end(ending: str) -> None:
    def orchestrator(context: Any) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=20))
        yield context.task_any([timer, context.call_activity("Echo")])
        if ending == "raise":
            raise ValueError("over")
        if ending == "continue":
            context.continue_as_new(None)

    driven, trap = _run(orchestrator, lambda it: (it.start(), it.complete(1)), TrapKind.OPEN_TIMER)

    assert trap.action == 0
    assert (_last(driven).runtime_status, _last(driven).next_generation) == (RUNNING, None)


@pytest.mark.conforms("R6-6")
def test_a_timer_that_is_cancelled_after_a_call_of_an_entity_loses_the_response() -> None:
    def orchestrator(context: Any) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
        yield context.task_any([timer, context.wait_for_external_event("go")])
        value = yield context.call_entity(df.EntityId("Counter", "k"), "get")
        timer.cancel()
        return value

    def steps(driven: Driven) -> None:
        driven.start()
        request = driven.raise_event("go").outbox[0]
        driven.raise_event(driven.request_id(request), '{"result":"7"}')

    entities = FunctionNames.create(FunctionKind.ENTITY, ["Counter"])
    driven, _ = _run(orchestrator, steps, TrapKind.LATE_CANCEL, host=host_with(entities=entities))

    assert _last(driven).runtime_status is RUNNING
    assert driven.fire(0).runtime_status is RUNNING


@pytest.mark.conforms("R3.4-1", "R6-7")
def test_an_event_in_the_wrong_case_wakes_the_host_only() -> None:
    def orchestrator(context: Any) -> Any:
        return (yield context.wait_for_external_event("Approval"))

    driven, _ = _run(orchestrator, lambda it: (it.start(), it.raise_event("approval", "1")), TrapKind.EVENT_CASE)

    assert _last(driven).runtime_status is RUNNING
    assert driven.raise_event("Approval", "2").output == "2"


@pytest.mark.conforms("R3.4-3", "R6-7")
def test_an_early_event_is_handed_out_twice() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        first = yield context.wait_for_external_event("go")
        second = yield context.wait_for_external_event("go")
        return [first, second]

    steps = lambda it: (it.start(), it.raise_event("go", "1"), it.complete(0))  # noqa: E731
    driven, _ = _run(orchestrator, steps, TrapKind.EARLY_EVENT)

    assert _last(driven).runtime_status is RUNNING
    assert driven.raise_event("go", "2").output == "[1,1]"


@pytest.mark.conforms("R3.4-3", "R6-7")
def test_of_two_early_events_the_first_is_lost() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        first = yield context.wait_for_external_event("go")
        second = yield context.wait_for_external_event("go")
        return [first, second]

    steps = lambda it: (it.start(), it.raise_event("go", "1"), it.raise_event("go", "2"), it.complete(0))  # noqa: E731
    driven, _ = _run(orchestrator, steps, TrapKind.EARLY_EVENT)

    assert _last(driven).output == "[2,2]"


@pytest.mark.conforms("R3.5-5", "R6-7")
def test_events_that_nobody_has_waited_for_are_lost_by_continuing_as_new() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        if context.get_input() is None:
            context.continue_as_new(1)
            return None
        return (yield context.wait_for_external_event("go"))

    steps = lambda it: (it.start(), it.raise_event("go"), it.complete(0))  # noqa: E731
    driven, _ = _run(orchestrator, steps, TrapKind.LOST_EVENT)

    assert event_names(driven.history) == "OS ES OC TS OC"


@pytest.mark.conforms("R3.1-3", "R6-8")
@pytest.mark.parametrize("call", ["activity", "child", "entity", "signal"])
def test_an_unknown_function_is_named(call: str) -> None:
    def orchestrator(context: Any) -> Any:
        entity = df.EntityId("Nope", "k")
        match call:
            case "activity":
                yield context.call_activity("Nope")
            case "child":
                yield context.call_sub_orchestrator("Nope")
            case "entity":
                yield context.call_entity(entity, "get")
            case _:
                context.signal_entity(entity, "get")
                yield context.wait_for_external_event("go")

    driven, trap = _run(orchestrator, lambda it: it.start(), TrapKind.UNKNOWN_FUNCTION)

    assert "doesn't exist, is disabled, or is not a" in trap.sentence
    assert trap.action == 0
    expected = (FAILED, "OS ES EC OC") if call == "signal" else (RUNNING, "OS ES OC")
    assert (_last(driven).runtime_status, event_names(driven.history)) == expected


@pytest.mark.conforms("R6-8")
@pytest.mark.parametrize("child_id", ["instance", "INSTANCE", "@x"])
def test_a_child_cannot_have_its_parents_id(child_id: str) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_sub_orchestrator("Child", instance_id=child_id)

    driven, _ = _run(orchestrator, lambda it: it.start(), TrapKind.CHILD_ID)

    assert (_last(driven).runtime_status, event_names(driven.history)) == (RUNNING, "OS ES OC")


@pytest.mark.conforms("R6-9")
def test_yielding_none_waits_for_ever() -> None:
    def orchestrator(_context: Any) -> Any:
        yield None

    driven, _ = _run(orchestrator, lambda it: it.start(), TrapKind.NOTHING_AWAITED)

    assert (_last(driven).runtime_status, event_names(driven.history)) == (RUNNING, "OS ES OC")


@pytest.mark.conforms("R6-9")
@pytest.mark.parametrize("value", [[], 7, "text"])
def test_yielding_what_is_no_task_fails_raw(value: Any) -> None:
    def orchestrator(_context: Any) -> Any:
        yield value

    driven, _ = _run(orchestrator, lambda it: it.start(), TrapKind.YIELDED_NO_TASK)

    assert "has no attribute '_is_scheduled'" in _last(driven).output


@pytest.mark.conforms("R6-9")
def test_returning_a_task_instead_of_yielding_it_fails() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        return context.task_all([context.call_activity("Echo")])

    driven, _ = _run(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.RETURNED_TASK)

    assert "Task is not JSON serializable" in _last(driven).output


@pytest.mark.conforms("R2.2-3", "R6-10")
def test_a_plain_function_runs_once_and_its_error_escapes_raw() -> None:
    def fine(_context: Any) -> Any:
        return "done"

    def broken(context: Any) -> Any:
        context.set_custom_status("lost")
        raise ValueError("broken")

    episode = Driven(fine, mode=Mode.STRICT).start()
    driven, _ = _run(broken, lambda it: it.start(), TrapKind.RAW_FAILURE)

    assert (episode.runtime_status, episode.output) == (COMPLETED, '"done"')
    assert "One or more errors occurred. (Result: Failure\nException: ValueError: broken" in _last(driven).output
    assert _last(driven).custom_status is None


@pytest.mark.conforms("R6-10")
@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
def test_an_async_orchestrator_fails_with_its_coroutine() -> None:
    async def orchestrator(_context: Any) -> Any:
        return "never"

    driven, _ = _run(orchestrator, lambda it: it.start(), TrapKind.NOT_A_GENERATOR)  # type: ignore[arg-type]

    assert _last(driven).output == (
        "Orchestrator function 'Main' failed: Object of type coroutine is not JSON serializable"
    )


@pytest.mark.conforms("R0-4", "R3.1-2", "R6-11")
def test_errors_of_activities_are_plain_exceptions() -> None:
    def orchestrator(context: Any) -> Any:
        try:
            yield context.call_activity("Echo")
        except ValueError:
            return "never"
        except Exception as error:
            return [type(error).__name__, str(error)]

    for mode in Mode:  # what a handler does not catch cannot be seen from outside
        driven = Driven(orchestrator, mode=mode)
        driven.start()
        assert driven.fail(0, "it broke").output == '["Exception","it broke \\n the details"]'


@pytest.mark.conforms("R6-11")
def test_a_stop_iteration_becomes_a_runtime_error() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        raise StopIteration

    driven, _ = _run(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.STOP_ITERATION)

    assert _last(driven).output == "Orchestrator function 'Main' failed: generator raised StopIteration"


@pytest.mark.conforms("R6-12")
@pytest.mark.parametrize("text", ["key=name", "Password=x", "https://x?code=1", "AccountKey=", "Data Source=y"])
def test_what_looks_like_a_credential_is_cut_on_the_failing_path(text: str) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo", text)
        raise ValueError("over")

    driven, trap = _run(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.CREDENTIAL_TEXT)

    assert "credential" in trap.sentence
    assert _last(driven).output == "Orchestrator function 'Main' failed: over"


@pytest.mark.conforms("R2.2-1", "R6-13")
def test_a_line_that_begins_with_stack_hides_the_state() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("lost")
        yield context.call_activity("Echo")
        raise ValueError("over\nStack: not a stack")

    driven, _ = _run(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.STACK_IN_ERROR)

    assert _last(driven).output.startswith("Non-Deterministic workflow detected")
    assert _last(driven).custom_status is None


@pytest.mark.conforms("R6-14")
def test_a_failing_episode_rewrites_dates() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("2026-01-02T03:04:05+02:00")
        yield context.call_activity("Echo")
        raise ValueError("over")

    driven, _ = _run(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.DATES_REWRITTEN)

    assert _last(driven).custom_status == '"2026-01-02T01:04:05+00:00"'


@pytest.mark.conforms("R6-15")
def test_yielding_a_finished_task_again_and_again_ends_in_recursion() -> None:
    def orchestrator(context: Any) -> Any:
        task = context.call_activity("Echo")
        for _ in range(3_000):
            yield task

    driven, _ = _run(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.RECURSION)

    assert "maximum recursion depth exceeded" in _last(driven).output


@pytest.mark.conforms("R6-16")
def test_warnings_as_errors_break_the_sdk_on_an_early_event() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        driven, trap = _run(orchestrator, lambda it: (it.start(), it.raise_event("go")), TrapKind.RAW_FAILURE)

    assert "Potential duplicate Task completion" in trap.sentence
    assert _last(driven).runtime_status is FAILED


@pytest.mark.conforms("R2-4", "R6-17")
@pytest.mark.parametrize("output", [datetime(2026, 1, 1, tzinfo=UTC), {1, 2}, b"bytes"])
def test_an_output_that_is_not_plain_json_fails(output: Any) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        return output

    driven, _ = _run(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.OUTPUT_NOT_JSON)

    assert _last(driven).output.endswith(f"Object of type {type(output).__name__} is not JSON serializable")


@pytest.mark.conforms("R6-18")
@pytest.mark.parametrize(
    ("when", "kind"),
    [(datetime(2026, 11, 22, 12), TrapKind.NAIVE_TIME), (timedelta(seconds=5), TrapKind.TIME_SPAN)],
)
def test_a_timer_needs_a_time_with_a_zone(when: Any, kind: TrapKind) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.create_timer(when)

    driven, _ = _run(orchestrator, lambda it: it.start(), kind)

    assert _last(driven).runtime_status is FAILED


@pytest.mark.conforms("R6-18")
def test_a_timer_in_another_zone_is_shifted_by_its_offset() -> None:
    def orchestrator(context: Any) -> Any:
        zone = timezone(timedelta(hours=2))
        yield context.create_timer(context.current_utc_datetime.astimezone(zone) + timedelta(seconds=2))

    for mode in Mode:  # the SDK sends the digits without the offset: nothing is left to see
        driven = Driven(orchestrator, mode=mode)
        (timer,) = driven.start().outbox
        assert timer.fire_at - driven.history[0].timestamp == (2 * 3600 + 2) * 10_000_000  # type: ignore[union-attr]


@pytest.mark.conforms("R4-7", "R6-20")
def test_a_status_behind_is_replaying_disappears() -> None:
    def orchestrator(context: Any) -> Any:
        if not context.is_replaying:
            context.set_custom_status("first")
        yield context.call_activity("Echo")
        yield context.call_activity("Echo")

    driven, trap = _run(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.STATUS_LOST)

    assert '"first"' in trap.sentence
    assert _last(driven).custom_status is None


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
    driven, trap = _run(orchestrator, steps, TrapKind.RETRY_IN_TASK_ANY)

    assert trap.action == 0
    assert _last(driven).runtime_status is FAILED
    assert _last(driven).output.startswith("Non-Deterministic workflow detected")


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

    driven, _ = _run(orchestrator, lambda it: (it.start(), it.raise_event("go", "1")), TrapKind.EVENT_COMES_BACK)

    assert [event.name for event in driven.history if isinstance(event, EventRaised)] == ["go"]


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

    driven, _ = _run(orchestrator, steps, TrapKind.NESTED_TASK_ALL)

    assert _last(driven).runtime_status is FAILED


@pytest.mark.conforms("R3.10-4", "R6-24")
def test_a_task_that_is_listed_twice_runs_twice() -> None:
    def orchestrator(context: Any) -> Any:
        task = context.call_activity("Echo", "twice")
        yield context.task_all([task, task])
        return (yield context.call_activity("Echo", "next"))

    driven, _ = _run(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.TASK_LISTED_TWICE)

    assert scheduled(Driven(orchestrator).start()) == [(0, "Echo"), (1, "Echo")]
    assert _last(driven).runtime_status is RUNNING


def test_a_task_that_is_listed_twice_is_seen_when_both_results_come_at_once() -> None:
    def orchestrator(context: Any) -> Any:
        task = context.call_activity("Echo", "twice")
        yield context.task_all([task, task])
        return (yield context.call_activity("Echo", "next"))

    _, trap = _run(orchestrator, lambda it: (it.start(), it.complete(0, 1)), TrapKind.TASK_LISTED_TWICE)

    assert trap.action == 0


@pytest.mark.conforms("R6-25")
@pytest.mark.parametrize("kind", ["timer", "retry"])
def test_times_under_two_seconds_may_pass_at_once(kind: str) -> None:
    def orchestrator(context: Any) -> Any:
        if kind == "timer":
            yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
        else:
            yield context.call_activity_with_retry("Echo", df.RetryOptions(1_000, 2))

    driven, trap = _run(orchestrator, lambda it: it.start(), TrapKind.SHORT_TIMER)

    assert trap.action == 0
    assert len(scheduled(_last(driven))) == 1


@pytest.mark.conforms("R3.3-2", "R6-26")
def test_a_long_timer_in_task_any_holds_up_what_comes_after_it() -> None:
    def orchestrator(context: Any) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(days=10))
        yield context.task_any([timer, context.wait_for_external_event("go")])
        yield context.call_activity("Echo")

    driven, trap = _run(orchestrator, lambda it: it.start(), TrapKind.LONG_TIMER_IN_TASK_ANY)
    fired = driven.fire(0)
    won = driven.raise_event("go")

    assert trap.action == 0
    assert scheduled(fired) == [(1, "timer")]
    assert scheduled(won) == []


@pytest.mark.conforms("R3.7-6", "R6-27")
def test_entities_whose_keys_differ_in_case_are_named() -> None:
    def orchestrator(context: Any) -> Any:
        for key in ("K", "k"):
            context.signal_entity(df.EntityId("Counter", key), "add", 1)
        yield context.wait_for_external_event("go")

    entities = FunctionNames.create(FunctionKind.ENTITY, ["Counter"])
    _, trap = _run(orchestrator, lambda it: it.start(), TrapKind.ENTITY_KEY_CASE, host=host_with(entities=entities))

    assert "'@counter@K' and '@counter@k'" in trap.sentence
    assert trap.action == 1


@pytest.mark.conforms("R3.8-3", "R6-28")
def test_two_children_of_one_id_at_the_same_time_are_named() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.task_all([context.call_sub_orchestrator("Child", instance_id="one") for _ in range(2)])

    driven, _ = _run(orchestrator, lambda it: it.start(), TrapKind.SHARED_CHILD_ID)

    assert scheduled(_last(driven)) == [(0, "Child"), (1, "Child")]


@pytest.mark.conforms("R3.1-4", "R6-29")
@pytest.mark.parametrize(
    ("options", "retry"),
    [({"max_orchestration_actions": 1}, False), ({}, True)],
)
def test_the_action_limit_and_impossible_retries_never_start(options: dict[str, int], retry: bool) -> None:
    def orchestrator(context: Any) -> Any:
        if retry:
            yield context.call_activity_with_retry("Echo", df.RetryOptions(5_000, 0))
        yield context.call_activity("Echo")
        yield context.call_activity("Echo")

    def steps(driven: Driven) -> None:
        driven.start()
        if not retry:
            driven.complete(0)

    kind = TrapKind.RETRY_OPTIONS if retry else TrapKind.ACTION_LIMIT
    driven, trap = _run(orchestrator, steps, kind, host=host_with("Echo", **options))

    assert "waits for ever" in trap.sentence
    assert scheduled(_last(driven)) == []


@pytest.mark.conforms("R4-10", "R6-30")
@pytest.mark.parametrize(
    ("status", "kind"),
    [("x" * 8_702, TrapKind.STATUS_TOO_LARGE), ({1, 2}, TrapKind.STATUS_NOT_JSON)],
)
def test_a_status_that_the_platform_refuses_fails_the_orchestration(status: Any, kind: TrapKind) -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status(status)
        yield context.call_activity("Echo")

    driven, _ = _run(orchestrator, lambda it: it.start(), kind)

    assert (_last(driven).runtime_status, _last(driven).custom_status) == (FAILED, None)


@pytest.mark.conforms("R5-5", "R6-31")
def test_a_code_change_shows_as_non_determinism_and_an_error_behind_it_is_named() -> None:
    names = iter(["Echo", "Other", "Echo", "Other"])

    def changed(context: Any) -> Any:
        yield context.call_activity(next(names))

    def broken(context: Any) -> Any:
        yield context.call_activity("Echo")
        context.set_custom_status("x" * 8_702)

    steps = lambda it: (it.start(), it.complete(0))  # noqa: E731
    driven, _ = _run(changed, steps, TrapKind.NON_DETERMINISM, host=host_with("Echo", "Other"))
    masked = Driven(broken)
    masked.start()

    assert "named 'Echo', but the current orchestration replay instead" in _last(driven).output
    assert [trap.kind for trap in masked.complete(0).warnings] == [TrapKind.STATUS_TOO_LARGE, TrapKind.MASKED_ERROR]


@pytest.mark.conforms("R6-32")
def test_an_orchestrator_without_a_trap_is_the_same_in_both_modes() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("waiting")
        timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
        event = context.wait_for_external_event("go")
        if (yield context.task_any([event, timer])) is event:
            timer.cancel()
        return (yield context.task_all([context.call_activity("Echo", n) for n in range(2)]))

    driven = {mode: Driven(orchestrator, mode=mode) for mode in Mode}
    for it in driven.values():
        it.start()
        it.feed(ExecutionSuspended(timestamp=it.now, reason="hold"))
        it.raise_event("go")
        it.feed(ExecutionResumed(timestamp=it.now, reason="on"))
        it.feed(*(TaskCompleted(timestamp=it.now, task_scheduled_id=task, result="1") for task in (1, 2)))

    assert driven[Mode.STRICT].last == driven[Mode.FAITHFUL].last
    assert _last(driven[Mode.STRICT]).output == "[1,1]"
    assert driven[Mode.STRICT].history == driven[Mode.FAITHFUL].history
