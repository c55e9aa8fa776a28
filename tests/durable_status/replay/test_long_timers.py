"""Timers of more than the longest short timer: the SDK sets them in legs, and the host waits for each in turn.

The two limits are shortened to 12 and 6 seconds, so a timer of 30 seconds has legs until 6, 12, 18 and 30 seconds.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from durable_status.replay.decisions import SetTimer
from durable_status.replay.episode import Episode
from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.ticks import PER_SECOND, Ticks
from tests.durable_status.replay.histories import START, Driven, host_with, scheduled

COMPLETED = OrchestrationStatus.COMPLETED

_HOST = host_with(maximum_short_timer=Ticks(12 * PER_SECOND), long_timer_interval=Ticks(6 * PER_SECOND))


def _long_timer(context: Any) -> Any:
    return context.create_timer(context.current_utc_datetime + timedelta(seconds=30))


def _fire(driven: Driven, task_id: int, seconds: int) -> Episode:
    driven.now = Ticks(START + seconds * PER_SECOND)
    return driven.fire(task_id)


def _due(episode: Episode) -> list[int]:
    return [(timer.fire_at - START) // PER_SECOND for timer in episode.outbox if isinstance(timer, SetTimer)]


@pytest.mark.conforms("R3.3-2")
def test_every_leg_follows_the_one_before_and_the_last_may_be_as_long_as_a_short_timer() -> None:
    def orchestrator(context: Any) -> Any:
        yield _long_timer(context)
        return "over"

    driven = Driven(orchestrator, host=_HOST)
    episodes = [driven.start(), *(_fire(driven, leg, 6 * (leg + 1)) for leg in range(3))]
    last = _fire(driven, 3, 30)

    assert [_due(episode) for episode in episodes] == [[6], [12], [18], [30]]
    assert (last.runtime_status, last.output) == (COMPLETED, '"over"')


@pytest.mark.conforms("R3.3-6")
def test_an_event_next_to_a_long_timer_counts_at_once_during_the_first_leg_only() -> None:
    def orchestrator(context: Any) -> Any:
        event = context.wait_for_external_event("go")
        yield context.task_any([event, _long_timer(context)])
        context.set_custom_status("gone on")
        yield context.call_activity("Echo")

    in_first = Driven(orchestrator, host=_HOST)
    in_first.start()
    assert scheduled(in_first.raise_event("go")) == [(1, "Echo")]

    in_second = Driven(orchestrator, host=_HOST)
    in_second.start()
    _fire(in_second, 0, 6)
    raised = in_second.raise_event("go")
    assert (raised.custom_status, scheduled(raised)) == ('"gone on"', [])
    assert scheduled(_fire(in_second, 1, 12)) == [(2, "Echo")]


@pytest.mark.conforms("R3.3-7")
def test_cancelling_a_long_timer_has_no_effect_and_its_legs_stand_before_what_comes_later() -> None:
    def orchestrator(context: Any) -> Any:
        event = context.wait_for_external_event("go")
        timer = _long_timer(context)
        yield context.task_any([event, timer])
        timer.cancel()
        for _ in range(3):
            yield context.call_activity("Echo")

    driven = Driven(orchestrator, host=_HOST)
    started = [scheduled(driven.start()), scheduled(driven.raise_event("go")), scheduled(_fire(driven, 0, 6))]
    assert started == [[(0, "timer")], [(1, "Echo")], []]
    assert _due(driven.complete(1)) == [12]
    assert scheduled(_fire(driven, 2, 12)) == [(3, "Echo")]
    assert _due(driven.complete(3)) == [18]
    assert scheduled(_fire(driven, 4, 18)) == [(5, "Echo")]
    assert _due(driven.complete(5)) == [30]
    assert _fire(driven, 6, 30).runtime_status is COMPLETED
