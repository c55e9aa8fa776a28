"""Answers that the SDK never gives, and small rules of the walk that are easiest to see from an answer."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status.replay.classic import Orchestrator
from durable_status.replay.decisions import SetTimer, StartSubOrchestration
from durable_status.replay.episode import Episode, Instance, run_episode
from durable_status.replay.events import (
    ExecutionStarted,
    OrchestrationInstance,
    OrchestrationStatus,
    ParentInstance,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceFailed,
)
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.host_facts import HostFacts
from durable_status.replay.profile import PROFILE_2_13
from durable_status.replay.ticks import PER_DAY, PER_SECOND, Ticks, format_ticks
from tests.durable_status.replay.histories import START, Driven, host_with, scheduled

FAILED, COMPLETED = OrchestrationStatus.FAILED, OrchestrationStatus.COMPLETED


def _first_episode(answer: Any) -> Episode:
    started = ExecutionStarted(
        timestamp=START,
        orchestration_instance=OrchestrationInstance(instance_id="instance", execution_id="execution0"),
        name="Main",
    )

    def orchestrator(_trigger: str) -> str:
        if isinstance(answer, WorkerFailure):
            raise answer
        return json.dumps(answer)

    return run_episode(
        Instance(instance_id="instance"),
        (),
        (started,),
        orchestrator=orchestrator,
        now=START,
        host=host_with(),
        profile=PROFILE_2_13,
    )


def _never_called(_context: Any) -> Generator[Any, Any, Any]:
    yield


class Answered(Driven):
    """An instance whose orchestrator gives the same answer in every episode."""

    def __init__(self, answer: Any, host: HostFacts | None = None) -> None:
        super().__init__(user_code=_never_called, host=host or host_with())
        self._answer = json.dumps(answer)

    def orchestrator(self) -> Orchestrator:
        return lambda _trigger: self._answer


def _fire_time(episode: Episode) -> Ticks:
    (timer,) = episode.outbox
    assert isinstance(timer, SetTimer)
    return timer.fire_at


def _answer(*action_lists: list[Any], schema: int = 2, **more: Any) -> dict[str, Any]:
    return {"isDone": False, "schemaVersion": schema, "actions": list(action_lists), **more}


def _activity(name: str = "Echo") -> dict[str, Any]:
    return {"actionType": 0, "functionName": name, "input": "1"}


_RETRY = {"firstRetryIntervalInMilliseconds": 5_000, "maxNumberOfAttempts": 2}


def _timer(seconds: float, *, is_canceled: bool = False) -> dict[str, Any]:
    fire_at = format_ticks(Ticks(START + int(seconds * PER_SECOND)))
    return {"actionType": 5, "fireAt": fire_at, "isCanceled": is_canceled}


@pytest.mark.conforms("R2-3")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_answer(), "expected actions array to be of length 1 in outer layer but got size: 0"),
        (_answer([], []), "expected actions array to be of length 1 in outer layer but got size: 2"),
        (_answer([{"actionType": 99}]), "Received an unexpected action type from the out-of-proc function: '$99'."),
        (
            _answer([{"actionType": 11, "compoundActions": []}]),
            "The tasks argument contains no tasks. (Parameter 'tasks')",
        ),
        (
            _answer(schema=1),
            "With OOProc schema V2, expected actions array to be of length 1 in outer layer but got size: 0",
        ),
        (
            _answer([], schema=3),
            'The OOProc schema of of version "3" is unsupported by this durable-extension version.',
        ),
        (_answer() | {"actions": None}, "Object reference not set to an instance of an object."),
        (
            {},
            "Value cannot be null. "
            "(Parameter 'Out-of-proc orchestrator schema must have a non-null actions property.')",
        ),
        (_answer([], error="it broke"), "Object reference not set to an instance of an object."),
        ([], "Out of proc orchestrators must return a valid JSON schema"),
        ("text", "Out of proc orchestrators must return a valid JSON schema"),
        (7, "Out of proc orchestrators must return a valid JSON schema"),
    ],
)
def test_what_the_sdk_never_answers_fails_in_the_platforms_words(answer: Any, words: str) -> None:
    episode = _first_episode(answer)

    assert episode.runtime_status is FAILED
    assert (episode.output or "").startswith("Orchestrator function 'Main' failed: ")
    assert (episode.output or "").endswith(words)


@pytest.mark.conforms("R2-5")
@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({}, "action 0 of the answer has no number as 'actionType'"),
        (7, "action 0 of the answer is no object"),
        ({"actionType": 0}, "action 0 of the answer has no text as 'functionName'"),
        (_activity() | {"actionType": 1, "retryOptions": {}}, "no number as 'firstRetryIntervalInMilliseconds'"),
        ({"actionType": 5}, "action 0 of the answer has no text as 'fireAt'"),
        ({"actionType": 5, "fireAt": "soon"}, "not an ISO 8601 time: 'soon'"),
        ({"actionType": 7, "instanceId": "counter", "operation": "get"}, "'counter' is not an entity id"),
        ({"actionType": 8}, "action 0 of the answer has no object as 'httpRequest'"),
        ({"actionType": 12, "compoundActions": [{"actionType": 6}]}, "has no text as 'externalEventName'"),
        ({"actionType": 12}, "action 0 of the answer has no list as 'compoundActions'"),
        ({"actionType": 2, "functionName": "Child", "instanceId": 7}, "has no text as 'instanceId'"),
        ({"actionType": 8, "httpRequest": {"tokenSource": 7}}, "has no object as 'tokenSource'"),
        ({"actionType": 8, "httpRequest": {"tokenSource": {"kind": "x"}}}, "has no text as 'resource'"),
        ({"actionType": 0, "functionName": None}, "action 0 of the answer has no text as 'functionName'"),
    ],
)
def test_an_action_that_cannot_be_read_fails_the_orchestration_and_nothing_of_the_answer_counts(
    action: Any, words: str
) -> None:
    episode = _first_episode(_answer([_activity(), action], customStatus="status") | {"actions": [[action]]})

    assert (episode.runtime_status, episode.custom_status, episode.outbox) == (FAILED, None, ())
    assert words in (episode.output or "")


@pytest.mark.conforms("R3.1-5")
def test_a_retry_interval_beyond_32_bits_fails_the_orchestration_before_anything_counts() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("status")
        yield context.call_activity_with_retry("Echo", df.RetryOptions(2**31, 2))

    episode = Driven(orchestrator).start()

    assert (episode.runtime_status, episode.custom_status, episode.outbox) == (FAILED, None, ())
    assert episode.output == (
        "Orchestrator function 'Main' failed: Value was either too large or too small for an Int32."
    )


@pytest.mark.conforms("R2-5")
@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"schemaVersion": None}, "the answer's 'schemaVersion' is no number"),
        ({"schemaVersion": "V3"}, "the answer's 'schemaVersion' is no number"),
        ({"schemaVersion": -1}, 'of version "-1" is unsupported'),
        ({"error": 7}, "the answer's 'error' is no text"),
    ],
)
def test_what_an_answer_says_of_itself_must_be_readable(members: dict[str, Any], words: str) -> None:
    episode = _first_episode(_answer([_activity()]) | members)

    assert (episode.runtime_status, episode.outbox) == (FAILED, ())
    assert words in (episode.output or "")


@pytest.mark.conforms("R2-5")
@pytest.mark.parametrize("actions", [7, {}, "text", [7], [None]])
def test_actions_that_are_no_lists_fail_the_orchestration(actions: Any) -> None:
    episode = _first_episode(_answer() | {"actions": actions})

    assert episode.runtime_status is FAILED
    assert "is no list of lists" in (episode.output or "")


@pytest.mark.conforms("R2-6")
def test_the_oldest_schema_has_a_list_per_yield_and_goes_on_with_the_first_of_it_that_settles() -> None:
    answer = {"isDone": False, "actions": [[_activity("One"), _activity("Two")], [_activity("Three")]]}
    driven = Answered(answer, host=host_with("One", "Two", "Three"))

    assert scheduled(driven.start()) == [(0, "One"), (1, "Two")]
    assert scheduled(driven.complete(1)) == [(2, "Three")]


@pytest.mark.conforms("R2-6")
def test_in_the_oldest_schema_signals_and_continue_as_new_are_not_waited_for_with_others() -> None:
    answer = {"isDone": True, "actions": [[{"actionType": 4, "input": "1"}, _activity()], []]}
    driven = Answered(answer)

    assert driven.start().runtime_status is OrchestrationStatus.RUNNING


@pytest.mark.conforms("R3.3-4")
@pytest.mark.parametrize("schema", [0, 1])
def test_older_schemas_refuse_a_long_timer(schema: int) -> None:
    episode = _first_episode(_answer([_timer(7 * 86_400)], schema=schema))

    assert episode.output == (
        "Orchestrator function 'Main' failed: The Azure Storage provider supports a maximum of 6 days for time-based "
        "delays (Parameter 'fireAt')"
    )


@pytest.mark.conforms("R3.3-4")
def test_the_newest_schema_sets_one_long_timer_in_legs_of_three_days() -> None:
    driven = Answered(_answer([_timer(7 * 86_400), _activity()]))
    fire_times = [_fire_time(driven.start())]
    for timer in range(2):
        driven.now = fire_times[-1]
        fire_times.append(_fire_time(driven.fire(timer)))
    driven.now = fire_times[-1]

    assert [time - START for time in fire_times] == [3 * PER_DAY, 6 * PER_DAY, 7 * PER_DAY]
    assert scheduled(driven.fire(2)) == [(3, "Echo")]


@pytest.mark.conforms("R3.3-4")
def test_a_long_timer_that_is_cancelled_has_one_leg_and_holds_nothing() -> None:
    episode = _first_episode(_answer([_timer(7 * 86_400, is_canceled=True), _activity()]))

    assert scheduled(episode) == [(0, "timer"), (1, "Echo")]


@pytest.mark.conforms("R3.3-5")
def test_a_timer_of_exactly_six_days_is_one_timer() -> None:
    assert _fire_time(_first_episode(_answer([_timer(6 * 86_400)]))) == START + 6 * PER_DAY


@pytest.mark.conforms("R4-11")
@pytest.mark.parametrize(("status", "stored"), [(0, "0"), ("", '""'), (False, "false"), ([], "[]"), (None, None)])
def test_the_host_itself_takes_a_falsy_status(status: Any, stored: str | None) -> None:
    assert _first_episode(_answer([], customStatus=status)).custom_status == stored


@pytest.mark.conforms("R2.2-3")
def test_a_label_with_nothing_behind_it_is_no_label() -> None:
    episode = _first_episode(WorkerFailure("Exception: over\n\n$OutOfProcData$:", "stack"))

    assert episode.output == (
        "Orchestrator function 'Main' failed: One or more errors occurred. "
        "(Result: Failure\nException: Exception: over\n\n$OutOfProcData$:\nStack: stack)"
    )


@pytest.mark.conforms("R2-2")
def test_a_null_answer_completes_without_output() -> None:
    episode = _first_episode(None)

    assert (episode.runtime_status, episode.output) == (COMPLETED, None)


@pytest.mark.conforms("R2.2-4")
def test_a_label_with_broken_json_gives_the_bare_sentence() -> None:
    episode = _first_episode(WorkerFailure("Exception: over\n\n$OutOfProcData$:{"))

    assert (episode.runtime_status, episode.output) == (
        FAILED,
        "Out of proc orchestrators must return a valid JSON schema",
    )


@pytest.mark.conforms("R3.2-3")
@pytest.mark.parametrize(("child_id", "ids"), [("mine", ["mine", "mine"]), (None, ["execution0:0", "execution0:2"])])
def test_attempts_of_a_child_share_a_given_id_and_differ_without(child_id: str | None, ids: list[str]) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_sub_orchestrator_with_retry("Child", df.RetryOptions(5_000, 2), instance_id=child_id)

    driven = Driven(orchestrator)
    first = driven.start()
    driven.feed(SubOrchestrationInstanceFailed(timestamp=driven.now, task_scheduled_id=0, reason="it broke"))
    second = driven.fire(1)

    started = [child for episode in (first, second) for child in episode.outbox]
    assert [child.instance_id for child in started if isinstance(child, StartSubOrchestration)] == ids


@pytest.mark.conforms("R3.5-6")
def test_a_parent_gets_the_result_of_the_last_generation() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        if context.get_input() is None:
            context.continue_as_new(1)
            return None
        return "last"

    parent = ParentInstance(
        name="Parent", orchestration_instance=OrchestrationInstance(instance_id="parent"), task_schedule_id=7
    )
    driven = Driven(orchestrator, parent=parent)
    driven.start()
    first = driven.complete(0)
    last = driven.complete(0)

    assert first.parent_message is None
    assert last.parent_message is not None
    event = last.parent_message.event
    assert isinstance(event, SubOrchestrationInstanceCompleted)
    assert (event.task_scheduled_id, event.result) == (7, '"last"')


@pytest.mark.conforms("R3.10-3")
@pytest.mark.parametrize("compound", ["task_all", "task_any"])
def test_empty_compounds_are_over_at_once(compound: str) -> None:
    def orchestrator(context: Any) -> Any:
        return [(yield getattr(context, compound)([]))]

    episode = Driven(orchestrator).start()

    assert (episode.runtime_status, episode.output) == (COMPLETED, "[null]")


@pytest.mark.conforms("R2-5")
def test_members_that_mean_nothing_to_an_action_may_be_null() -> None:
    nothing = dict.fromkeys(("fireAt", "retryOptions", "httpRequest", "operation", "instanceId", "compoundActions"))

    retried = {"actionType": 1, "functionName": "Echo", "retryOptions": dict(_RETRY)}
    awaited = {"actionType": 11, "compoundActions": [_timer(9, is_canceled=True) | {"compoundActions": None}, retried]}
    episode = _first_episode(_answer([awaited, _activity() | nothing]))

    assert scheduled(episode) == [(0, "timer"), (1, "Echo"), (2, "Echo")]
