"""When an action is reached, and what holds completion: the rules of the host's own replay."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status.replay.decisions import SetTimer
from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3
from durable_status.replay.ticks import PER_SECOND, Ticks
from tests.durable_status.replay.histories import START, Driven, event_names, host_with, scheduled

RUNNING, COMPLETED, FAILED = (
    OrchestrationStatus.RUNNING,
    OrchestrationStatus.COMPLETED,
    OrchestrationStatus.FAILED,
)


def _in_seconds(context: Any, seconds: float) -> Any:
    return context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))


@pytest.mark.conforms("R0-3")
def test_an_open_timer_holds_completion_until_it_fires() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.task_any([context.call_activity("Echo"), _in_seconds(context, 60)])
        return "done"

    driven = Driven(orchestrator)
    driven.start()
    held = driven.complete(0)
    ended = driven.fire(1)

    assert (held.runtime_status, held.output) == (RUNNING, None)
    assert (ended.runtime_status, ended.output) == (COMPLETED, '"done"')


@pytest.mark.conforms("R3.3-1")
def test_a_cancelled_timer_is_set_all_the_same_but_holds_nothing() -> None:
    def orchestrator(context: Any) -> Any:
        timer = _in_seconds(context, 60)
        yield context.task_any([context.call_activity("Echo"), timer])
        timer.cancel()
        return "done"

    driven = Driven(orchestrator)
    driven.start()
    episode = driven.complete(0)

    assert scheduled(driven.last) == []  # type: ignore[arg-type]
    assert event_names(driven.history) == "OS ES TS TC OC OS TC EC OC"
    assert episode.runtime_status is COMPLETED


@pytest.mark.conforms("R3.10-1")
def test_after_the_first_failure_of_a_task_all_the_next_action_waits_for_the_siblings() -> None:
    def orchestrator(context: Any) -> Any:
        try:
            yield context.task_all([context.call_activity("Boom"), context.call_activity("Slow")])
        except Exception:
            context.set_custom_status("cleaning up")
            yield context.call_activity("CleanUp")

    driven = Driven(orchestrator, host=host_with("Boom", "Slow", "CleanUp"))
    driven.start()
    failed = driven.fail(0)
    others_done = driven.complete(1)

    assert (failed.custom_status, scheduled(failed)) == ('"cleaning up"', [])
    assert scheduled(others_done) == [(2, "CleanUp")]


@pytest.mark.conforms("R2.1-2", "R3.2-1", "R3.2-2")
def test_a_retried_call_burns_a_task_id_and_a_timer_id_per_failed_attempt() -> None:
    def orchestrator(context: Any) -> Any:
        try:
            yield context.call_activity_with_retry("Boom", df.RetryOptions(2_000, 2))
        except Exception:
            yield context.call_activity("Echo")

    driven = Driven(orchestrator, host=host_with("Boom", "Echo"))
    first = driven.start()
    first_failed = driven.fail(0)
    second = driven.fire(1)
    second_failed = driven.fail(2)
    given_up = driven.fire(3)

    assert [scheduled(episode) for episode in (first, first_failed, second, second_failed, given_up)] == [
        [(0, "Boom")],
        [(1, "timer")],
        [(2, "Boom")],
        [(3, "timer")],
        [(4, "Echo")],
    ]
    assert first_failed.outbox == (SetTimer(id=1, fire_at=Ticks(START + 3 * PER_SECOND)),)
    assert second_failed.outbox == (SetTimer(id=3, fire_at=Ticks(START + 3 * PER_SECOND)),)  # due at once


@pytest.mark.conforms("R3.3-2")
def test_a_long_timer_is_set_in_legs() -> None:
    def orchestrator(context: Any) -> Any:
        yield _in_seconds(context, 10)
        return "done"

    host = host_with(maximum_short_timer=Ticks(6 * PER_SECOND), long_timer_interval=Ticks(3 * PER_SECOND))
    driven = Driven(orchestrator, host=host)
    fire_times = [driven.start().outbox]
    for task_id in range(2):
        driven.now = Ticks(START + (task_id + 1) * 3 * PER_SECOND)
        fire_times.append(driven.fire(task_id).outbox)
    driven.now = Ticks(START + 10 * PER_SECOND)
    episode = driven.fire(2)

    seconds = [(decision.fire_at - START) / PER_SECOND for (decision,) in fire_times]  # type: ignore[union-attr]
    assert seconds == [3, 6, 10]
    assert episode.runtime_status is COMPLETED


def test_an_orchestrator_that_yields_none_hangs() -> None:
    def orchestrator(_context: Any) -> Any:
        yield None

    episode = Driven(orchestrator).start()

    assert (episode.runtime_status, episode.outbox) == (RUNNING, ())


@pytest.mark.conforms("R3.1-3")
def test_an_unknown_activity_hangs_on_2_13_and_a_warning_names_the_known_ones() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Ekko")

    episode = Driven(orchestrator, profile=PROFILE_2_13).start()

    assert (episode.runtime_status, episode.outbox) == (RUNNING, ())
    assert "The function 'Ekko' doesn't exist" in str(episode.warnings[0])
    assert "'Echo'" in str(episode.warnings[0])


@pytest.mark.conforms("XR-3")
@pytest.mark.parametrize("shape", ["alone", "any", "all", "retry"])
def test_an_unknown_activity_fails_the_orchestration_on_3_wherever_it_stands(shape: str) -> None:
    def orchestrator(context: Any) -> Any:
        call = context.call_activity("Ekko")
        tasks = {
            "alone": call,
            "any": context.task_any([call, context.wait_for_external_event("go")]),
            "all": context.task_all([context.wait_for_external_event("go"), call]),
            "retry": context.call_activity_with_retry("Ekko", df.RetryOptions(1_000, 3)),
        }
        try:
            yield tasks[shape]
        except Exception:
            return "caught"

    episode = Driven(orchestrator, profile=PROFILE_3).start()

    assert episode.runtime_status is FAILED
    assert episode.output == (
        "Orchestrator function 'Main' failed: The function 'Ekko' doesn't exist, is disabled, or is not an activity "
        "function. Additional info: The following are the known activity functions: 'Echo'."
    )


@pytest.mark.conforms("R3-2")
def test_names_are_matched_in_any_case_and_kept_as_they_were_called() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("ECHO")

    assert scheduled(Driven(orchestrator).start()) == [(0, "ECHO")]


@pytest.mark.conforms("R3.1-4")
@pytest.mark.parametrize("child_id", ["instance", "INSTANCE", "@entity"])
def test_a_child_with_a_forbidden_id_hangs_and_a_warning_says_why(child_id: str) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_sub_orchestrator("Child", None, child_id)

    episode = Driven(orchestrator).start()

    assert episode.outbox == ()
    assert child_id in str(episode.warnings[0])
