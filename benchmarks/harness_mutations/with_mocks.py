"""The five orchestrations tested the documented way: a mocked context and the SDK's generator wrapper.

What an activity returns is what the mock says; statuses are the calls of `set_custom_status`. Such tests check calls
and arguments as their authors usually do.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any
from unittest.mock import Mock, call

from azure.durable_functions.testing import orchestrator_generator_wrapper

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class _Result:
    """Stands for a task that has a result."""

    def __init__(self, result: Any = None) -> None:
        self.result = result
        self.cancel = Mock()


def _context(input_value: Any) -> Mock:
    context = Mock()
    context.get_input.return_value = input_value
    context.current_utc_datetime = NOW
    context.is_replaying = False
    return context


def _play(function: Any, context: Mock) -> list[Any]:
    code = function.build().get_user_function().orchestrator_function
    return list(orchestrator_generator_wrapper(code(context)))


def _statuses(context: Mock) -> list[Any]:
    return [made.args[0] for made in context.set_custom_status.call_args_list]


def test_reserve(app: ModuleType) -> None:
    """Confirmed and too late, by what task_any returns."""
    for winner_is_event in (True, False):
        context = _context("ann")
        context.call_activity.return_value = _Result(30)
        event, timer = _Result(True), _Result()
        context.wait_for_external_event.return_value, context.create_timer.return_value = event, timer
        context.task_any.return_value = _Result(event if winner_is_event else timer)
        values = _play(app.Reserve, context)
        assert values[-1] is winner_is_event
        assert context.call_activity.call_args_list == [call("Price", "ann")]
        assert context.create_timer.call_args_list == [call(NOW + timedelta(seconds=60))]
        context.wait_for_external_event.assert_called_once_with("Confirmed")
        assert timer.cancel.called is winner_is_event
        last = {"stage": "confirmed" if winner_is_event else "too late"}
        assert _statuses(context) == [{"stage": "pricing"}, {"stage": "offer", "price": 30}, last]


def test_convert(app: ModuleType) -> None:
    """One after the other, as the mock hands them out."""
    context = _context(["a", "b"])
    context.call_activity.side_effect = lambda _name, file: _Result(file.upper())
    context.task_any.side_effect = lambda tasks: _Result(tasks[0])
    values = _play(app.Convert, context)
    assert values[-1] == ["A", "B"]
    assert _statuses(context) == [{"done": 1, "of": 2}, {"done": 2, "of": 2}]


def test_pay(app: ModuleType) -> None:
    """Paid; the wrapper sends exceptions instead of raising them, so the failure is raised by the mock itself."""
    context = _context("o1")
    context.call_activity.return_value = _Result()
    context.call_activity_with_retry.return_value = _Result("r")
    assert _play(app.Pay, context)[-1] == "r"
    assert context.call_activity.call_args_list == [call("Hold", "o1")]
    failing = _context("o1")
    failing.call_activity.return_value = _Result()
    failing.call_activity_with_retry.side_effect = Exception("no")
    assert _play(app.Pay, failing)[-1] == "released"
    assert failing.call_activity.call_args_list == [call("Hold", "o1"), call("Release", "o1")]


def test_watch(app: ModuleType) -> None:
    """An alarm, the last round, and one round more."""
    for level, number, output in ((91, 0, "alarm"), (50, 3, "quiet"), (50, 1, None)):
        context = _context({"sensor": "s", "round": number})
        context.call_activity.return_value = _Result(level)
        context.create_timer.return_value = _Result()
        assert _play(app.Watch, context)[-1] == output
        assert _statuses(context) == [{"level": level, "round": number}]
        if output is None:
            context.continue_as_new.assert_called_once_with({"sensor": "s", "round": 2})
            context.create_timer.assert_called_once_with(NOW + timedelta(minutes=5))


def test_approve(app: ModuleType) -> None:
    """Both approvals and both copies."""
    context = _context("d")
    context.wait_for_external_event.side_effect = [_Result("ann"), _Result("bob")]
    context.task_all.return_value = _Result(["d 1", "d 2"])
    values = _play(app.Approve, context)
    assert values[-1] == {"approved by": ["ann", "bob"], "copies": ["d 1", "d 2"]}
    assert context.wait_for_external_event.call_args_list == [call("First"), call("Second")]
    assert context.call_sub_orchestrator.call_args_list == [
        call("Print", {"document": "d", "copy": 1}),
        call("Print", {"document": "d", "copy": 2}),
    ]
    assert _statuses(context) == [{"approved by": ["ann"]}, {"approved by": ["ann", "bob"]}]


TESTS: tuple[Callable[[ModuleType], None], ...] = (test_reserve, test_convert, test_pay, test_watch, test_approve)
