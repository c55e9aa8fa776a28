"""What is wrong in a task hub whose work is done: rows that disagree, events twice, messages left, blobs gone.

It reads the account with the storage SDKs, as another program would.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from durable_status.task_hub.history import current_rows
from durable_status.task_hub.large_values import blob_name_in
from durable_status.task_hub.names import SENTINEL, HubNames, history_row_key, is_entity_id, unescape_key
from durable_status.task_hub.tables import Row

_ANSWERED_BY = {
    "TaskScheduled": ("TaskCompleted", "TaskFailed"),
    "SubOrchestrationInstanceCreated": ("SubOrchestrationInstanceCompleted", "SubOrchestrationInstanceFailed"),
    "TimerCreated": ("TimerFired",),
}
_ENDED = ("Completed", "Failed", "Terminated")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHub:
    """All that is stored of a hub; rows by instance id."""

    names: HubNames
    instances: Mapping[str, Row]
    history: Mapping[str, Sequence[Row]]
    """The rows of the current execution, without the sentinel."""
    sentinels: Mapping[str, Row]
    messages: Mapping[str, int]
    """How many messages are in a queue, visible or not."""
    blobs: frozenset[str]


def stored_hub(
    names: HubNames,
    instances: Iterable[Row],
    history: Iterable[Row],
    *,
    messages: Mapping[str, int],
    blobs: Iterable[str],
) -> StoredHub:
    """A hub of these rows."""
    by_instance: defaultdict[str, list[Row]] = defaultdict(list)
    for row in history:
        by_instance[_instance_id(row)].append(row)
    return StoredHub(
        names=names,
        instances={_instance_id(row): row for row in instances},
        history={instance_id: current_rows(rows) for instance_id, rows in by_instance.items()},
        sentinels={
            _instance_id(row): row for rows in by_instance.values() for row in rows if row["RowKey"] == SENTINEL
        },
        messages=messages,
        blobs=frozenset(blobs),
    )


def read_hub(connection_string: str, hub: str) -> StoredHub:
    """Read the whole hub."""
    names = HubNames(hub)
    with TableServiceClient.from_connection_string(connection_string) as tables:
        instances = list(_rows(tables, names.instances_table))
        history = list(_rows(tables, names.history_table))
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        container = blobs.get_container_client(names.large_messages_container)
        stored = list(container.list_blob_names()) if container.exists() else []
    return stored_hub(names, instances, history, messages=count_messages(connection_string, hub), blobs=stored)


def count_messages(connection_string: str, hub: str) -> dict[str, int]:
    """How many messages are in each queue of a hub, visible or not."""
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        names = [queue.name for queue in queues.list_queues(name_starts_with=f"{hub.lower()}-")]
        return {name: queues.get_queue_client(name).get_queue_properties().approximate_message_count for name in names}


def hub_flaws(hub: StoredHub) -> list[str]:
    """A sentence for everything that is wrong; every instance but entities has to have ended."""
    flaws = [f"{count} messages are left in {queue}" for queue, count in hub.messages.items() if count]
    flaws += [f"{instance_id} has a history and no row" for instance_id in hub.history.keys() - hub.instances.keys()]
    for instance_id, row in hub.instances.items():
        events = hub.history.get(instance_id, ())
        found = [*_flaws_of_rows(row, events, hub.sentinels.get(instance_id)), *_flaws_of_events(events)]
        if is_entity_id(instance_id):
            found += [] if row["RuntimeStatus"] == "Running" else [f"the entity is {row['RuntimeStatus']}"]
        else:
            found += _flaws_of_end(row, events)
        found += [f"the blob {name} is gone" for name in _blob_names(hub, [row, *events]) if name not in hub.blobs]
        flaws += [f"{instance_id}: {flaw}" for flaw in found]
    return flaws


def _flaws_of_rows(row: Row, events: Sequence[Row], sentinel: Row | None) -> Iterator[str]:
    """Whether both tables tell of one execution, and its rows are all there."""
    if sentinel is None:
        yield "there is no sentinel"
        return
    if sentinel["ExecutionId"] != row["ExecutionId"]:
        yield "sentinel and instance name different executions"
    if sentinel["IsCheckpointComplete"] is not True:
        yield "its last checkpoint is not complete"
    keys = [event["RowKey"] for event in events]
    if keys != [history_row_key(index) for index in range(len(keys))]:
        yield f"its rows are {keys}"
    if not events or events[-1]["EventType"] != "OrchestratorCompleted":
        yield "its history does not end with an episode"
    elif events[-1]["_Timestamp"] != row["LastUpdatedTime"]:
        yield f"its last event is of {events[-1]['_Timestamp']}, its row of {row['LastUpdatedTime']}"


def _flaws_of_events(events: Sequence[Row]) -> Iterator[str]:
    """Whether an event is there twice, or answers nothing."""
    if [event["EventType"] for event in events].count("ExecutionStarted") != 1:
        yield "it does not start once"
    for kind, answers in _ANSWERED_BY.items():
        asked = Counter(event["EventId"] for event in events if event["EventType"] == kind)
        answered = Counter(_answered_id(event) for event in events if event["EventType"] in answers)
        yield from (f"{kind} {number} is there {count} times" for number, count in asked.items() if count > 1)
        yield from (f"{kind} {number} is answered {count} times" for number, count in answered.items() if count > 1)
        yield from (f"an answer to {kind} {number}, which is not there" for number in answered if number not in asked)
    raised = Counter((event["Name"], event.get("Input")) for event in events if event["EventType"] == "EventRaised")
    yield from (f"the event {name} is there {count} times" for (name, _), count in raised.items() if count > 1)


def _flaws_of_end(row: Row, events: Sequence[Row]) -> Iterator[str]:
    """Whether it ended, with every task answered, and its row says so."""
    ends = [event for event in events if event["EventType"] == "ExecutionCompleted"]
    if len(ends) != 1 or row["RuntimeStatus"] not in _ENDED:
        yield f"it is {row['RuntimeStatus']} and ended {len(ends)} times"
        return
    if row["RuntimeStatus"] != ends[0]["OrchestrationStatus"]:
        yield f"it is {row['RuntimeStatus']}, its history {ends[0]['OrchestrationStatus']}"
    if "ResultBlobName" not in ends[0] and row.get("Output") != ends[0].get("Result"):
        yield f"its output is {row.get('Output')}, in its history {ends[0].get('Result')}"
    if "CompletedTime" not in row:
        yield "it has no time of completion"
    for kind, answers in _ANSWERED_BY.items():
        asked = {event["EventId"] for event in events if event["EventType"] == kind}
        answered = {_answered_id(event) for event in events if event["EventType"] in answers}
        yield from (f"{kind} {number} was never answered" for number in asked - answered)


def _answered_id(event: Row) -> Any:
    return event["TimerId"] if event["EventType"] == "TimerFired" else event["TaskScheduledId"]


def _blob_names(hub: StoredHub, rows: Iterable[Row]) -> Iterator[str]:
    for row in rows:
        for name, value in row.items():
            if name.endswith("BlobName"):
                yield str(value)
            elif name in ("Input", "Output") and isinstance(value, str):
                blob_name = blob_name_in(value, hub.names.large_messages_container)
                if blob_name is not None:
                    yield blob_name


def _instance_id(row: Row) -> str:
    return unescape_key(str(row["PartitionKey"]))


def _rows(tables: TableServiceClient, name: str) -> Iterator[Row]:
    for entity in tables.get_table_client(name).list_entities():
        yield {column: _value(value) for column, value in entity.items()}


def _value(value: Any) -> Any:
    """Times as the service has them, with all their digits."""
    return getattr(value, "tables_service_value", None) or value
