"""What the queues carry: an event for an instance in an envelope, or the name of the blob it is in (storage.md §4).

The envelope is JSON with the types' names in it. Extension 2.13 writes all of it in Base64, later ones as it is; both
are read.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from durable_status.stored_json import dump_stored
from durable_status.task_hub.large_values import is_large_message, message_blob_name
from durable_status.task_hub.numbers import EVENT_TYPES

Members = Mapping[str, Any]

_TYPE = "$type"
_CORE = "DurableTask.Core."
_ENVELOPE = "DurableTask.AzureStorage.MessageData"
_NO_ACTIVITY = "00000000-0000-0000-0000-000000000000"
_TEXT = "[System.String, System.Private.CoreLib]"
_TEXTS_BY_NAME = f"System.Collections.Generic.Dictionary`2[{_TEXT},{_TEXT}]"
_TYPES_OF_MEMBERS = {
    "OrchestrationInstance": f"{_CORE}OrchestrationInstance",
    "ParentInstance": f"{_CORE}ParentInstance",
    "FailureDetails": f"{_CORE}FailureDetails",
    "InnerFailure": f"{_CORE}FailureDetails",
    "ParentTraceContext": f"{_CORE}Tracing.DistributedTraceContext",
    "Tags": _TEXTS_BY_NAME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who put a message: empty ids are a client's; an entity may have no execution."""

    instance_id: str = ""
    execution_id: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueMessage:
    """An event on its way to an instance, or to a worker that runs an activity for it."""

    activity_id: str
    """A random id of the message, with hyphens."""
    event: Members
    """By the names of the wire, `EventType` a number."""
    instance_id: str
    execution_id: str | None
    """None: whichever is current."""
    sequence_number: int = 0
    """Counts the messages of the sending process; with the time of storing it gives their order."""
    episode: int | None = None
    """The sender's episode; None from a client."""
    sender: Sender | None = None
    """None from tools that do not say."""
    tags: Mapping[str, str] | None = None
    """Of the sending orchestration; not None in calls of activities and children."""
    trace_context: str | None = None

    @property
    def event_type(self) -> str:
        """The name of the event's type."""
        return EVENT_TYPES.name_of(self.event["EventType"])

    @property
    def blob_name(self) -> str:
        """The blob for a message that is too large for a queue."""
        return message_blob_name(self.instance_id, self.activity_id, self.event_type)


@dataclass(frozen=True, slots=True)
class LargeMessage:
    """The message is the text in a blob; the blob stays until its instance is purged."""

    blob_name: str


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message ready to be put: the queue's JSON, and what must be in a blob before."""

    text: str
    blobs: Mapping[str, str]
    """By blob name, not yet compressed."""


def stored_message(message: QueueMessage) -> StoredMessage:
    """Write a message for a queue; one that is too large goes to a blob, and the queue gets the blob's name."""
    text = message_json(message)
    if not is_large_message(text):
        return StoredMessage(text, {})
    return StoredMessage(message_json(LargeMessage(message.blob_name)), {message.blob_name: text})


def message_json(message: QueueMessage | LargeMessage) -> str:
    """The JSON text of a message as .NET writes it, `None` as null."""
    if isinstance(message, LargeMessage):
        return dump_stored(_envelope(_NO_ACTIVITY, None, message.blob_name, 0, {}, None, None))
    sender = None
    if message.sender is not None:
        sender = {"InstanceId": message.sender.instance_id, "ExecutionId": message.sender.execution_id}
    episode = {} if message.episode is None else {"Episode": message.episode}
    task = _task_message(message)
    trace = message.trace_context
    return dump_stored(_envelope(message.activity_id, task, None, message.sequence_number, episode, sender, trace))


def read_message(text: str) -> QueueMessage | LargeMessage:
    """Read a message as a queue holds it (Base64 or not), or as a blob does.

    Members that are not needed may be missing, and types may name their assembly: other tools write less and more.

    Raises:
        ValueError: `text` is no message of a task hub.
    """
    members = _load(_plain_text(text))
    try:
        if members.get("CompressedBlobName"):
            return LargeMessage(str(members["CompressedBlobName"]))
        return _read_envelope(members)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a message of a task hub: it lacks or misplaces {error}.") from None


