"""Instance rows of the host, and those of the Instances table."""

from __future__ import annotations

from durable_status.instance_status import RuntimeStatus
from durable_status.local_host.storage.provider import InstanceRow
from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.ticks import format_ticks_in_full, parse_ticks
from durable_status.task_hub.instances import StoredInstance
from durable_status.task_hub.large_values import Text


def stored_instance(row: InstanceRow, *, hub: str, input_text: Text | None) -> StoredInstance:
    """The instance that a client starts, as its hub stores it; a large input is in the blob of its start message."""
    return StoredInstance(
        instance_id=row.instance_id,
        execution_id=row.execution_id,
        name=row.name,
        version=row.version,
        input=input_text,
        runtime_status=RuntimeStatus(row.runtime_status.value),
        created_time=format_ticks_in_full(row.created_time),
        last_updated_time=format_ticks_in_full(row.last_updated_time),
        task_hub_name=hub,
        generation=row.generation,
    )


def instance_row(stored: StoredInstance, *, input_text: str | None, output: str | None) -> InstanceRow:
    """The row of a stored instance; the texts have been fetched where they are in blobs."""
    completed = stored.completed_time
    return InstanceRow(
        instance_id=stored.instance_id,
        execution_id=stored.execution_id,
        name=stored.name,
        version=stored.version,
        input=input_text,
        runtime_status=OrchestrationStatus(stored.runtime_status.value),
        custom_status=stored.custom_status,
        output=output,
        created_time=parse_ticks(stored.created_time),
        last_updated_time=parse_ticks(stored.last_updated_time),
        completed_time=None if completed is None else parse_ticks(completed),
        generation=stored.generation,
    )
