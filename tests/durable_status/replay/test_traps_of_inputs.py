"""The trap of inputs that were sent natively, which get_input() of SDK 1.x cannot read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from durable_status.replay.entity_batch import EntitySettings, run_entity_batch
from durable_status.replay.entity_messages import EntityId, RequestMessage
from durable_status.replay.events import EventRaised, OrchestrationStatus
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from durable_status.replay.ticks import Ticks
from durable_status.replay.traps import Mode, TrapKind
from tests.durable_status.replay.histories import START, Driven
from tests.durable_status.replay.trap_runs import last_episode, run_into

_CURE = "Start it with a client or durable-status start-new; over HTTP send that text, or an object. (native input)"


def _with_yield(context: Any) -> Any:
    yield context.call_activity("Echo", context.get_input())


def _without_yield(context: Any) -> Any:
    return context.get_input()


@pytest.mark.conforms("R6-33")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3])
@pytest.mark.parametrize("user_code", [_with_yield, _without_yield])
@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (
            "[1,2]",
            "not list. Its input was sent as a list, and get_input() takes JSON text in a JSON text, as the SDK's "
            'client sends it: "[1, 2]".',
        ),
        ("5", "not int. Its input was sent as a number, and get_input() takes"),
        ("1.5", "not float. Its input was sent as a number, and get_input() takes"),
        ("true", "not bool. Its input was sent as a truth value, and get_input() takes"),
        ('"Oslo"', "(char 0). Its input was sent as a text that is no JSON, and get_input() takes"),
    ],
)
def test_an_input_that_was_sent_natively_fails_and_the_cause_is_named(
    sent: str, said: str, user_code: Any, profile: Profile
) -> None:
    driven, trap = run_into(user_code, lambda it: it.start(), TrapKind.NATIVE_INPUT, input=sent, profile=profile)

    episode = last_episode(driven)
    assert episode.runtime_status is OrchestrationStatus.FAILED
    assert [warning.kind for warning in episode.warnings] == [TrapKind.NATIVE_INPUT]
    assert said in trap.sentence
    assert str(trap).endswith(_CURE)


@pytest.mark.conforms("R6-33")
@pytest.mark.parametrize("sent", [None, '{"a":1}', '"[1,2]"', '"5"', '"null"'])
def test_other_inputs_are_none_of_it(sent: str | None) -> None:
    for mode in Mode:
        assert Driven(_with_yield, input=sent, mode=mode).start().warnings == ()


@pytest.mark.conforms("R6-33")
def test_an_error_of_the_same_words_that_user_code_raises_is_none_of_it() -> None:
    def reads_something_else(context: Any) -> Any:
        yield context.call_activity("Echo", 1)
        json.loads([])  # type: ignore[arg-type]

    driven = Driven(reads_something_else, input='"[1]"', mode=Mode.STRICT)
    driven.start()

    assert driven.complete(0).runtime_status is OrchestrationStatus.FAILED


@pytest.mark.conforms("R6-33")
@pytest.mark.parametrize(
    ("sent", "error", "said"),
    [
        ("5", "the JSON object must be str, bytes or bytearray, not int", "Its input was sent as a number"),
        ('{"a":1}', "the JSON object must be str, bytes or bytearray, not dict", "Its input was sent as an object"),
        (None, "the JSON object must be str, bytes or bytearray, not NoneType", "It was sent without an input"),
        ('"5"', "too late", None),
    ],
)
def test_an_operation_that_was_sent_natively_says_so(sent: str | None, error: str, said: str | None) -> None:
    request = RequestMessage(operation="add", is_signal=True, input=sent, id="i")
    answer = {"entityExists": True, "entityState": "1", "results": [{"isError": True, "result": json.dumps(error)}]}

    batch = run_entity_batch(
        EntityId("counter", "k"),
        None,
        [EventRaised(timestamp=START, name=request.event_name, input=request.text)],
        function=lambda _: json.dumps(answer),
        now=Ticks(START),
        settings=EntitySettings(),
    )

    assert [(name, said is not None and said in sentence) for name, sentence in batch.input_traps] == (
        [] if said is None else [("add", True)]
    )
