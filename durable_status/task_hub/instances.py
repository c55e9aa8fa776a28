"""Rows of the Instances table (storage.md §2): how one reads, how one begins, what an episode changes.

The table follows the history, which is the truth: a row begins as *Pending* with the start message, and each episode
merges what its own rows of the History table say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from durable_status.instance_status import RuntimeStatus
from durable_status.stored_json import dump_stored
from durable_status.task_hub.history import Execution, StoredRow
from durable_status.task_hub.large_values import (
    InBlob,
    Text,
    blob_name_in,
    blob_url,
    is_large_property,
    property_blob_name,
)
from durable_status.task_hub.names import INSTANCE_ROW_KEY, escape_key, unescape_key
from durable_status.task_hub.tables import Row, time_text

_NULL = "null"
_KEYS = ("PartitionKey", "RowKey")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInstance:
    """A row of the Instances table. Texts are as stored: JSON, or the raw text of a reason; times are UTC texts."""

    instance_id: str
    execution_id: str
    name: str
    version: str = ""
    input: Text | None = None
    runtime_status: RuntimeStatus
    custom_status: str | None = None
    """JSON text; None also for a status of null."""
    output: Text | None = None
    created_time: str
    last_updated_time: str
    completed_time: str | None = None
    scheduled_start_time: str | None = None
    task_hub_name: str | None = None
    generation: int | None = None
    """None, as the hub's name, for children and entities: they had no client that started them."""
    tags: Mapping[str, str] | None = None


def read_instance(row: Row, container: str) -> StoredInstance:
    """The instance in a row; `container` is the hub's for large messages.

    Raises:
        ValueError: the row lacks a column that every instance has, or holds what no instance has.
    """
    try:
        return StoredInstance(
            instance_id=unescape_key(str(row["PartitionKey"])),
            execution_id=str(row["ExecutionId"]),
            name=str(row["Name"]),
            version=_text(row, "Version") or "",
            input=_large_text(row, "Input", container),
            runtime_status=_status(str(row["RuntimeStatus"]), row),
            custom_status=_not_null(_text(row, "CustomStatus")),
            output=_large_text(row, "Output", container),
            created_time=str(row["CreatedTime"]),
            last_updated_time=str(row["LastUpdatedTime"]),
            completed_time=_text(row, "CompletedTime"),
            scheduled_start_time=_text(row, "ScheduledStartTime"),
            task_hub_name=_text(row, "TaskHubName"),
            generation=int(row["Generation"]) if "Generation" in row else None,
            tags=json.loads(_text(row, "Tags") or _NULL),
        )
    except KeyError as error:
        raise ValueError(
            f"the Instances row {row.get('PartitionKey')!r} has no {error.args[0]}: this is no row of a task hub."
        ) from None


def instance_row(instance: StoredInstance, container_url: str) -> Row:
    """The whole row of an instance, to insert or to replace another with.

    `container_url` is the address of the hub's container of large messages, which texts in blobs are shown under. A
    Pending row has a custom status only where there is one; any other row has the text ``null`` instead.
    """
    pending = instance.runtime_status is RuntimeStatus.PENDING
    columns: dict[str, Any] = {
        "PartitionKey": escape_key(instance.instance_id),
        "RowKey": INSTANCE_ROW_KEY,
        "Input": _shown(instance.input, container_url),
        "CreatedTime": time_text(instance.created_time),
        "Name": instance.name,
        "Version": instance.version,
        "RuntimeStatus": instance.runtime_status.value,
        "LastUpdatedTime": time_text(instance.last_updated_time),
        "TaskHubName": instance.task_hub_name,
        "ScheduledStartTime": _time(instance.scheduled_start_time),
        "ExecutionId": instance.execution_id,
        "Generation": instance.generation,
        "Tags": None if instance.generation is None else dump_stored(instance.tags),
        "CustomStatus": instance.custom_status or (None if pending else _NULL),
        "CompletedTime": _time(instance.completed_time),
        "Output": _shown(instance.output, container_url),
    }
    return {name: value for name, value in columns.items() if value is not None}


