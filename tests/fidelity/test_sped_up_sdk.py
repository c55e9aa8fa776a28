"""What the host replaces in the SDK changes no answer: another process asks the SDK as it comes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from durable_status.app.sdk import speed_up_sdk
from durable_status.local_host.sdk import keep_read_events
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionCompleted,
    ExecutionStarted,
    OrchestrationInstance,
    OrchestratorCompleted,
    OrchestratorStarted,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerFired,
)
from durable_status.replay.profile import PROFILE_2_13
from durable_status.replay.ticks import Ticks, parse_ticks
from durable_status.replay.trigger import trigger_text
from tests.fidelity.programs import programs
from tests.fidelity.stock_sdk import HANDLES, INPUTS, answer
from tests.fidelity.world import HOST, World
from tests.paths import ROOT

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
speed_up_sdk()
keep_read_events()

Stock = Callable[[str, str], str]
_ARRIVES = (ExecutionStarted, TaskCompleted, TaskFailed, TimerFired, EventRaised)
_NOW = parse_ticks("2026-11-22T11:30:00.1234567Z")


@pytest.fixture(scope="module")
def stock() -> Iterator[Stock]:
    """Answers a trigger, given the orchestrator's name, with the SDK as it was installed."""
    command = [sys.executable, "-W", "ignore", "-c", "from tests.fidelity.stock_sdk import main; main()"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        questions, answers = process.stdin, process.stdout
        assert questions is not None
        assert answers is not None

        def ask(name: str, trigger: str) -> str:
            print(json.dumps([name, trigger]), file=questions, flush=True)
            return str(json.loads(answers.readline()))

        yield ask
        questions.close()


def _triggers(history: Sequence[Event]) -> Iterator[str]:
    """The triggers of all episodes of a history, one after the other, as the host sent them."""
    started = next(event for event in history if isinstance(event, ExecutionStarted))
    begins = [index for index, event in enumerate(history) if isinstance(event, OrchestratorStarted)]
    for begin, end in zip(begins, [*begins[1:], len(history)], strict=True):
        arrived = [replace(event, is_played=False, text=None) for event in history[begin:end] if _arrived(event)]
        events = (*history[:begin], history[begin], *arrived)
        yield trigger_text(events, started, is_replaying=begin > 0, host=HOST, profile=PROFILE_2_13)


def _arrived(event: Event) -> bool:
    return isinstance(event, _ARRIVES) and not isinstance(event, ExecutionCompleted)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(programs(), st.lists(st.integers(0, 11), max_size=40))
def test_every_trigger_of_a_random_program_gets_the_answer_of_the_sdk_as_it_comes(
    stock: Stock, given_program: dict[str, object], choices: list[int]
) -> None:
    world = World(given_program, [("event", "go"), ("event", "stop")])
    world.run(choices)
    triggers = [
        trigger
        for instance_id, history in world.histories.items()
        if not instance_id.startswith("@")
        for trigger in _triggers(history)
    ]

    assert [answer(HANDLES["Program"], trigger) for trigger in triggers] == [
        stock("Program", trigger) for trigger in triggers
    ]


def _history(results: Sequence[str | None]) -> list[Event]:
    instance = OrchestrationInstance(instance_id="one", execution_id="1")
    events: list[Event] = [
        OrchestratorStarted(timestamp=_NOW),
        ExecutionStarted(
            timestamp=_NOW, orchestration_instance=instance, name="Everything", input='"{}"', is_played=True
        ),
    ]
    for number, result in enumerate(results):
        now = Ticks(_NOW + (number + 1) * 12_345_678)
        events += [
            TaskScheduled(timestamp=now, event_id=number, name="Echo"),
            OrchestratorCompleted(timestamp=now),
            OrchestratorStarted(timestamp=now),
            TaskCompleted(timestamp=now, task_scheduled_id=number, result=result, is_played=True),
        ]
    return events


_MONEY = '{"__class__":"Money","__module__":"tests.fidelity.stock_sdk","__data__":5}'
_RESULTS = ["1", "-0", "1E+30", '"x"', '" {"', "[1,2]", '{"a":{}}', "true", None, "null", _MONEY, f"[{_MONEY}]"]
_RESULTS += ["1 2", ""]


@pytest.mark.parametrize("first", range(len(_RESULTS)))
def test_every_kind_of_value_gets_the_answer_of_the_sdk_as_it_comes(stock: Stock, first: int) -> None:
    results = [*_RESULTS[first:], *_RESULTS[:first]][: len(INPUTS)]

    for trigger in _triggers(_history(results)):
        assert answer(HANDLES["Everything"], trigger) == stock("Everything", trigger)


def test_a_history_that_was_rewritten_is_read_again(stock: Stock) -> None:
    for results in (["1", "2", "3"], ["1", "5", "3"], ["1", "2", "3"]):
        for trigger in _triggers(_history(results)):
            assert answer(HANDLES["Everything"], trigger) == stock("Everything", trigger)


@pytest.mark.parametrize(
    "change",
    [
        lambda trigger: json.dumps(json.loads(trigger)),
        lambda trigger: json.dumps(dict(reversed(json.loads(trigger).items()))),
        lambda trigger: trigger[:-1],
        lambda trigger: trigger.replace('"Timestamp"', '"Time"'),
        lambda trigger: trigger.replace("[", "[,", 1),
        lambda trigger: trigger[:12],
        lambda trigger: trigger[:12] + "]}",
    ],
)
def test_a_trigger_that_is_written_otherwise_is_the_sdks_own_affair(stock: Stock, change: Callable[[str], str]) -> None:
    *_, trigger = _triggers(_history(["1", "2"]))

    assert answer(HANDLES["Everything"], change(trigger)) == stock("Everything", change(trigger))
