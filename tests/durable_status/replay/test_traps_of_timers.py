"""Traps of timers: too short, too long, in another zone, or not cancelled in time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status.replay.events import (
    OrchestrationStatus,
)
from durable_status.replay.host_facts import FunctionKind, FunctionNames
from durable_status.replay.ticks import Ticks
from durable_status.replay.traps import Mode, TrapKind
from tests.durable_status.replay.histories import START, Driven, host_with, scheduled
from tests.durable_status.replay.trap_runs import last_episode, run_into

RUNNING, FAILED = OrchestrationStatus.RUNNING, OrchestrationStatus.FAILED

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


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

    driven, trap = run_into(orchestrator, lambda it: (it.start(), it.complete(1)), TrapKind.OPEN_TIMER)

    assert trap.action == 0
    assert (last_episode(driven).runtime_status, last_episode(driven).next_generation) == (RUNNING, None)


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
    driven, _ = run_into(orchestrator, steps, TrapKind.LATE_CANCEL, host=host_with(entities=entities))

    assert last_episode(driven).runtime_status is RUNNING
    assert driven.fire(0).runtime_status is RUNNING


@pytest.mark.conforms("R6-18")
@pytest.mark.parametrize(
    ("when", "kind"),
    [(datetime(2026, 11, 22, 12), TrapKind.NAIVE_TIME), (timedelta(seconds=5), TrapKind.TIME_SPAN)],
)
def test_a_timer_needs_a_time_with_a_zone(when: Any, kind: TrapKind) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.create_timer(when)

    driven, _ = run_into(orchestrator, lambda it: it.start(), kind)

    assert last_episode(driven).runtime_status is FAILED


@pytest.mark.conforms("R6-18")
def test_a_timer_in_another_zone_is_shifted_by_its_offset() -> None:
    def orchestrator(context: Any) -> Any:
        zone = timezone(timedelta(hours=2))
        yield context.create_timer(context.current_utc_datetime.astimezone(zone) + timedelta(seconds=2))

    for mode in Mode:  # the SDK sends the digits without the offset: nothing is left to see
        driven = Driven(orchestrator, mode=mode)
        (timer,) = driven.start().outbox
        assert timer.fire_at - driven.history[0].timestamp == (2 * 3600 + 2) * 10_000_000  # type: ignore[union-attr]


@pytest.mark.conforms("R6-25")
@pytest.mark.parametrize("kind", ["timer", "retry"])
def test_times_under_two_seconds_may_pass_at_once(kind: str) -> None:
    def orchestrator(context: Any) -> Any:
        if kind == "timer":
            yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
        else:
            yield context.call_activity_with_retry("Echo", df.RetryOptions(1_000, 2))

    driven, trap = run_into(orchestrator, lambda it: it.start(), TrapKind.SHORT_TIMER)

    assert trap.action == 0
    assert len(scheduled(last_episode(driven))) == 1


@pytest.mark.conforms("R6-25")
@pytest.mark.parametrize("hundreds_of_nanoseconds", [0, 1, 9, 10, 9_999_999])
def test_a_timer_of_two_seconds_is_none_of_them_whatever_the_clock_has_beyond_microseconds(
    hundreds_of_nanoseconds: int,
) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime)  # due now is not short either
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=2))

    now = Ticks(START + hundreds_of_nanoseconds)
    for mode in Mode:
        driven = Driven(orchestrator, mode=mode, now=now)
        assert (driven.start().warnings, driven.fire(0).warnings) == ((), ())

    def too_short(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(seconds=2, microseconds=-1))

    run_into(too_short, lambda it: it.start(), TrapKind.SHORT_TIMER, now=now)


@pytest.mark.conforms("R3.3-2", "R6-26")
def test_a_long_timer_in_task_any_holds_up_what_comes_after_it() -> None:
    def orchestrator(context: Any) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(days=10))
        yield context.task_any([timer, context.wait_for_external_event("go")])
        yield context.call_activity("Echo")

    driven, trap = run_into(orchestrator, lambda it: it.start(), TrapKind.LONG_TIMER_IN_TASK_ANY)
    fired = driven.fire(0)
    won = driven.raise_event("go")

    assert trap.action == 0
    assert scheduled(fired) == [(1, "timer")]
    assert scheduled(won) == []
