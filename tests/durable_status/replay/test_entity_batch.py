"""A batch of an entity: one call of the SDK, and what follows from its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from azure.durable_functions import Entity

from durable_status.replay.entity_batch import (
    EntityBatch,
    EntityFunction,
    EntitySettings,
    read_entity_state,
    run_entity_batch,
)
from durable_status.replay.entity_messages import EntityId, Moment, RequestMessage, ResponseMessage
from durable_status.replay.events import EventRaised, EventType
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.ticks import PER_DAY, PER_SECOND, Ticks, parse_ticks
from tests.paths import GOLDENS

_NOW = parse_ticks("2026-11-22T11:30:00Z")
_ENTITY = EntityId("Counter", "Key")


def _event(request: RequestMessage) -> EventRaised:
    return EventRaised(timestamp=_NOW, name=request.event_name, input=request.text)


def _signal(operation: str, value: Any = None, **members: Any) -> EventRaised:
    text = None if value is None else json.dumps(json.dumps(value))
    return _event(RequestMessage(operation=operation, is_signal=True, input=text, id="s", **members))


def _call(operation: str, value: Any = None, *, number: int = 0) -> EventRaised:
    """A call of an orchestration; those with growing numbers follow each other."""
    times = [Moment(Ticks(_NOW + number + offset)) for offset in (0, -1)]
    return _event(
        RequestMessage(
            operation=operation,
            input=json.dumps(json.dumps(value)),
            id=f"id-{number}",
            parent_instance_id="caller",
            parent_execution_id="execution",
            timestamp=times[0],
            predecessor=times[1] if number else Moment(Ticks(0), is_utc=False),
        )
    )


def _counter(context: Any) -> None:
    total = context.get_state(lambda: 0)
    match context.operation_name:
        case "add":
            total += context.get_input()
            context.set_state(total)
            context.set_result(total)
        case "get":
            context.set_result(total)
        case "set and fail":
            context.set_state(context.get_input())
            raise ValueError("too late")
        case "only result":
            context.set_result(1)
        case "delete":
            context.destruct_on_exit()
        case "break":
            context.set_state(object())
        case "break result":
            context.set_result(object())


_COUNTER: EntityFunction = Entity.create(_counter)


def _function(user_function: Callable[[Any], None] | None = None) -> EntityFunction:
    """The SDK's handle, failing as the worker reports it."""
    handle = _COUNTER if user_function is None else Entity.create(user_function)

    def function(trigger: str) -> str:
        try:
            answer: str = handle(trigger)
        except Exception as error:
            raise WorkerFailure(str(error)) from error
        return answer

    return function


def _run(
    events: Sequence[EventRaised],
    *,
    state: str | None = None,
    function: EntityFunction | None = None,
    now: Ticks = _NOW,
    settings: EntitySettings | None = None,
) -> EntityBatch:
    return run_entity_batch(
        _ENTITY, state, events, function=function or _function(), now=now, settings=settings or EntitySettings()
    )


def _results(batch: EntityBatch) -> list[Any]:
    return [json.loads(ResponseMessage.from_text(sent.input or "").result or "null") for sent in batch.outbox]


@pytest.mark.conforms("R3.7-30", "R3.7-31")
def test_the_entity_function_gets_its_id_its_state_and_the_operations() -> None:
    seen: list[Any] = []

    def function(trigger: str) -> str:
        seen.append(json.loads(trigger))
        return _function()(trigger)

    _run([_signal("add", 2), _call("get")], state='{"exists":true,"state":"5","sorter":{}}', function=function)

    assert seen == [
        {
            "self": {"name": "counter", "key": "Key"},
            "exists": True,
            "state": "5",
            "batch": [
                {"name": "add", "input": '"2"', "isSignal": True},
                {"name": "get", "input": '"null"', "isSignal": False},
            ],
        }
    ]


@pytest.mark.conforms("R3.7-32")
def test_all_operations_that_arrived_run_in_one_call() -> None:
    calls: list[str] = []

    def function(trigger: str) -> str:
        calls.append(trigger)
        return _function()(trigger)

    batch = _run([_signal("add", 1), _signal("add", 2), _signal("add", 3)], function=function)

    assert len(calls) == 1
    assert json.loads(batch.state) == {"exists": True, "state": "6", "sorter": {}}
    assert batch.custom_status == '{"entityExists":true}'


@pytest.mark.conforms("R3.7-33")
def test_callers_get_a_response_named_by_the_request_and_signals_get_none() -> None:
    batch = _run([_signal("add", 1), _call("add", 2, number=0), _call("get", number=1)])

    assert [(sent.instance_id, sent.execution_id, sent.name) for sent in batch.outbox] == [
        ("caller", "execution", "id-0"),
        ("caller", "execution", "id-1"),
    ]
    assert _results(batch) == [3, 3]
    assert json.loads(batch.outbox[0].input or "") == {
        "$type": "Microsoft.Azure.WebJobs.Extensions.DurableTask.ResponseMessage, "
        "Microsoft.Azure.WebJobs.Extensions.DurableTask",
        "result": "3",
    }


