"""The recorded hub, put into Azurite, is there as it was recorded."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from azure.data.tables import TableClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.recorded_hubs import LATEST, NAMES, SNAPSHOTS, STORAGE, WAITING, messages_left, put_hub, rebuilt, recording


def _as_answered(connection_string: str, table: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of a table by their keys, as the service answers them."""
    pages: list[Any] = []
    with TableClient.from_connection_string(connection_string, table) as client:
        list(client.list_entities(raw_response_hook=lambda reply: pages.append(json.loads(reply.http_response.body()))))
    return {_key(row): _own(row) for page in pages for row in page["value"]}


def _key(row: dict[str, Any]) -> tuple[str, str]:
    return row["PartitionKey"], row["RowKey"]


def _own(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith(("odata.", "Timestamp"))}


@pytest.mark.parametrize("names", [LATEST, WAITING])
def test_rows_are_those_of_the_recordings_types_and_digits_included(
    task_hub: FreshTaskHub, names: tuple[str, ...]
) -> None:
    put_hub(task_hub.connection_string, names, hub=task_hub.name)

    for table in ("Instances", "History"):
        stored = _as_answered(task_hub.connection_string, task_hub.name + table)
        recorded = {_key(row): _own(row) for name in names for row in recording(name)[table.lower()]}
        for row in (*stored.values(), *recorded.values()):
            row.pop("TaskHubName", None)
            for column in ("Input", "Output"):
                if str(row.get(column)).endswith(".json.gz"):  # the account is another, and so is the hub
                    row[column] = row[column].split("-largemessages/")[1]
        assert stored == recorded


def test_a_hub_has_the_recorded_queues_and_containers_under_its_name_and_its_blobs(task_hub: FreshTaskHub) -> None:
    put_hub(task_hub.connection_string, hub=task_hub.name)

    hub = json.loads((STORAGE / "hub.json").read_text())
    with QueueServiceClient.from_connection_string(task_hub.connection_string) as queues:
        found = {queue.name for queue in queues.list_queues(name_starts_with=task_hub.name.lower())}
    assert found == {queue.replace("storagehub", task_hub.name.lower()) for queue in hub["queues"]}
    with BlobServiceClient.from_connection_string(task_hub.connection_string) as blobs:
        container = blobs.get_container_client(f"{task_hub.name.lower()}-leases")
        told = json.loads(container.download_blob("taskhub.json").readall())
        assert told == {"TaskHubName": task_hub.name, "CreatedAt": "2026-11-22T11:30:34.5439566Z", "PartitionCount": 4}
        large = blobs.get_container_client(f"{task_hub.name.lower()}-largemessages")
        for blob in [blob for name in LATEST for blob in recording(name)["blobs"] if rebuilt(blob) is not None]:
            text = gzip.decompress(large.download_blob(blob["name"]).readall()).decode()
            assert (len(text), text[:700], text[-200:]) == (blob["uncompressed_chars"], blob["head"], blob["tail"])


def test_every_text_of_a_row_can_be_rebuilt() -> None:
    lost = {
        blob["name"].rpartition("/")[2][:8] for name in NAMES for blob in recording(name)["blobs"] if not rebuilt(blob)
    }

    assert lost == {"message-"}


@pytest.mark.parametrize("name", NAMES)
def test_recordings_were_made_when_all_messages_had_been_read(name: str) -> None:
    assert list(messages_left(recording(name))) == []


def test_a_message_that_the_history_does_not_know_is_still_in_its_queue() -> None:
    document = recording(SNAPSHOTS[1])
    document["instances"][0]["LastUpdatedTime"] = "2999-01-01T00:00:00Z"  # as if the event had come before

    (left,) = messages_left(document)

    assert left["body"]["TaskMessage"]["Event"]["Name"] == "go"
