"""Which messages count: answers once, events once, nothing before what asked for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_status.local_host.storage.azure_storage.arrivals import sort_out
from durable_status.local_host.storage.provider import InstanceRow, Message
from durable_status.replay.entity_messages import RequestMessage
from durable_status.replay.events import (
    Event,
    EventRaised,
    EventSent,
    ExecutionCompleted,
    ExecutionStarted,
    ExecutionSuspended,
    OrchestrationInstance,
    OrchestrationStatus,
    OrchestratorCompleted,
    OrchestratorStarted,
    ParentInstance,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceCreated,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
)
from durable_status.replay.ticks import Ticks

_TIME = Ticks(1)
_PARENT = ParentInstance(
    name="Parent",
    orchestration_instance=OrchestrationInstance(instance_id="p", execution_id="p1"),
    task_schedule_id=3,
    version="",
)


def _start(execution_id: str = "e1", parent: ParentInstance | None = None) -> ExecutionStarted:
    execution = OrchestrationInstance(instance_id="one", execution_id=execution_id)
    return ExecutionStarted(timestamp=_TIME, orchestration_instance=execution, name="Main", parent_instance=parent)


def _row(execution_id: str = "e1", status: OrchestrationStatus = OrchestrationStatus.RUNNING) -> InstanceRow:
    return InstanceRow(
        instance_id="one",
        execution_id=execution_id,
        name="Main",
        runtime_status=status,
        created_time=_TIME,
        last_updated_time=_TIME,
    )


def _history(*events: Event, start: ExecutionStarted | None = None) -> list[Event]:
    first = (OrchestratorStarted(timestamp=_TIME), (start or _start()).played())
    return [*first, *events, OrchestratorCompleted(timestamp=_TIME)]


def _completed(task_id: int, result: str = "1") -> TaskCompleted:
    return TaskCompleted(timestamp=_TIME, task_scheduled_id=task_id, result=result)


def _scheduled(task_id: int) -> TaskScheduled:
    return TaskScheduled(timestamp=_TIME, event_id=task_id, name="Echo")


def _sorted(
    history: list[Event], *events: Event, row: InstanceRow | None = None, execution_id: str | None = "e1"
) -> Any:
    messages = {
        number: Message(instance_id="one", execution_id=execution_id, event=event)
        for number, event in enumerate(events, start=1)
    }
    arrivals = sort_out(row or _row(), history, messages)
    return list(arrivals.counting), list(arrivals.repeated), list(arrivals.early)


_RAISED = EventRaised(timestamp=_TIME, name="go", input="1")
_CREATED = TimerCreated(timestamp=_TIME, event_id=0, fire_at=Ticks(9))
_FIRED = TimerFired(timestamp=_TIME, timer_id=0, fire_at=Ticks(9))
_CHILD = SubOrchestrationInstanceCreated(timestamp=_TIME, event_id=0, name="Child", instance_id="c")
_CHILD_DONE = SubOrchestrationInstanceCompleted(timestamp=_TIME, task_scheduled_id=0, result="1")
_ENDED = ExecutionCompleted(timestamp=_TIME, event_id=1, orchestration_status=OrchestrationStatus.COMPLETED)
_FAILED = TaskFailed(timestamp=_TIME, task_scheduled_id=0, reason="no")


@pytest.mark.parametrize(
    ("asked", "answer", "second"),
    [
        (_scheduled(0), _completed(0), _completed(0, "2")),
        (_scheduled(0), _completed(0), _FAILED),
        (_CREATED, _FIRED, replace(_FIRED, timestamp=Ticks(2))),
        (_CHILD, _CHILD_DONE, replace(_CHILD_DONE, result="2")),
    ],
)
@pytest.mark.conforms("S4.2-7")
def test_an_answer_counts_once(asked: Event, answer: Event, second: Event) -> None:
    assert _sorted(_history(asked), answer, second) == ([1], [2], [])
    assert _sorted(_history(asked, answer.played()), second) == ([], [1], [])


@pytest.mark.conforms("S4-9")
@pytest.mark.parametrize("answer", [_completed(0), _FAILED, _FIRED, _CHILD_DONE])
def test_an_answer_waits_for_what_asked_for_it(answer: Event) -> None:
    assert _sorted(_history(_scheduled(7)), answer) == ([], [], [1])


def test_an_answer_of_another_kind_with_the_same_number_is_another() -> None:
    assert _sorted(_history(_CREATED, _FIRED.played()), _completed(0)) == ([], [], [1])


@pytest.mark.parametrize("event", [_RAISED, ExecutionSuspended(timestamp=_TIME, reason="r")])
def test_the_very_same_event_counts_once_and_another_one_counts(event: Event) -> None:
    assert _sorted(_history(event.played()), event) == ([], [1], [])
    assert _sorted(_history(event.played()), replace(event, timestamp=Ticks(2))) == ([1], [], [])


def test_messages_to_another_execution_are_left_to_the_episode() -> None:
    assert _sorted(_history(), _completed(0), execution_id="e0") == ([1], [], [])


@pytest.mark.conforms("S4-9")
def test_nothing_counts_before_the_start_of_a_pending_instance() -> None:
    pending = _row(status=OrchestrationStatus.PENDING)

    assert _sorted([], _RAISED, row=pending) == ([], [], [1])
    assert _sorted([], _RAISED, _start(), row=pending) == ([1, 2], [], [])


def test_an_answer_that_overtook_the_start_waits_for_the_first_episode() -> None:
    pending = _row(status=OrchestrationStatus.PENDING)

    assert _sorted([], _start(), _completed(0), row=pending) == ([1], [], [2])


def test_a_start_without_a_row_begins_and_what_comes_with_it_waits() -> None:
    events = (_start(), _completed(0))
    messages = {at: Message(instance_id="one", execution_id="e1", event=event) for at, event in enumerate(events)}

    arrivals = sort_out(None, [], messages)

    assert (list(arrivals.counting), list(arrivals.early)) == ([0], [1])


@pytest.mark.conforms("S4-10")
def test_a_start_that_is_newer_than_the_row_waits_for_it_and_the_others_go_on() -> None:
    newer = replace(_start("e2"), timestamp=Ticks(2))
    messages = {
        1: Message(instance_id="one", execution_id="e2", event=newer),
        2: Message(instance_id="one", event=_RAISED),
    }
    ended = ExecutionCompleted(timestamp=_TIME, event_id=1, orchestration_status=OrchestrationStatus.COMPLETED)

    for history in (_history(), _history(ended)):
        arrivals = sort_out(_row(), history, messages)
        assert (list(arrivals.counting), list(arrivals.ahead)) == ([2], [1])
    assert list(sort_out(_row("e2"), _history(), messages).counting) == [1, 2]


@pytest.mark.conforms("S4.2-6")
def test_nothing_waits_for_an_instance_that_has_ended() -> None:
    ended = ExecutionCompleted(
        timestamp=_TIME, event_id=1, orchestration_status=OrchestrationStatus.COMPLETED, result="1"
    )

    assert _sorted(_history(_scheduled(0), ended), _completed(7)) == ([1], [], [])


@pytest.mark.conforms("S4.2-5")
def test_an_entitys_answer_counts_once_although_the_entity_gave_it_twice() -> None:
    request = RequestMessage(id="6a0e", operation="add", parent_instance_id="one")
    sent = EventSent(timestamp=_TIME, event_id=0, instance_id="@counter@a", name="op", input=request.text)
    answer = EventRaised(timestamp=_TIME, name="6a0e", input='{"result":"1"}')
    again = replace(answer, timestamp=Ticks(2))

    assert _sorted(_history(sent), answer, again) == ([1], [2], [])
    assert _sorted(_history(sent, answer.played()), again) == ([], [1], [])


def test_a_start_counts_once() -> None:
    assert _sorted(_history(), _start(), _RAISED) == ([2], [1], [])


@pytest.mark.conforms("S4-10")
def test_a_start_over_lets_everything_through_and_one_that_was_overtaken_does_not() -> None:
    history = _history(_scheduled(0), _completed(0).played())

    assert _sorted(history, _start("e2"), _completed(0), row=_row("e2")) == ([1, 2], [], [])
    assert _sorted(history, _start("e0"), _completed(0)) == ([], [1, 2], [])


def test_a_childs_start_that_was_sent_again_is_the_same_call() -> None:
    history = _history(start=_start("e1", _PARENT))
    other = replace(_PARENT, task_schedule_id=4)

    assert _sorted(history, _start("e2", _PARENT)) == ([], [1], [])
    assert _sorted(history, _start("e2", other)) == ([1], [], [])
    assert _sorted([*history, _ENDED], _start("e2", _PARENT), _RAISED) == ([2], [1], [])
    assert _sorted([*history, _ENDED], _start("e2", other)) == ([1], [], [])


@given(st.data())
def test_whatever_comes_again_every_answer_is_recorded_once_and_none_is_lost(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    deliveries = data.draw(
        st.permutations([task for task in range(count) for _ in range(data.draw(st.integers(1, 3)))])
    )
    history = _history(*(_scheduled(task) for task in range(count)))
    waiting = list(deliveries)
    while waiting:
        size = data.draw(st.integers(1, len(waiting)))
        batch = [_completed(task) for task in waiting[:size]]
        counting, repeated, early = _sorted(history, *batch)
        assert sorted([*counting, *repeated]) == list(range(1, size + 1))
        assert early == []
        history += [batch[number - 1].played() for number in counting]
        waiting = waiting[size:]

    answered = [event.task_scheduled_id for event in history if isinstance(event, TaskCompleted)]
    assert sorted(answered) == list(range(count))