@pytest.mark.conforms("R3.7-34")
def test_an_operation_that_raises_answers_with_its_text_and_what_it_set_is_kept() -> None:
    batch = _run([_call("set and fail", 9)])

    response = ResponseMessage.from_text(batch.outbox[0].input or "")
    assert response == ResponseMessage(result='"too late"', exception_type="Error")
    assert read_entity_state(batch.state) == "9"
    assert batch.failed_operations == (("set and fail", '"too late"'),)


@pytest.mark.conforms("R3.7-35")
def test_an_operation_without_result_returns_that_of_the_one_before_it_in_the_batch() -> None:
    batch = _run([_call("add", 4, number=0), _call("nothing", number=1)])

    assert _results(batch) == [4, 4]


@pytest.mark.conforms("R3.7-36")
def test_a_result_alone_makes_the_entity_exist_with_state_null() -> None:
    batch = _run([_signal("only result")])

    assert json.loads(batch.state) == {"exists": True, "state": "null", "sorter": {}}


@pytest.mark.conforms("R3.7-37")
def test_an_entity_is_never_newly_constructed() -> None:
    def tell(context: Any) -> None:
        context.set_result(context.is_newly_constructed)

    assert _results(_run([_call("ask")], function=_function(tell))) == [False]


@pytest.mark.conforms("R3.7-38")
@pytest.mark.parametrize("text", [None, "5"])
def test_a_signal_without_input_or_with_plain_json_fails_in_get_input_and_nobody_is_told(text: str | None) -> None:
    event = _event(RequestMessage(operation="add", is_signal=True, input=text, id="s"))

    batch = _run([event])

    assert batch.outbox == ()
    assert [operation for operation, _ in batch.failed_operations] == ["add"]


@pytest.mark.conforms("R3.7-39")
@pytest.mark.parametrize("operation", ["break", "break result"])
def test_a_state_or_result_that_is_no_json_fails_the_batch_as_a_whole(operation: str) -> None:
    with pytest.raises(WorkerFailure):
        _run([_call("add", 1, number=0), _call(operation, number=1)])


@pytest.mark.conforms("R3.7-39")
@pytest.mark.parametrize("answer", ["null", "no JSON", "[]", '{"results":[]}', '{"results":[5]}'])
def test_an_answer_that_is_not_usable_fails_the_batch(answer: str) -> None:
    with pytest.raises(WorkerFailure):
        _run([_signal("add", 1)], function=lambda _: answer)


@pytest.mark.conforms("R3.7-39")
def test_an_event_named_like_a_request_that_is_none_fails_the_batch() -> None:
    with pytest.raises(WorkerFailure, match="is no request"):
        _run([EventRaised(timestamp=_NOW, name="op", input='"hello"')])


@pytest.mark.conforms("R3.7-40")
def test_a_deleted_entity_keeps_the_state_null_and_does_not_exist() -> None:
    batch = _run([_signal("delete")], state='{"exists":true,"state":"5","sorter":{}}')

    assert batch.state == '{"state":"null","sorter":{}}'
    assert batch.custom_status == "{}"


@pytest.mark.conforms("R3.7-41")
def test_more_operations_than_a_batch_takes_wait_for_the_next_one() -> None:
    settings = EntitySettings(max_batch_size=2)

    first = _run([_signal("add", 1), _signal("add", 2), _signal("add", 4)], settings=settings)
    (again,) = first.outbox
    second = _run(
        [EventRaised(timestamp=_NOW, name=again.name, input=again.input)], state=first.state, settings=settings
    )

    assert read_entity_state(first.state) == "3"
    assert list(json.loads(first.state)) == ["exists", "state", "queue", "suspended", "sorter"]
    assert first.custom_status == '{"entityExists":true,"queueSize":1}'
    assert (again.instance_id, again.name, again.input) == ("@counter@Key", "continue", None)
    assert json.loads(second.state) == {"exists": True, "state": "7", "sorter": {}}
    assert second.outbox == ()


@pytest.mark.conforms("R3.7-42")
def test_an_event_that_is_no_request_runs_nothing() -> None:
    state = '{"exists":true,"state":"5","sorter":{}}'

    def never(_: str) -> str:
        raise AssertionError("the entity function was called")

    batch = _run([EventRaised(timestamp=_NOW, name="go", input="1")], state=state, function=never)

    assert batch.state == state


@pytest.mark.conforms("R3.7-44")
def test_calls_that_arrive_out_of_order_run_in_the_order_they_were_made() -> None:
    batch = _run([_call("add", 2, number=1), _call("add", 1, number=0), _call("add", 2, number=1)])

    assert [(sent.name, result) for sent, result in zip(batch.outbox, _results(batch), strict=True)] == [
        ("id-0", 1),
        ("id-1", 3),
    ]


