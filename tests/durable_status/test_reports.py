"""Waiting with progress, by hand: what is waited for, what is told, in which order."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import pytest

from durable_status import wait_all, wait_with_reports
from durable_status.reports import report_event


class Task:
    """A task that the test ends."""

    def __init__(self) -> None:
        self.is_completed = False
        self.result: Any = None

    def end(self, result: Any) -> None:
        """End it, well or with an exception."""
        self.is_completed, self.result = True, result


class Context:
    """Hands out what is waited for."""

    def __init__(self) -> None:
        self.events: dict[str, Task] = {}

    def task_any(self, tasks: list[Task]) -> list[Task]:
        """The tasks themselves."""
        assert not any(task.is_completed for task in tasks), "it would be over at once, again and again"
        return list(tasks)

    def wait_for_external_event(self, name: str) -> Task:
        """A task that the test ends."""
        return self.events.setdefault(name, Task())

    current_utc_datetime = datetime(2026, 1, 2, tzinfo=UTC)

    def create_timer(self, fire_at: datetime) -> str:
        """Says what it is."""
        assert fire_at == self.current_utc_datetime
        return "timer"


def _end_of(waiting: Generator[Any, Any, Any]) -> Any:
    with pytest.raises(StopIteration) as end:
        waiting.send(None)
    return end.value.value


def test_the_first_wait_holds_every_task_so_that_all_are_scheduled() -> None:
    tasks = [Task() for _ in range(100)]

    assert next(wait_all(Context(), tasks, lambda _done, _total: None)) == tasks


def test_later_waits_hold_a_few_so_that_a_replay_stays_linear() -> None:
    tasks = [Task() for _ in range(100)]
    waiting = wait_all(Context(), tasks, lambda _done, _total: None)
    next(waiting)
    tasks[50].end(1)

    later = waiting.send(None)
    assert len(later) <= 16
    assert set(later) <= set(tasks)


def test_progress_is_told_so_often_and_at_the_end() -> None:
    tasks, told = [Task() for _ in range(10)], []
    waiting = wait_all(Context(), tasks, lambda done, total: told.append((done, total)), updates=3)
    next(waiting)
    for number, task in enumerate(tasks[:-1]):
        task.end(number)
        waiting.send(None)
    tasks[-1].end(9)

    assert _end_of(waiting) == list(range(10))
    assert told == [(3, 10), (6, 10), (9, 10), (10, 10)]


def test_without_tasks_there_is_nothing_to_wait_for_or_to_tell() -> None:
    assert _end_of(wait_all(Context(), [], lambda _done, _total: pytest.fail("told"))) == []


def test_a_failure_is_raised_when_all_have_ended() -> None:
    tasks = [Task(), Task()]
    waiting = wait_all(Context(), tasks, lambda _done, _total: None)
    next(waiting)
    tasks[0].end(ValueError("first"))
    assert waiting.send(None) == [tasks[1]]
    tasks[1].end(ValueError("second"))

    with pytest.raises(ValueError, match="first"):
        waiting.send(None)


def test_reports_are_handed_on_in_order_however_they_come() -> None:
    context, task = Context(), Task()
    told: list[str] = []
    waiting = wait_with_reports(context, task, "Packed", told.append, limit=3)
    first = next(waiting)
    assert len(first) == 4
    context.events[report_event("Packed", 1)].end("b")
    waiting.send(None)
    assert told == []
    context.events[report_event("Packed", 0)].end("a")
    assert waiting.send(None) == [task, context.events[report_event("Packed", 2)]]
    assert told == ["a", "b"]
    task.end("done")
    assert waiting.send(None) == "timer"

    assert _end_of(waiting) == "done"


def test_what_fails_while_it_reports_fails_with_its_own_error() -> None:
    task = Task()
    waiting = wait_with_reports(Context(), task, "Packed", lambda _report: None)
    next(waiting)
    task.end(ValueError("no more boxes"))
    assert waiting.send(None) == "timer"

    with pytest.raises(ValueError, match="no more boxes"):
        waiting.send(None)