def pending_row(instance: StoredInstance, container_url: str, *, suffix: str) -> StoredRow:
    """The row of an instance that a client starts, to insert, or to replace the row of an ended one with.

    An input that is part of a large start message is an `InBlob` of that message. One that only a column cannot hold
    goes to a blob of its own, whose name ends in `suffix` (8 random hexadecimal digits): the platform's own readers see
    it as empty until the first episode.
    """
    row = instance_row(instance, container_url)
    if not isinstance(instance.input, str) or not is_large_property(instance.input):
        return StoredRow(row, {})
    name = property_blob_name(str(row["PartitionKey"]), INSTANCE_ROW_KEY, "Input", "Input", suffix)
    return StoredRow(row | {"Input": "", "InputBlobName": name}, {name: instance.input})


def episode_columns(
    rows: Sequence[Row], of: Execution, *, custom_status: str | None, completed_time: str, container_url: str
) -> Row:
    """What an episode merges into the row of its instance: its custom status, and what its History `rows` tell.

    `completed_time` is the clock's, stored if the instance has ended; all other times are those of events.
    """
    columns: Row = {
        "PartitionKey": escape_key(of.instance_id),
        "RowKey": INSTANCE_ROW_KEY,
        "CustomStatus": custom_status or _NULL,
        "ExecutionId": of.execution_id,
        "LastUpdatedTime": rows[-1]["_Timestamp"],
    }
    for row in rows:
        columns |= _columns_after(row, completed_time, container_url)
    return columns


def _columns_after(row: Row, completed_time: str, container_url: str) -> Row:
    ended: Row = {"CompletedTime": time_text(completed_time)}
    match row["EventType"]:
        case "ExecutionStarted":
            columns: Row = {name: row[name] for name in ("Name", "Version", "ScheduledStartTime") if name in row}
            columns |= {"CreatedTime": row["_Timestamp"], "RuntimeStatus": RuntimeStatus.RUNNING.value}
            return columns | _told(row, "Input", "Input", container_url)
        case "ExecutionCompleted":
            ended["RuntimeStatus"] = row["OrchestrationStatus"]
            return ended | _told(row, "Result", "Output", container_url)
        case "ExecutionTerminated":
            ended["RuntimeStatus"] = RuntimeStatus.TERMINATED.value
            return ended | _told(row, "Input", "Output", container_url)
        case "ExecutionSuspended":
            return {"RuntimeStatus": RuntimeStatus.SUSPENDED.value} | _told(row, "Reason", "Output", container_url)
        case "ExecutionResumed":
            return {"RuntimeStatus": RuntimeStatus.RUNNING.value} | _told(row, "Reason", "Output", container_url)
    return {}


def _told(row: Row, column: str, shown_as: str, container_url: str) -> Row:
    """The text of a History column as the Instances table shows it; nothing if there is none."""
    blob_name = row.get(f"{column}BlobName")
    if blob_name:
        return {shown_as: blob_url(container_url, str(blob_name))}
    return {shown_as: row[column]} if column in row else {}


def _shown(text: Text | None, container_url: str) -> str | None:
    return blob_url(container_url, text.blob_name) if isinstance(text, InBlob) else text


def _large_text(row: Row, column: str, container: str) -> Text | None:
    text = _text(row, column)
    if text == "" and f"{column}BlobName" in row:  # a Pending row; a later episode leaves the name behind
        return InBlob(str(row[f"{column}BlobName"]))
    blob_name = None if text is None else blob_name_in(text, container)
    return text if blob_name is None else InBlob(blob_name)


def _text(row: Row, column: str) -> str | None:
    return str(row[column]) if column in row else None


def _status(text: str, row: Row) -> RuntimeStatus:
    try:
        return RuntimeStatus(text)
    except ValueError:
        raise ValueError(
            f"the Instances row {row.get('PartitionKey')!r} has the runtime status {text!r}, which this version does "
            "not know; read the hub with a newer one."
        ) from None


def _time(text: str | None) -> str | None:
    return None if text is None else time_text(text)


def _not_null(text: str | None) -> str | None:
    return None if text == _NULL else text