@pytest.mark.conforms("R3.7-44")
def test_a_call_that_waits_for_its_predecessor_waits_in_the_stored_state() -> None:
    early = _run([_call("add", 2, number=1)])
    complete = _run([_call("add", 1, number=0)], state=early.state)

    assert early.outbox == ()
    assert _results(complete) == [1, 3]


@pytest.mark.conforms("R3.7-33", "R3.7-43")
def test_the_recorded_requests_lead_to_the_recorded_state_and_responses() -> None:
    recording = json.loads((GOLDENS / "storage" / "entity-call.json").read_text())
    raised = [message["body"]["TaskMessage"] for message in recording["messages"]]
    raised = [message for message in raised if message["Event"]["EventType"] == EventType.EVENT_RAISED]
    requests = [message for message in raised if message["OrchestrationInstance"]["InstanceId"] == "@counter@one"]
    responses = [message for message in raised if message not in requests]
    (row,) = [row for row in recording["instances"] if row["PartitionKey"] == "@counter@one"]

    state, outbox = None, []
    for batch_of in (requests[:1], requests[1:]):  # the caller waited for the first
        events = [
            EventRaised(timestamp=_NOW, name=message["Event"]["Name"], input=message["Event"]["Input"])
            for message in batch_of
        ]
        batch = run_entity_batch(
            EntityId("counter", "one"), state, events, function=_function(), now=_NOW, settings=EntitySettings()
        )
        state = batch.state
        outbox += [(sent.instance_id, sent.execution_id, sent.name, sent.input) for sent in batch.outbox]

    assert (batch.state, batch.custom_status) == (row["Input"], row["CustomStatus"])
    assert outbox == [
        (
            message["OrchestrationInstance"]["InstanceId"],
            message["OrchestrationInstance"]["ExecutionId"],
            message["Event"]["Name"],
            message["Event"]["Input"],
        )
        for message in responses
    ]


@pytest.mark.conforms("R3.7-50")
def test_signals_that_an_entity_sends_are_requests_of_it_in_the_order_sent() -> None:
    signals = [
        {"target": {"name": "Box", "key": "b"}, "name": "set", "input": "1"},
        {"target": {"name": "Box", "key": "b"}, "name": "get"},
    ]
    answer = {"entityExists": True, "entityState": "1", "results": [{"isError": False, "result": "1"}]}

    batch = _run([_call("add", 1)], function=lambda _: json.dumps(answer | {"signals": signals}))

    response, first, second = batch.outbox
    requests = [RequestMessage.from_text(sent.input or "") for sent in (first, second)]
    assert response.instance_id == "caller"
    assert [(sent.instance_id, sent.name) for sent in (first, second)] == [("@box@b", "op")] * 2
    assert [(request.operation, request.input, request.is_signal) for request in requests] == [
        ("set", "1", True),
        ("get", None, True),
    ]
    assert [request.parent_instance_id for request in requests] == ["@counter@Key"] * 2
    assert requests[0].id != requests[1].id
    assert requests[1].predecessor.ticks == requests[0].timestamp.ticks
    assert json.loads(batch.state)["sorter"]["LastSentToInstance"] == {"@box@b": requests[1].timestamp.text}


@pytest.mark.conforms("R3.7-59")
def test_a_signal_with_a_time_waits_for_it_in_legs() -> None:
    due = Ticks(_NOW + 10 * PER_DAY)
    signal = _signal("add", 1, due=Moment(due))

    leg = _run([signal])
    arrived = _run([replace(signal, timestamp=due)], state=leg.state, now=due)

    (sent,) = leg.outbox
    assert (sent.instance_id, sent.due) == ("@counter@Key", _NOW + 3 * PER_DAY)
    assert sent.name == "op@2026-11-25T11:30:00.0000000Z"
    assert sent.input == signal.input
    assert read_entity_state(leg.state) is None
    assert read_entity_state(arrived.state) == "1"


@pytest.mark.conforms("R3.7-59")
def test_a_signal_whose_time_is_close_waits_once() -> None:
    due = Ticks(_NOW + 60 * PER_SECOND)

    (sent,) = _run([_signal("add", 1, due=Moment(due))]).outbox

    assert sent.due == due


@pytest.mark.conforms("R3.7-51")
def test_the_same_arguments_give_the_same_batch() -> None:
    events = [_signal("add", 1), _call("get"), _call("add", 1, number=2)]

    def without_times(trigger: str) -> str:
        answer = json.loads(_function()(trigger))
        for result in answer["results"]:
            del result["duration"], result["startTime"]
        return json.dumps(answer)

    assert _run(events, function=without_times) == _run(events, function=without_times)
