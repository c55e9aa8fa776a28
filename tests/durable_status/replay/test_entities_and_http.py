"""What an orchestration sends to entities and to the HTTP activity, and how it waits for them."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid5

import azure.durable_functions as df
import pytest

from durable_status.replay.decisions import ScheduleActivity, SendEvent
from durable_status.replay.entity_messages import NEVER, EntityId, Moment, RequestMessage
from durable_status.replay.entity_requests import EntityRequests
from durable_status.replay.episode import Episode, Instance, run_episode
from durable_status.replay.events import ExecutionStarted, OrchestrationInstance, OrchestrationStatus
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from durable_status.replay.ticks import PER_DAY, PER_SECOND, Ticks, format_ticks, format_ticks_in_full
from durable_status.replay.traps import TrapLog
from tests.durable_status.replay.histories import START, Driven, event_names, host_with

RUNNING, FAILED = OrchestrationStatus.RUNNING, OrchestrationStatus.FAILED
_HOST = host_with(entities=FunctionNames.create(FunctionKind.ENTITY, ["Counter"]))
_COUNTER = df.EntityId("Counter", "Key")
_NAMESPACE = UUID("9e952959-5e33-4daf-827f-2fa12937b875")


def _requests(episode: Episode) -> list[RequestMessage]:
    return [RequestMessage.from_text(sent.input) for sent in episode.outbox if isinstance(sent, SendEvent)]


def _run_actions(*actions: dict[str, Any], host: HostFacts = _HOST, profile: Profile = PROFILE_2_13) -> Episode:
    """A first episode of an orchestrator that answers with `actions`."""
    started = ExecutionStarted(
        timestamp=START,
        orchestration_instance=OrchestrationInstance(instance_id="instance", execution_id="execution0"),
        name="Main",
    )
    answer = json.dumps({"isDone": False, "schemaVersion": 2, "actions": [actions], "customStatus": "shown"})
    return run_episode(
        Instance(instance_id="instance"),
        (),
        (started,),
        orchestrator=lambda _: answer,
        now=START,
        host=host,
        profile=profile,
    )


def _signal(**more: Any) -> dict[str, Any]:
    return {"actionType": 9, "instanceId": "@counter@Key", "operation": "add", "input": "1", **more}


@pytest.mark.conforms("R1.3-5", "R3.7-1", "R3.7-2", "R3.7-3")
def test_a_call_sends_a_request_and_waits_for_the_event_of_its_id() -> None:
    def orchestrator(context: Any) -> Any:
        return (yield context.call_entity(_COUNTER, "add", 2))

    driven = Driven(orchestrator, host=_HOST)
    (sent,) = driven.start().outbox
    assert isinstance(sent, SendEvent)
    request = RequestMessage.from_text(sent.input)
    other = driven.raise_event("another id", '{"result":"6"}')
    answered = driven.raise_event(request.id, '{"result":"7"}')

    assert (sent.id, sent.instance_id, sent.name, sent.due) == (0, "@counter@Key", "op", None)
    assert request == RequestMessage(
        operation="add",
        input=r'"2"',
        id=str(uuid5(_NAMESPACE, f"instance_{format_ticks_in_full(START)}_0")),
        parent_instance_id="instance",
        parent_execution_id="execution0",
        timestamp=Moment(START),
        predecessor=NEVER,
    )
    assert other.runtime_status is RUNNING
    assert answered.output == "7"


@pytest.mark.conforms("R3.7-4", "R3.7-5")
def test_requests_to_one_entity_form_a_chain_and_share_the_counter() -> None:
    def orchestrator(context: Any) -> Any:
        for number in range(3):
            context.signal_entity(_COUNTER, "add", number)
        yield context.call_entity(df.EntityId("Counter", "other"), "get")

    *signals, call = _requests(Driven(orchestrator, host=_HOST).start())

    assert [request.timestamp.text for request in signals] == [
        format_ticks(START),
        format_ticks(Ticks(START + 1)).removesuffix("Z"),
        format_ticks(Ticks(START + 2)).removesuffix("Z"),
    ]
    assert [request.predecessor for request in signals] == [NEVER, signals[0].timestamp, signals[1].timestamp]
    assert all(request.is_signal for request in signals)
    assert (call.timestamp, call.predecessor) == (Moment(START), NEVER)
    assert call.id == str(uuid5(_NAMESPACE, f"instance_{format_ticks_in_full(START)}_3"))


@pytest.mark.conforms("R3.7-6")
def test_clocks_of_last_messages_ignore_case_and_are_forgotten_after_the_window() -> None:
    requests = EntityRequests("instance", "execution", Ticks(30 * 60 * PER_SECOND), TrapLog("Main"))
    first = requests.make(EntityId("counter", "K"), "add", None, START)
    other_case = requests.make(EntityId("counter", "k"), "add", None, Ticks(START + PER_SECOND))
    much_later = requests.make(EntityId("counter", "k"), "add", None, Ticks(START + 3600 * PER_SECOND))

    assert other_case.predecessor == first.timestamp
    assert much_later.predecessor == NEVER


@pytest.mark.conforms("R3.7-7")
def test_a_signal_is_not_waited_for_and_takes_an_id() -> None:
    def orchestrator(context: Any) -> Any:
        context.signal_entity(_COUNTER, "add", 1)
        yield context.call_activity("Echo")

    episode = Driven(orchestrator, host=_HOST).start()

    assert [(type(decision), decision.id) for decision in episode.outbox] == [(SendEvent, 0), (ScheduleActivity, 1)]


@pytest.mark.conforms("R3.7-8")
def test_an_error_of_an_entity_is_raised_with_its_own_text() -> None:
    def orchestrator(context: Any) -> Any:
        try:
            yield context.call_entity(_COUNTER, "add")
        except Exception as error:
            return str(error)

    driven = Driven(orchestrator, host=_HOST)
    (request,) = _requests(driven.start())

    assert driven.raise_event(request.id, '{"result":"\\"no\\"","exceptionType":"Error"}').output == '"no"'


@pytest.mark.conforms("R3.7-9", "XR-3")
@pytest.mark.parametrize(("profile", "status"), [(PROFILE_2_13, RUNNING), (PROFILE_3, FAILED)])
def test_a_call_of_an_unknown_entity_hangs_on_2_13_and_fails_on_3(
    profile: Profile, status: OrchestrationStatus
) -> None:
    episode = _run_actions(_signal(actionType=7, instanceId="@nobody@k"), profile=profile)

    assert (episode.runtime_status, episode.outbox) == (status, ())
    if status is FAILED:
        assert (episode.output or "").startswith(
            "Orchestrator function 'Main' failed: The function 'nobody' doesn't exist, is disabled, or is not an "
            "entity function. Additional info: The following are the known entity functions: 'Counter'."
        )


@pytest.mark.conforms("R3.7-10")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3])
def test_a_signal_to_an_unknown_entity_fails_after_what_was_sent_before(profile: Profile) -> None:
    episode = _run_actions(_signal(), _signal(instanceId="@nobody@k"), profile=profile)

    assert episode.runtime_status is FAILED
    assert (episode.output or "").startswith("Orchestrator function 'Main' failed: The function 'nobody' doesn't")
    assert event_names(episode.appended) == "OS ES ES EC OC"


@pytest.mark.conforms("R3.7-11")
def test_a_signal_beyond_the_limit_of_actions_fails_and_those_below_it_are_sent() -> None:
    host = host_with(entities=FunctionNames.create(FunctionKind.ENTITY, ["Counter"]), max_orchestration_actions=2)

    signals = _run_actions(_signal(), _signal(), _signal(), host=host)
    call = _run_actions(_signal(), _signal(), _signal(actionType=7), host=host)

    assert (len(signals.outbox), signals.output) == (
        2,
        "Orchestrator function 'Main' failed: Maximum amount of orchestration actions (2) has been reached. This value "
        "can be configured in host.json file as MaxOrchestrationActions.",
    )
    assert (len(call.outbox), call.runtime_status) == (2, RUNNING)


@pytest.mark.conforms("R3.7-12")
def test_a_scheduled_signal_names_its_time_and_takes_no_part_in_the_order() -> None:
    due = Ticks(START + 60 * PER_SECOND)
    far = Ticks(START + 30 * PER_DAY)
    episode = _run_actions(
        _signal(actionType=10, fireAt=format_ticks(due)), _signal(actionType=10, fireAt=format_ticks(far)), _signal()
    )
    soon, later, plain = (decision for decision in episode.outbox if isinstance(decision, SendEvent))
    requests = _requests(episode)

    assert (soon.name, soon.due) == (f"op@{format_ticks_in_full(due)}", due)
    assert later.due == START + 3 * PER_DAY
    assert requests[1].due == Moment(far)
    assert (plain.name, requests[2].predecessor) == ("op", NEVER)


@pytest.mark.conforms("R3-8")
def test_call_http_schedules_the_hosts_activity_with_the_request() -> None:
    def orchestrator(context: Any) -> Any:
        response = yield context.call_http("POST", "http://localhost/", {"a": 1}, {"X-Name": "v"})
        return response["statusCode"]

    driven = Driven(orchestrator)
    (scheduled,) = driven.start().outbox
    assert isinstance(scheduled, ScheduleActivity)
    (request,) = json.loads(scheduled.input)

    assert scheduled.name == "BuiltIn::HttpActivity"
    assert list(request) == [
        "$type",
        "method",
        "uri",
        "headers",
        "content",
        "tokenSource",
        "asynchronousPatternEnabled",
        "retryOptions",
        "timeout",
    ]
    assert (request["method"], request["uri"]) == ("POST", "http://localhost/")
    assert (request["headers"], request["content"]) == ({"X-Name": "v"}, '{"a": 1}')
    assert request["asynchronousPatternEnabled"] is False
    assert driven.complete(0, result='{"statusCode":202,"headers":{},"content":""}').output == "202"


@pytest.mark.conforms("R3-9")
@pytest.mark.parametrize(
    ("method", "words"),
    [("NO METHOD", "The format of the HTTP method is invalid."), ("", "The value cannot be an empty string.")],
)
def test_an_invalid_method_fails_the_orchestration_before_anything_counts(method: str, words: str) -> None:
    action = {"actionType": 8, "httpRequest": {"method": method, "uri": "http://localhost/"}}
    episode = _run_actions(_signal(), {"actionType": 11, "compoundActions": [action]})

    assert (episode.runtime_status, episode.custom_status, episode.outbox) == (FAILED, None, ())
    assert (episode.output or "").startswith(f"Orchestrator function 'Main' failed: {words}")


@pytest.mark.conforms("R3-9")
def test_an_invalid_method_in_a_later_episode_is_non_determinism() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        yield context.call_http("NO METHOD", "http://localhost/")

    driven = Driven(orchestrator)
    driven.start()

    assert (driven.complete(0).output or "").startswith("Non-Deterministic workflow detected")
