"""Rewind: history to history."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionCompleted,
    ExecutionStarted,
    GenericEvent,
    OrchestrationInstance,
    OrchestrationStatus,
    OrchestratorCompleted,
    OrchestratorStarted,
    SubOrchestrationInstanceCreated,
    SubOrchestrationInstanceFailed,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
)
from durable_status.replay.rewind import rewind
from durable_status.replay.ticks import Ticks

_NOW = Ticks(1)
_START = [
    OrchestratorStarted(timestamp=_NOW),
    ExecutionStarted(timestamp=_NOW, name="F", orchestration_instance=OrchestrationInstance(instance_id="i")),
]


def _scheduled(task_id: int) -> TaskScheduled:
    return TaskScheduled(event_id=task_id, timestamp=_NOW, name="A")


def _failed(task_id: int) -> TaskFailed:
    return TaskFailed(timestamp=_NOW, task_scheduled_id=task_id, reason="no")


def _ended(status: OrchestrationStatus, event_id: int = 9) -> ExecutionCompleted:
    return ExecutionCompleted(event_id=event_id, timestamp=_NOW, orchestration_status=status)


def _kinds(history: tuple[Event, ...]) -> list[str]:
    return [type(event).__name__ for event in history]


@pytest.mark.conforms("R3.9-20")
def test_a_failed_activity_its_schedule_and_the_failed_end_lose_their_effect_in_their_places() -> None:
    history = [
        *_START,
        _scheduled(0),
        _scheduled(1),
        OrchestratorCompleted(timestamp=_NOW),
        TaskCompleted(timestamp=_NOW, task_scheduled_id=0),
        _failed(1),
        _ended(OrchestrationStatus.FAILED),
    ]

    rewound = rewind(history)

    assert _kinds(rewound.history) == [
        "OrchestratorStarted",
        "ExecutionStarted",
        "TaskScheduled",
        "GenericEvent",
        "OrchestratorCompleted",
        "TaskCompleted",
        "GenericEvent",
        "GenericEvent",
    ]
    assert rewound.history[-1].event_id == 9
    assert rewound.children == ()


@pytest.mark.conforms("R3.9-21")
def test_a_failed_child_is_to_be_rewound_and_its_creation_stays() -> None:
    created = SubOrchestrationInstanceCreated(event_id=0, timestamp=_NOW, name="C", instance_id="child")
    other = SubOrchestrationInstanceCreated(event_id=1, timestamp=_NOW, name="C", instance_id="other")
    failed = SubOrchestrationInstanceFailed(timestamp=_NOW, task_scheduled_id=0)

    rewound = rewind([*_START, created, other, failed])

    assert rewound.history[2:] == (created, other, GenericEvent(timestamp=_NOW))
    assert rewound.children == ("child",)


@pytest.mark.conforms("R3.9-22")
def test_timers_of_a_retry_stay_and_failures_that_were_caught_go() -> None:
    timer = TimerCreated(event_id=1, timestamp=_NOW, fire_at=_NOW)
    fired = TimerFired(timestamp=_NOW, timer_id=1, fire_at=_NOW)
    history = [*_START, _scheduled(0), _failed(0), timer, fired, _scheduled(2), _failed(2)]

    rewound = rewind(history)

    assert _kinds(rewound.history[2:]) == [
        "GenericEvent",
        "GenericEvent",
        "TimerCreated",
        "TimerFired",
        "GenericEvent",
        "GenericEvent",
    ]


@pytest.mark.conforms("R3.9-23")
def test_the_end_of_a_terminated_instance_stays() -> None:
    end = _ended(OrchestrationStatus.TERMINATED)

    assert rewind([*_START, end]).history[-1] == end


_EVENTS = st.lists(
    st.one_of(
        st.builds(_scheduled, st.integers(0, 4)),
        st.builds(_failed, st.integers(0, 4)),
        st.builds(lambda name: EventRaised(timestamp=_NOW, name=name), st.text(max_size=3)),
        st.builds(_ended, st.sampled_from(OrchestrationStatus)),
    )
)


@given(_EVENTS)
def test_rewinding_keeps_the_length_and_twice_is_once(history: list[Event]) -> None:
    once = rewind(history)

    assert len(once.history) == len(history)
    assert rewind(once.history) == once
