"""The core, and the format of a task hub, have no clock, no randomness and no I/O.

Equal arguments give equal answers.
"""

from __future__ import annotations

import ast
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durable_status.replay.event_json import event_text
from durable_status.replay.events import Event
from tests.durable_status.replay.histories import Driven, host_with
from tests.paths import ROOT

_LIBRARY = ROOT / "durable_status"
_MODULES = [*sorted((_LIBRARY / "replay").glob("*.py")), *sorted((_LIBRARY / "task_hub").glob("*.py"))]
_IMPURE_NAMES = {"now", "utcnow", "today", "uuid1", "uuid4", "open", "print", "input", "getenv", "sleep"}


@pytest.mark.conforms("R0-5")
@pytest.mark.parametrize("path", _MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_module_of_the_core_calls_anything_impure(path: Any) -> None:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}

    assert names & _IMPURE_NAMES == set()


def _program(context: Any) -> Any:
    """Does what its input says: a list of steps, some of them in parallel."""
    done = []
    for step in context.get_input():
        context.set_custom_status({"done": len(done), "step": step})
        match step:
            case "activity":
                done.append((yield context.call_activity("Echo", len(done))))
            case "retried":
                try:
                    done.append((yield context.call_activity_with_retry("Echo", df.RetryOptions(1_000, 2))))
                except Exception:
                    done.append("given up")
            case "timer":
                yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
            case "event":
                done.append((yield context.wait_for_external_event("go")))
            case "all":
                done.append((yield context.task_all([context.call_activity("Echo", n) for n in range(2)])))
            case "any":
                timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=5))
                winner = yield context.task_any([context.wait_for_external_event("go"), timer])
                if winner is not timer:
                    timer.cancel()
    return done


_PROGRAMS = st.lists(st.sampled_from(["activity", "retried", "timer", "event", "all", "any"]), max_size=5)
_MOVES = st.lists(st.tuples(st.sampled_from(["complete", "fail", "fire", "event"]), st.integers(0, 6)), max_size=12)


def _run(program: list[str], moves: list[tuple[str, int]]) -> Driven:
    import json

    driven = Driven(_program, host=host_with("Echo"), input=json.dumps(json.dumps(program)))
    episode = driven.start()
    for kind, number in moves:
        if episode.runtime_status.has_ended:
            break
        match kind:
            case "complete":
                episode = driven.complete(number, result="1")
            case "fail":
                episode = driven.fail(number)
            case "fire":
                episode = driven.fire(number)
            case _:
                episode = driven.raise_event("go", "2")
    return driven


def _texts(history: tuple[Event, ...]) -> list[str]:
    return [event_text(event) for event in history]


@pytest.mark.conforms("R0-5")
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=60, deadline=None)
@given(_PROGRAMS, _MOVES)
def test_two_runs_with_equal_arguments_are_equal_to_the_byte(program: list[str], moves: list[tuple[str, int]]) -> None:
    one, other = _run(program, moves), _run(program, moves)

    assert _texts(one.history) == _texts(other.history)
    assert one.last == other.last


@pytest.mark.conforms("R0-5", "R3.11-1")
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=60, deadline=None)
@given(_PROGRAMS, _MOVES)
def test_a_history_replays_to_itself(program: list[str], moves: list[tuple[str, int]]) -> None:
    driven = _run(program, moves)
    before = driven.last
    assert before is not None
    if before.runtime_status.has_ended:
        return

    again = driven.raise_event("an event that nobody waits for")

    assert again.outbox == ()
    assert again.custom_status == before.custom_status
    assert again.runtime_status is before.runtime_status
