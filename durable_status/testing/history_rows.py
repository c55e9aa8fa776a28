"""Rows of the History table of a task hub, as the table service answers them, made into events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from durable_status.replay.event_json import event_from_members
from durable_status.replay.events import Event
from durable_status.stored_json import dump_stored
from durable_status.task_hub.history import current_rows, instance_id_of, read_event_row
from durable_status.task_hub.large_values import InBlob
from durable_status.task_hub.names import is_entity_id
from durable_status.task_hub.tables import Row, read_row
from durable_status.testing.errors import HarnessError

_TEXT_NOT_NEEDED = ("TaskScheduled", "SubOrchestrationInstanceCreated", "ExecutionCompleted")


def histories_in_rows(rows: Sequence[Mapping[str, Any]], source: str) -> Iterator[tuple[str, tuple[Event, ...]]]:
    """The instances in `rows`, and each one's events: those of its latest execution (others are leftovers).

    Raises:
        HarnessError: a text that replay needs is in a blob.
    """
    by_instance: dict[str, list[Row]] = {}
    for members in rows:
        row = _row(members)
        by_instance.setdefault(str(row["PartitionKey"]), []).append(row)
    for own in by_instance.values():
        instance_id = instance_id_of(own)
        events = tuple(_event(row, source) for row in current_rows(own))
        if events and not is_entity_id(instance_id):  # an entity's state is no replay
            yield instance_id, events


def _row(members: Mapping[str, Any]) -> Row:
    """A row as stored; an export may show the objects in it instead of their JSON text."""
    return read_row(
        {name: dump_stored(value) if isinstance(value, Mapping) else value for name, value in members.items()}
    )


def _event(row: Row, source: str) -> Event:
    members = read_event_row(row)
    for name, value in members.items():
        if not isinstance(value, InBlob):
            continue
        if row["EventType"] not in _TEXT_NOT_NEEDED:
            raise HarnessError(
                f"{source}: the {name} of the {row['EventType']} row {row['RowKey']} is in the blob "
                f"{value.blob_name}; put its text into the row and remove {name}BlobName."
            )
        members[name] = None
    return event_from_members(members)
