"""Puts the recorded hub, `tests/goldens/storage`, into a storage account, with the storage SDKs and none of our code.

A recording goes in as the durable extension left it: rows with their types and all seven digits of times, blobs as they
can be rebuilt, and the messages that are still in a queue. What one recording says is told by the README beside them.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from azure.core.exceptions import ResourceExistsError
from azure.data.tables import EdmType, EntityProperty, TableServiceClient
from azure.storage.blob import BlobServiceClient, ContainerClient, ContentSettings
from azure.storage.queue import QueueClient, QueueServiceClient

from tests.paths import GOLDENS

STORAGE = GOLDENS / "storage"
RECORDED_HUB = "StorageHub"
NAMES = tuple(sorted(path.stem for path in STORAGE.glob("*.json") if path.stem != "hub"))
SNAPSHOTS = ("continue-as-new-1-waiting", "status-then-wait-1-waiting", "suspended-1")
"""Recordings of an instance that goes on: a later recording, of the same id, shows its end."""
LATEST = tuple(name for name in NAMES if name not in SNAPSHOTS)
"""The recordings that fit into one hub: one for each instance."""
WAITING = (*SNAPSHOTS, "status-near-limit")
"""The recordings whose instance waits for an event `go`, or to be resumed; they fit into one hub, too."""

_RECORDED_ADDRESS = "http://127.0.0.1:10000/devstoreaccount1/storagehub-largemessages/"
_ENDED = frozenset({"Completed", "Failed", "Terminated", "Canceled"})
_OF_THE_SERVICE = ("odata.etag", "Timestamp")
_TYPE = "@odata.type"


def recording(name: str) -> dict[str, Any]:
    """A recording; the messages of a snapshot are those of the later recording."""
    document: dict[str, Any] = json.loads((STORAGE / f"{name}.json").read_text(encoding="utf-8"))
    if isinstance(document["messages"], str):
        document["messages"] = recording(_later(name))["messages"]
    return document


def put_hub(connection_string: str, names: Iterable[str] = LATEST, *, hub: str = RECORDED_HUB) -> None:
    """Make a hub that no host has open, as the recorded one after a clean stop, with the instances of recordings.

    Args:
        connection_string: of the storage account.
        names: recordings, one of each instance at most.
        hub: the name to make it under, if not its own. Addresses of blobs are always those of the account.
    """
    _make_hub(connection_string, hub)
    for name in names:
        _put_recording(connection_string, recording(name), hub)


def messages_left(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The puts of a recording that are still in a queue: those of which the history says nothing.

    A message of another execution, of an instance that has ended, or put after a snapshot, is none of them, nor one to
    an entity: those are in no history, and the recordings were made when all had been read.
    """
    rows = {row["PartitionKey"]: row for row in document["instances"]}
    for put in document["messages"]:
        message = put["body"]["TaskMessage"]
        if message is None:  # a wrapper of a message in a blob
            instance_id, event = put["body"]["CompressedBlobName"].partition("/")[0], None
            execution_id = None
        else:
            instance_id, event = message["OrchestrationInstance"]["InstanceId"], message["Event"]
            execution_id = message["OrchestrationInstance"]["ExecutionId"]
        row = rows[instance_id]
        if row["RuntimeStatus"] in _ENDED or instance_id.startswith("@"):
            continue
        if execution_id not in (None, row["ExecutionId"]) or (event and event["Timestamp"] > row["LastUpdatedTime"]):
            continue
        if event is None or not any(_tells_of(line, event, instance_id) for line in document["history"]):
            yield put


def rebuilt(blob: Mapping[str, Any]) -> str | None:
    """The text of a recorded blob, or None if its length and its two ends do not tell it.

    They tell of every text but those of messages, all of which had been read.
    """
    head, tail, length = blob["head"], blob["tail"], blob["uncompressed_chars"]
    filler = head[-1]
    if set(tail.rstrip('\\"')) != {filler}:
        return None
    return str(head + filler * (length - len(head) - len(tail)) + tail)


def _later(name: str) -> str:
    (later,) = (other for other in LATEST if other.startswith(name[: name.rindex("-1")] + "-2"))
    return later


def _tells_of(row: Mapping[str, Any], event: Mapping[str, Any], instance_id: str) -> bool:
    if row["PartitionKey"] != instance_id:
        return False
    kind = event["$type"].rpartition(".")[2].removesuffix("Event")
    if kind == "TaskScheduled":  # its own row is there before it is done
        return "TaskScheduledId" in row and row["TaskScheduledId"] == event["EventId"]
    named = ("TaskScheduledId", "TimerId", "Name")
    return row.get("EventType") == kind and all(row.get(name) == event.get(name) for name in named)


def _make_hub(connection_string: str, hub: str) -> None:
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for table in ("Instances", "History"):
            tables.create_table_if_not_exists(hub + table)
    recorded = json.loads((STORAGE / "hub.json").read_text(encoding="utf-8"))
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        for queue in recorded["queues"]:
            _made(queues.get_queue_client(_renamed(queue, hub)))
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for name, content in recorded["containers"].items():
            container = _made(blobs.get_container_client(_renamed(name, hub)))
            for blob, found in content.items():
                if isinstance(found, dict):  # else it tells of a lease
                    container.upload_blob(_renamed(blob, hub), _renamed(found["text"], hub), overwrite=True)


def _made(client: Any) -> Any:
    with suppress(ResourceExistsError):
        client.create_queue() if isinstance(client, QueueClient) else client.create_container()
    return client


def _put_recording(connection_string: str, document: Mapping[str, Any], hub: str) -> None:
    container_name = _renamed("storagehub-largemessages", hub)
    with ContainerClient.from_connection_string(connection_string, container_name) as container:
        address = container.url.rstrip("/") + "/"
        for blob in document["blobs"]:
            if (text := rebuilt(blob)) is not None:
                kind = ContentSettings(content_type=blob["content_type"])
                content = gzip.compress(text.encode())
                container.upload_blob(blob["name"], content, overwrite=True, content_settings=kind)
    with TableServiceClient.from_connection_string(connection_string) as tables:
        for table in ("Instances", "History"):
            client = tables.get_table_client(hub + table)
            for row in document[table.lower()]:
                client.create_entity(_entity(row, hub, address))
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        for put in messages_left(document):
            text = json.dumps(put["body"], separators=(",", ":"), ensure_ascii=False)
            client = queues.get_queue_client(_renamed(put["queue"], hub))
            client.send_message(base64.b64encode(text.encode()).decode(), time_to_live=-1)


def _entity(row: Mapping[str, Any], hub: str, address: str) -> dict[str, Any]:
    """A row for the SDK, which drops digits of a time unless it gets it as text."""
    entity: dict[str, Any] = {}
    for name, value in row.items():
        if name in _OF_THE_SERVICE or name.endswith(_TYPE):
            continue
        edm_type = row.get(name + _TYPE)
        if isinstance(value, str) and value.startswith(_RECORDED_ADDRESS):
            value = address + value.removeprefix(_RECORDED_ADDRESS)
        if name == "TaskHubName":
            value = hub
        entity[name] = value if edm_type is None else EntityProperty(value, EdmType(edm_type))
    return entity


def _renamed(text: str, hub: str) -> str:
    """A name or a text of the recorded hub under another name."""
    return str(text).replace(RECORDED_HUB, hub).replace(RECORDED_HUB.lower(), hub.lower())
