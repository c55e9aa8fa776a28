"""Progress from below the orchestrator: from fan-outs, from sub-orchestrations, and from inside an activity.

An orchestrator runs only when something it waits for has happened, so it can report no more often than that. Both
generators here are used with ``yield from``, and both are bounded, because what they cost is replay:

- `wait_all` adds no episode: the platform runs one for every batch of completions anyway. In each, it looks at every
  task a bounded number of times, so a replay stays linear in the number of tasks, and it reports at most ``updates``
  times. Sub-orchestrations are tasks like any other, and each has a custom status of its own besides.
- `wait_with_reports` adds one episode, and at most one more per report. Each replays everything before it: ``limit``
  reports in an orchestration of n steps cost about ``limit * n`` steps. Keep ``limit`` small and report by time, not
  by item.

They wait for plain calls of activities and sub-orchestrations only. A call with retries (or a compound task) among
them would make the host hand out other ids than the SDK in later replays (replay.md §6, traps 3, 21 and 23): put it
into a sub-orchestration, and wait for that.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from typing import Any, Protocol

_LOOKED_AT = 16  # tasks that one wait holds: it keeps a replay linear


class Task(Protocol):
    """What is needed of a task of the SDK."""

    @property
    def is_completed(self) -> bool:
        """Whether it has ended, well or not."""

    @property
    def result(self) -> Any:
        """What it returned, or the exception with which it failed."""


class Waiting(Protocol):
    """What is needed of an orchestration context."""

    def task_any(self, activities: list[Any]) -> Any:
        """A task that ends with the first of these."""

    def wait_for_external_event(self, name: str) -> Any:
        """A task that ends with the event."""

    @property
    def current_utc_datetime(self) -> datetime:
        """The time of the episode."""

    def create_timer(self, fire_at: datetime) -> Any:
        """A task that ends at that time."""


def wait_all(
    context: Waiting, tasks: Sequence[Any], on_progress: Callable[[int, int], None], *, updates: int = 20
) -> Generator[Any, Any, list[Any]]:
    """Wait for all `tasks` and tell how many are done: ``results = yield from wait_all(context, tasks, report)``.

    Args:
        context: the orchestration context.
        tasks: calls of activities or sub-orchestrations, not yet yielded.
        on_progress: called with the number done and the number of all; sets the custom status, as a rule.
        updates: how often it is called at most, besides the last time when all are done.

    Returns:
        The results, in the order of `tasks`.

    Raises:
        ValueError: one of `tasks` is no plain call.
        Exception: what the first of `tasks` that failed raised. All have ended by then, so what the orchestrator does
            next starts at once.
    """
    _refuse_compound(tasks)
    pending, step, reported = list(tasks), max(1, len(tasks) // max(1, updates)), 0
    looked_at = pending  # the first wait holds all of them: that is what schedules them
    while pending:
        yield context.task_any(looked_at)
        pending = [task for task in pending if not task.is_completed]
        done = len(tasks) - len(pending)
        if done - reported >= step or not pending:
            reported = done
            on_progress(done, len(tasks))
        looked_at = pending[:_LOOKED_AT]
    return [_result(task) for task in tasks]


def wait_with_reports(
    context: Waiting, task: Any, event_name: str, on_report: Callable[[Any], None], *, limit: int = 20
) -> Generator[Any, Any, Any]:
    """Wait for `task` and hand on what it reports: ``result = yield from wait_with_reports(context, task, ...)``.

    Whoever does the work raises the events that `report_event` names, from number 0 on, as
    `durable_status.client.reporter.Reporter` does. Each is handed on once and in order; what comes after `limit`
    reports, or after the end of `task`, is not seen. Give every task an event name of its own. It ends with a timer
    that is due at once, so it may be followed by ``continue_as_new``.

    Args:
        context: the orchestration context.
        task: a call of an activity or sub-orchestration, not yet yielded.
        event_name: what the events are called.
        on_report: called with each report; sets the custom status, as a rule.
        limit: how many reports are looked for.

    Returns:
        The result of `task`.

    Raises:
        ValueError: `task` is no plain call.
        Exception: what `task` raised.
    """
    _refuse_compound([task])
    # All of them in the first wait: the host does not see an old task in a new wait (replay.md §6, trap 4).
    reports = [context.wait_for_external_event(report_event(event_name, number)) for number in range(limit)]
    while not task.is_completed:
        # Without those that came before their turn: a wait that is over at once would be waited for for ever.
        yield context.task_any([task, *(report for report in reports if not report.is_completed)])
        while reports and reports[0].is_completed:
            on_report(reports.pop(0).result)
    # After the first report the host waits for none of these any more. With nothing else to wait for it would come to
    # a continue_as_new there, and carry all later reports over to the next generation (replay.md §6, traps 4 and 22).
    yield context.create_timer(context.current_utc_datetime)
    return _result(task)


def report_event(event_name: str, number: int) -> str:
    """The name of the event that carries report `number`, counted from 0."""
    return f"{event_name}.{number}"


def _refuse_compound(tasks: Sequence[Any]) -> None:
    for task in tasks:
        if getattr(task, "children", None) is not None:
            raise ValueError(
                f"A {type(task).__name__} cannot be waited for with progress: the host would number what follows "
                "differently from the SDK. Put the call with retries into a sub-orchestration and wait for that."
            )


def _result(task: Any) -> Any:
    result = task.result
    if isinstance(result, Exception):
        raise result
    return result
