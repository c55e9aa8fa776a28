"""Traps of ends: errors, outputs and custom statuses that do not arrive as they were meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from durable_status.replay.events import (
    ExecutionResumed,
    ExecutionSuspended,
    OrchestrationStatus,
    TaskCompleted,
)
from durable_status.replay.traps import Mode, TrapKind
from tests.durable_status.replay.histories import Driven, host_with
from tests.durable_status.replay.trap_runs import last_episode, run_into

COMPLETED, FAILED = OrchestrationStatus.COMPLETED, OrchestrationStatus.FAILED

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.conforms("R2.2-3", "R6-10")
def test_a_plain_function_runs_once_and_its_error_escapes_raw() -> None:
    def fine(_context: Any) -> Any:
        return "done"

    def broken(context: Any) -> Any:
        context.set_custom_status("lost")
        raise ValueError("broken")

    episode = Driven(fine, mode=Mode.STRICT).start()
    driven, _ = run_into(broken, lambda it: it.start(), TrapKind.RAW_FAILURE)

    assert (episode.runtime_status, episode.output) == (COMPLETED, '"done"')
    assert "One or more errors occurred. (Result: Failure\nException: ValueError: broken" in last_episode(driven).output
    assert last_episode(driven).custom_status is None


@pytest.mark.conforms("R6-10")
@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")
def test_an_async_orchestrator_fails_with_its_coroutine() -> None:
    async def orchestrator(_context: Any) -> Any:
        return "never"

    driven, _ = run_into(orchestrator, lambda it: it.start(), TrapKind.NOT_A_GENERATOR)  # type: ignore[arg-type]

    assert last_episode(driven).output == (
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

    driven, _ = run_into(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.STOP_ITERATION)

    assert last_episode(driven).output == "Orchestrator function 'Main' failed: generator raised StopIteration"


@pytest.mark.conforms("R6-12")
@pytest.mark.parametrize("text", ["key=name", "Password=x", "https://x?code=1", "AccountKey=", "Data Source=y"])
def test_what_looks_like_a_credential_is_cut_on_the_failing_path(text: str) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo", text)
        raise ValueError("over")

    driven, trap = run_into(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.CREDENTIAL_TEXT)

    assert "credential" in trap.sentence
    assert last_episode(driven).output == "Orchestrator function 'Main' failed: over"


@pytest.mark.conforms("R2.2-1", "R6-13")
def test_a_line_that_begins_with_stack_hides_the_state() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("lost")
        yield context.call_activity("Echo")
        raise ValueError("over\nStack: not a stack")

    driven, _ = run_into(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.STACK_IN_ERROR)

    assert last_episode(driven).output.startswith("Non-Deterministic workflow detected")
    assert last_episode(driven).custom_status is None


@pytest.mark.conforms("R6-14")
def test_a_failing_episode_rewrites_dates() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("2026-01-02T03:04:05+02:00")
        yield context.call_activity("Echo")
        raise ValueError("over")

    driven, _ = run_into(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.DATES_REWRITTEN)

    assert last_episode(driven).custom_status == '"2026-01-02T01:04:05+00:00"'


@pytest.mark.conforms("R2-4", "R6-17")
@pytest.mark.parametrize("output", [datetime(2026, 1, 1, tzinfo=UTC), {1, 2}, b"bytes"])
def test_an_output_that_is_not_plain_json_fails(output: Any) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        return output

    driven, _ = run_into(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.OUTPUT_NOT_JSON)

    assert last_episode(driven).output.endswith(f"Object of type {type(output).__name__} is not JSON serializable")


@pytest.mark.conforms("R4-7", "R6-20")
def test_a_status_behind_is_replaying_disappears() -> None:
    def orchestrator(context: Any) -> Any:
        if not context.is_replaying:
            context.set_custom_status("first")
        yield context.call_activity("Echo")
        yield context.call_activity("Echo")

    driven, trap = run_into(orchestrator, lambda it: (it.start(), it.complete(0)), TrapKind.STATUS_LOST)

    assert '"first"' in trap.sentence
    assert last_episode(driven).custom_status is None


@pytest.mark.conforms("R4-10", "R6-30")
@pytest.mark.parametrize(
    ("status", "kind"),
    [("x" * 8_702, TrapKind.STATUS_TOO_LARGE), ({1, 2}, TrapKind.STATUS_NOT_JSON)],
)
def test_a_status_that_the_platform_refuses_fails_the_orchestration(status: Any, kind: TrapKind) -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status(status)
        yield context.call_activity("Echo")

    driven, _ = run_into(orchestrator, lambda it: it.start(), kind)

    assert (last_episode(driven).runtime_status, last_episode(driven).custom_status) == (FAILED, None)


@pytest.mark.conforms("R5-5", "R6-31")
def test_a_code_change_shows_as_non_determinism_and_an_error_behind_it_is_named() -> None:
    names = iter(["Echo", "Other", "Echo", "Other"])

    def changed(context: Any) -> Any:
        yield context.call_activity(next(names))

    def broken(context: Any) -> Any:
        yield context.call_activity("Echo")
        context.set_custom_status("x" * 8_702)

    steps = lambda it: (it.start(), it.complete(0))  # noqa: E731
    driven, _ = run_into(changed, steps, TrapKind.NON_DETERMINISM, host=host_with("Echo", "Other"))
    masked = Driven(broken)
    masked.start()

    assert "named 'Echo', but the current orchestration replay instead" in last_episode(driven).output
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
    assert last_episode(driven[Mode.STRICT]).output == "[1,1]"
    assert driven[Mode.STRICT].history == driven[Mode.FAITHFUL].history
