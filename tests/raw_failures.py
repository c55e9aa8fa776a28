"""What each orchestrator of `tests/apps/raw_failures` runs into: the table of the SDK's failures and their cures."""

from __future__ import annotations

from tests.paths import APPS

RAW_FAILURES = APPS / "raw_failures"

KINDS = {
    "returns_object": "output not json",
    "returns_what_is_called_a_task": "output not json",
    "returns_circle": "output not json",
    "returns_tuple_keys": "output not json",
    "returns_depth": "output not json",
    "returns_task": "returned task",
    "returns_task_without_yield": "returned task",
    "returns_tasks": "returned task",
    "returns_helper": "returned task",
    "returns_coroutine": "not a generator",
    "is_async": "not a generator",
    "is_async_generator": "not a generator",
    "shows_set": "status not json",
    "shows_date_at_end": "status not json",
    "shows_circle": "status not json",
    "shows_depth": "status not json",
    "shows_tuple_keys": "status not json",
    "shows_leak": "status not json",
    "shows_set_and_raises": "status not json",
    "sends_header_objects": "argument not json",
    "names_child_by_guid": "argument not json",
    "waits_for_object": "argument not json",
    "gives_set": "argument not json",
    "gives_task": "argument not json",
    "goes_on_with_set": "argument not json",
    "signals_set": "argument not json",
    "yields_list": "yielded no task",
    "yields_number": "yielded no task",
    "yields_helper": "yielded no task",
    "yields_coroutine": "yielded no task",
    "yields_sleep": "yielded no task",
    "yields_function": "yielded no task",
    "gives_all_numbers": "no list of tasks",
    "gives_all_one_task": "no list of tasks",
    "gives_any_generator": "no list of tasks",
    "gives_all_dict": "no list of tasks",
    "lists_a_finished_task_twice": "task listed twice",
    "yields_again": "recursion",
    "yields_signal": "yielded signal",
    "lists_signal": "yielded signal",
    "yields_none": "nothing awaited",
    "waits_for_path": "event name",
    "waits_for_path_or_another": "event name",
    "timer_of_span": "time span",
    "timer_of_number": "time span",
    "timer_of_text": "time span",
    "timer_of_day": "time span",
    "timer_of_naive_time": "naive time",
    "reads_box": "result unreadable",
    "reads_box_of_many": "result unreadable",
    "takes_nothing": "wrong parameters",
    "takes_two": "wrong parameters",
    "raises_without_yield": "raw failure",
    "exits": "raw failure",
    "raises_after_going_on": "raised when done",
    "stops_iteration": "stop iteration",
}
"""By orchestrator, the trap that it meets first."""

OWN_FAILURES = ("dumps_set_itself", "recurses_itself", "compares_spans_itself")
"""Fail with texts of the SDK, and nothing is to be said about them but where."""

ONLY_IN_3 = ("raises_after_going_on",)
"""In 2.13 the failure carries the state, and is one like any other."""

HANGING = ("yields_signal", "lists_signal", "yields_none", "waits_for_path", "waits_for_path_or_another")
"""Wait for ever, as on the platform."""

_LINES = (RAW_FAILURES / "function_app.py").read_text().splitlines()


def line_of(orchestrator: str, kind: str) -> list[int]:
    """The lines that are marked with the trap, or the one where the orchestrator begins."""
    begin = next(at for at, line in enumerate(_LINES) if line.split("(")[0].endswith(f"def {orchestrator}"))
    end = next((at for at in range(begin, len(_LINES)) if not _LINES[at] and not _LINES[at + 1]), len(_LINES))
    marked = [at + 1 for at in range(begin, end) if _LINES[at].endswith(f"# here: {kind}")]
    decorator = begin  # counted from 1
    if kind == "recursion":  # how far an exception comes that Python itself raises at its limit depends on its version
        return [*marked, decorator]
    return marked or [decorator]
