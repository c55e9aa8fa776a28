"""Rows of the History table, and the members of events that they hold (storage.md §3).

A row has a column for each member of its event that is not null; objects are JSON text, enumerations their names. What
an activity or a child is called with is not in the history: it is in their message only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from durable_status.stored_json import dump_stored, utf16_size, well_formed
from durable_status.task_hub.large_values import InBlob, is_large_property, property_blob_name
from durable_status.task_hub.names import SENTINEL, escape_key, history_row_key, unescape_key
from durable_status.task_hub.numbers import EVENT_TYPES, ORCHESTRATION_STATUSES
from durable_status.task_hub.tables import Row, is_time, short_time_text, time_text

Members = Mapping[str, Any]
"""An event by the names of the wire, as `replay.event_json` reads and writes it."""

MAX_BATCH_ROWS = 99
"""Event rows in one transaction of the table service, which takes 100 with the sentinel."""
MAX_BATCH_SIZE = 3 * 1024 * 1024

_BLOB_NAME = "BlobName"
_OFFLOADED = ("Name", "Input", "Result", "Output", "Reason", "Details", "Correlation", "FailureDetails", "Tags")
_OBJECTS = frozenset({"OrchestrationInstance", "ParentInstance", "ParentTraceContext", "Tags", "FailureDetails"})
_NOT_OF_THE_EVENT = frozenset({"PartitionKey", "RowKey", "ExecutionId", "EventType", "_Timestamp"})
_INPUT_ONLY_IN_MESSAGE = ("TaskScheduled", "SubOrchestrationInstanceCreated")
_ROW_OVERHEAD = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One generation of an instance: whose rows these are."""

    instance_id: str
    execution_id: str


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row to store and the texts that must be in blobs before it is."""

    row: Row
    blobs: Mapping[str, str]
    """By blob name, not yet compressed."""


def event_row(event: Members, of: Execution, index: int, *, suffix: str) -> StoredRow:
    """The row of the event number `index` (from 0) of an execution.

    `suffix`: 8 random hexadecimal digits for the names of blobs.

    Raises:
        ValueError: a member is not of its column's type.
    """
    kind = EVENT_TYPES.name_of(event["EventType"])
    partition_key, row_key = escape_key(of.instance_id), history_row_key(index)
    row: Row = {"PartitionKey": partition_key, "RowKey": row_key}
    blobs: dict[str, str] = {}
    for name, value in event.items():
        if value is None or name in ("EventType", "Timestamp") or (name == "Input" and kind in _INPUT_ONLY_IN_MESSAGE):
            continue
        column = _column(name, value)
        if name in _OFFLOADED and isinstance(column, str) and is_large_property(column):
            blob_name = property_blob_name(partition_key, row_key, kind, name, suffix)
            blobs[blob_name] = column
            row[name + _BLOB_NAME] = blob_name
            column = ""
        row[name] = column
    row |= {"_Timestamp": time_text(event["Timestamp"]), "EventType": kind, "ExecutionId": of.execution_id}
    return StoredRow(row, blobs)


def read_event_row(row: Row) -> dict[str, Any]:
    """The members of a row's event; a text that is in a blob is an `InBlob` (`with_texts` puts it in).

    Raises:
        ValueError: the row is no event of a known type, or a text in it is not the JSON it should be.
    """
    members: dict[str, Any] = {"EventType": EVENT_TYPES.number_of(str(row.get("EventType")))}
    for name, value in row.items():
        if name in _NOT_OF_THE_EVENT or (name.endswith(_BLOB_NAME) and name.removesuffix(_BLOB_NAME) in _OFFLOADED):
            continue
        blob_name = row.get(name + _BLOB_NAME)
        members[name] = InBlob(str(blob_name)) if blob_name else _member(name, value)
    if "_Timestamp" not in row:
        raise ValueError(f"the History row {row.get('RowKey')!r} has no _Timestamp: this is no row of a task hub.")
    members["Timestamp"] = short_time_text(str(row["_Timestamp"]))
    return members


def with_texts(members: Members, texts: Mapping[str, str]) -> dict[str, Any]:
    """The members with the texts of blobs, by blob name, in their places.

    Raises:
        KeyError: a text is missing.
    """
    return {
        name: _member(name, texts[value.blob_name]) if isinstance(value, InBlob) else value
        for name, value in members.items()
    }


def sentinel_row(of: Execution, *, checkpoint_completed: str | None) -> Row:
    """The row that locks an instance's history and names its execution.

    `checkpoint_completed`: when the episode's last batch was written; None for the batches before.
    """
    row: Row = {
        "PartitionKey": escape_key(of.instance_id),
        "RowKey": SENTINEL,
        "ExecutionId": of.execution_id,
        "IsCheckpointComplete": checkpoint_completed is not None,
    }
    if checkpoint_completed is not None:
        row["CheckpointCompletedTimestamp"] = time_text(checkpoint_completed)
    return row


def current_rows(rows: Sequence[Row]) -> list[Row]:
    """The event rows of an instance's current execution, in order.

    `rows` are all rows of its partition, in any order. Rows of an older, longer execution stay behind those of the
    current one.
    """
    ordered = sorted(rows, key=lambda row: str(row["RowKey"]))
    execution_id = current_execution(ordered)
    current: list[Row] = []
    for row in ordered:
        if row["RowKey"] == SENTINEL:
            continue
        if row.get("ExecutionId") != execution_id:
            break
        current.append(row)
    return current


def current_execution(ordered: Sequence[Row]) -> str | None:
    """The execution that the sentinel names; without one, that of the first row."""
    named = [row for row in ordered if row["RowKey"] == SENTINEL] or list(ordered)
    return str(named[0]["ExecutionId"]) if named and "ExecutionId" in named[0] else None


def instance_id_of(ordered: Sequence[Row]) -> str:
    """The id of the instance whose rows these are."""
    return unescape_key(str(ordered[0]["PartitionKey"]))


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Cut an episode's rows into what one transaction takes, its sentinel left out; none is empty."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += _ROW_OVERHEAD + sum(_size(str(row[name])) for name in _OFFLOADED if name in row)
        if len(batch) == MAX_BATCH_ROWS or size > MAX_BATCH_SIZE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _size(text: str) -> int:
    # The platform counts UTF-16 only; but rows travel in UTF-8, and the service takes 4 MiB of that.
    return 2 * len(text) if text.isascii() else max(utf16_size(text), len(well_formed(text).encode()))


def _column(name: str, value: Any) -> str | int | bool:
    if name == "OrchestrationStatus":
        return ORCHESTRATION_STATUSES.name_of(value)
    if name in _OBJECTS:
        return dump_stored(value)
    if is_time(name):
        return time_text(value)
    if not isinstance(value, str | int):
        raise ValueError(f"the member {name} of an event holds {value!r}; no column takes that.")
    return value


def _member(name: str, value: str | int | bool) -> Any:
    if name == "OrchestrationStatus":
        return ORCHESTRATION_STATUSES.number_of(str(value))
    if name in _OBJECTS:
        return json.loads(str(value))
    return short_time_text(str(value)) if is_time(name) else value
