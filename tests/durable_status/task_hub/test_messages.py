"""Messages of the queues against every recorded one."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from durable_status.replay.event_json import event_from_members, event_members
from durable_status.stored_json import dump_stored
from durable_status.task_hub.history import read_event_row
from durable_status.task_hub.messages import (
    LargeMessage,
    QueueMessage,
    Sender,
    message_json,
    queue_text,
    read_message,
    stored_message,
)
from durable_status.task_hub.numbers import EVENT_TYPES
from tests.durable_status.task_hub.recorded_hub import NAMES, document, history, messages

_TIME = "2026-11-22T11:30:46.1Z"
_RAISED = {
    "EventType": 15,
    "Name": "go",
    "Input": "1",
    "ParentTraceContext": None,
    "EventId": -1,
    "IsPlayed": False,
    "Timestamp": _TIME,
}
_MESSAGE = QueueMessage(
    activity_id="167755dd-316a-4123-9b51-fd5dd0eec2f5",
    event=_RAISED,
    instance_id="an/id",
    execution_id=None,
    sequence_number=7,
    sender=Sender(),
)


def _bodies(name: str) -> list[dict[str, Any]]:
    return [message["body"] for message in messages(name)]


@pytest.mark.conforms("S4-3", "S4-4", "S4-5", "S4-6")
@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_message_is_written_as_it_was_read_to_the_byte(name: str) -> None:
    for body in _bodies(name):
        text = dump_stored(body)

        assert message_json(read_message(text)) == text


@pytest.mark.conforms("S4-3")
@pytest.mark.parametrize("name", NAMES)
def test_events_of_recorded_messages_pass_through_the_event_classes(name: str) -> None:
    for body in _bodies(name):
        message = read_message(dump_stored(body))
        if isinstance(message, LargeMessage):
            continue
        event = event_members(event_from_members(message.event))
        assert message_json(replace(message, event=event)) == dump_stored(body)


@pytest.mark.conforms("S4-2")
def test_messages_are_read_in_base64_and_as_they_are() -> None:
    text = message_json(_MESSAGE)

    assert read_message(text) == _MESSAGE
    assert read_message(queue_text(text)) == _MESSAGE
    assert read_message(f"\ufeff{text}") == _MESSAGE
    assert read_message(base64.b64encode(f"\ufeff{text}".encode()).decode()) == _MESSAGE
    assert {message["encoding"] for name in NAMES for message in messages(name)} == {"base64"}
    assert base64.b64decode(queue_text('{"é":1}')).decode() == '{"é":1}'


@pytest.mark.conforms("S4-4")
def test_a_message_needs_little_more_than_its_event() -> None:
    text = json.dumps(
        {
            "TaskMessage": {
                "Event": {"$type": "DurableTask.Core.History.EventRaisedEvent, DurableTask.Core", "Name": "go"},
                "OrchestrationInstance": {"InstanceId": "i"},
            }
        }
    )
    message = read_message(text)

    assert isinstance(message, QueueMessage)
    assert message.event == {"EventType": 15, "Name": "go"}
    assert (message.instance_id, message.execution_id, message.sender, message.tags) == ("i", None, None, None)


@pytest.mark.conforms("S4-4")
@pytest.mark.parametrize("kind", EVENT_TYPES.names)
def test_every_event_type_has_a_class_name_that_is_read_again(kind: str) -> None:
    message = replace(_MESSAGE, event=_RAISED | {"EventType": EVENT_TYPES.number_of(kind)})
    class_name = json.loads(message_json(message))["TaskMessage"]["Event"]["$type"]

    assert class_name == "DurableTask.Core.History." + (kind if kind == "GenericEvent" else f"{kind}Event")
    assert read_message(message_json(message)) == message


@pytest.mark.conforms("S4-3")
def test_objects_of_an_event_say_their_types() -> None:
    failure = {"ErrorType": "E", "InnerFailure": {"ErrorType": "I", "InnerFailure": None}}
    failed = {"EventType": 6, "TaskScheduledId": 0, "FailureDetails": failure, "EventId": -1, "Timestamp": _TIME}
    message = replace(_MESSAGE, event=failed, tags={"team": "shop"})
    task = json.loads(message_json(message))["TaskMessage"]

    assert task["Event"]["FailureDetails"]["$type"] == "DurableTask.Core.FailureDetails"
    assert task["Event"]["FailureDetails"]["InnerFailure"]["$type"] == "DurableTask.Core.FailureDetails"
    assert task["OrchestrationExecutionContext"]["OrchestrationTags"]["team"] == "shop"
    assert read_message(message_json(message)) == message


_LARGE = [
    (
        "large-input-70000",
        "ExecutionStarted",
        {"Input": dump_stored(dump_stored("L" * 70_000))},
        {"sequence_number": 54, "sender": Sender()},
    ),
    (
        "large-activity-input",
        "TaskScheduled",
        {"Input": dump_stored([dump_stored("i" * 70_000)])},
        {"sequence_number": 65, "episode": 1, "tags": {}},
    ),
    (
        "large-result-70000",
        "TaskCompleted",
        {"Result": dump_stored("r" * 70_000)},
        {"sequence_number": 63, "episode": 1},
    ),
]


@pytest.mark.conforms("S4-3", "S4-6")
@pytest.mark.parametrize(("name", "kind", "text", "members"), _LARGE, ids=[name for name, *_ in _LARGE])
def test_recorded_large_messages_are_stored_as_we_would(
    name: str, kind: str, text: dict[str, str], members: dict[str, Any]
) -> None:
    """Of a blob both ends and the length are recorded; the event is in the history."""
    (wrapper,) = [body for body in _bodies(name) if body["TaskMessage"] is None]
    (blob,) = [blob for blob in document(name)["blobs"] if "/message-" in blob["name"]]
    (row,) = [row for _, row in history(name) if row.get("EventType") == kind]
    event = replace(event_from_members(read_event_row(row) | text), is_played=False)
    instance_id, execution_id = str(row["PartitionKey"]), str(row["ExecutionId"])
    message = QueueMessage(
        activity_id=str(json.loads(blob["head"][: blob["head"].index(',"TaskMessage"')] + "}")["ActivityId"]),
        event=event_members(event),
        instance_id=instance_id,
        execution_id=execution_id,
        **{"sender": Sender(instance_id=instance_id, execution_id=execution_id)} | members,
    )

    stored = stored_message(message)

    assert stored.text == dump_stored(wrapper)
    assert read_message(stored.text) == LargeMessage(blob["name"])
    written = stored.blobs[blob["name"]]
    assert (written[:700], written[-200:], len(written)) == (blob["head"], blob["tail"], blob["uncompressed_chars"])


@pytest.mark.conforms("S4-6")
def test_a_large_message_goes_to_a_blob_and_its_name_to_the_queue() -> None:
    envelope = len(message_json(replace(_MESSAGE, event=_RAISED | {"Input": ""})))
    fits = replace(_MESSAGE, event=_RAISED | {"Input": "x" * (46_080 - envelope)})
    large = replace(_MESSAGE, event=_RAISED | {"Input": "x" * (46_081 - envelope)})
    name = "an/id/message-167755dd316a41239b51fd5dd0eec2f5-EventRaised.json.gz"

    assert stored_message(fits).blobs == {}
    stored = stored_message(large)
    assert read_message(stored.text) == LargeMessage(name)
    assert read_message(stored.blobs[name]) == large


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "its JSON is no object|Expecting value"),
        ("hello!", "neither JSON nor Base64 of UTF-8"),
        (base64.b64encode(b"\xff\xfe").decode(), "neither JSON nor Base64 of UTF-8"),
        ("{", "not a message of a task hub: Expecting property name"),
        (base64.b64encode(b"[1]").decode(), "its JSON is no object"),
        ("{}", "lacks or misplaces 'TaskMessage'"),
        ('{"TaskMessage": null}', "lacks or misplaces"),
        ('{"TaskMessage": {"Event": {}, "OrchestrationInstance": {"InstanceId": "i"}}}', r"misplaces '\$type'"),
        (
            '{"TaskMessage": {"Event": {"$type": "X.OddEvent"}, "OrchestrationInstance": {"InstanceId": "i"}}}',
            "unknown event type: 'Odd'",
        ),
    ],
)
def test_what_is_no_message_says_why(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_message(text)