def queue_text(message_text: str) -> str:
    """A message's JSON as extension 2.13 puts it into a queue: Base64 of its UTF-8."""
    return base64.b64encode(message_text.encode()).decode()


def _plain_text(text: str) -> str:
    if text.lstrip("\ufeff \r\n\t").startswith("{"):
        return text.lstrip("\ufeff")
    try:
        return base64.b64decode(text, validate=True).decode("utf-8-sig")
    except (binascii.Error, ValueError) as error:
        raise ValueError("not a message of a task hub: it is neither JSON nor Base64 of UTF-8.") from error


def _load(text: str) -> dict[str, Any]:
    try:
        members = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not a message of a task hub: {error}.") from error
    if not isinstance(members, dict):
        raise ValueError("not a message of a task hub: its JSON is no object.")
    return members


def _envelope(
    activity_id: str,
    task_message: Members | None,
    blob_name: str | None,
    sequence_number: int,
    episode: Members,
    sender: Members | None,
    trace_context: str | None,
) -> dict[str, Any]:
    return {
        _TYPE: _ENVELOPE,
        "ActivityId": activity_id,
        "TaskMessage": task_message,
        "CompressedBlobName": blob_name,
        "SequenceNumber": sequence_number,
        **episode,
        "Sender": sender,
        "SerializableTraceContext": trace_context,
    }


def _task_message(message: QueueMessage) -> dict[str, Any]:
    instance = {"InstanceId": message.instance_id, "ExecutionId": message.execution_id}
    context = None
    if message.tags is not None:
        context = {
            _TYPE: f"{_CORE}OrchestrationExecutionContext",
            "OrchestrationTags": {_TYPE: _TEXTS_BY_NAME, **message.tags},
        }
    return {
        _TYPE: f"{_CORE}TaskMessage",
        "Event": {_TYPE: f"{_CORE}History.{_class_of(message.event_type)}"} | _typed(message.event),
        "SequenceNumber": 0,
        "OrchestrationInstance": _typed_member("OrchestrationInstance", instance),
        "OrchestrationExecutionContext": context,
    }


def _class_of(event_type: str) -> str:
    return event_type if event_type.endswith("Event") else f"{event_type}Event"  # GenericEvent is named like its class


def _read_envelope(members: Members) -> QueueMessage:
    task = members["TaskMessage"]
    instance, sender = task["OrchestrationInstance"], members.get("Sender")
    context = task.get("OrchestrationExecutionContext") or {}
    tags = context.get("OrchestrationTags")
    if not isinstance(instance["InstanceId"], str):
        raise TypeError("InstanceId")
    return QueueMessage(
        activity_id=members.get("ActivityId", _NO_ACTIVITY),
        event=_read_event(task["Event"]),
        instance_id=instance["InstanceId"],
        execution_id=instance.get("ExecutionId"),
        sequence_number=int(members.get("SequenceNumber") or 0),
        episode=members.get("Episode"),
        sender=sender and Sender(instance_id=sender["InstanceId"], execution_id=sender.get("ExecutionId")),
        tags=None if tags is None else _untyped(tags),
        trace_context=members.get("SerializableTraceContext"),
    )


def _read_event(members: Members) -> dict[str, Any]:
    """An event's members; its `$type`, which all writers give, says what it is."""
    class_name = str(members[_TYPE]).partition(",")[0].rpartition(".")[2]
    kind = class_name if class_name in EVENT_TYPES.names else class_name.removesuffix("Event")
    event: dict[str, Any] = _untyped(members)
    event["EventType"] = EVENT_TYPES.number_of(kind)
    return event


def _typed(members: Members) -> dict[str, Any]:
    return {name: _typed_member(name, value) for name, value in members.items()}


def _typed_member(name: str, value: Any) -> Any:
    if isinstance(value, Mapping) and name in _TYPES_OF_MEMBERS:
        return {_TYPE: _TYPES_OF_MEMBERS[name]} | _typed(value)
    return value


def _untyped(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _untyped(item) for name, item in value.items() if name != _TYPE}
    return value
