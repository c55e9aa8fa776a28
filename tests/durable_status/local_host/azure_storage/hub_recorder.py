"""Reads what a host left in a task hub, in the form of `tests/goldens/storage`.

By the storage SDKs, with no code of ours. Blobs have their whole text besides its ends.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueServiceClient

_HEAD = 700
_TAIL = 200


def record_instance(
    connection_string: str, hub: str, instance_id: str, puts: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """The record of an instance, and of the children and entities that its history names.

    Args:
        connection_string: of the storage account.
        hub: the hub's name.
        instance_id: one that a key can hold as it is.
        puts: every message that was put into the hub's queues, in order.
    """
    rows = record_rows(connection_string, hub, instance_id)
    named = (row["InstanceId"] for row in rows["history"] if "InstanceId" in row)
    ids = list(dict.fromkeys([instance_id, *named]))
    return rows | {
        "messages": [dict(put) for put in puts if _target(put) in ids],
        "blobs": list(_blobs(connection_string, f"{hub.lower()}-largemessages", ids)),
    }


def record_rows(connection_string: str, hub: str, instance_id: str) -> dict[str, Any]:
    """The part of a record that is in tables."""
    with TableServiceClient.from_connection_string(connection_string) as tables:
        ids, history = [instance_id], []
        for one in ids:
            for row in _rows(tables, f"{hub}History", one):
                history.append(row)
                if "InstanceId" in row and row["InstanceId"] not in ids:
                    ids.append(row["InstanceId"])
        return {
            "instances": [row for one in ids for row in _rows(tables, f"{hub}Instances", one)],
            "history": history,
        }


def record_hub(connection_string: str, hub: str) -> dict[str, Any]:
    """The hub's containers, blobs with the state of their leases, queues and tables, as in hub.json."""
    prefix = f"{hub.lower()}-"
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        containers = {found.name: _container(blobs, found.name) for found in blobs.list_containers(prefix)}
    with QueueServiceClient.from_connection_string(connection_string) as queues:
        queue_names = sorted(queue.name for queue in queues.list_queues(prefix))
    with TableServiceClient.from_connection_string(connection_string) as tables:
        table_names = sorted(table.name for table in tables.list_tables() if table.name.startswith(hub))
    return {"containers": containers, "queues": queue_names, "tables": table_names}


def _rows(tables: TableServiceClient, table: str, instance_id: str) -> list[dict[str, Any]]:
    """The rows of an instance as the service wrote them: the SDK's own reading drops digits of times."""
    answers: list[Any] = []
    found = tables.get_table_client(table).query_entities(
        "PartitionKey eq @key",
        parameters={"key": instance_id},
        raw_response_hook=lambda answer: answers.append(answer.http_response.json()),
    )
    list(found)
    return [
        {name: value for name, value in row.items() if name != "odata.metadata"}
        for answer in answers
        for row in answer["value"]
    ]


def _target(put: Mapping[str, Any]) -> str:
    """Whose message it is: the instance that it is for, or that an activity is to be run for."""
    body = put["body"]
    if body["TaskMessage"] is None:
        return str(body["CompressedBlobName"]).rpartition("/")[0]
    return str(body["TaskMessage"]["OrchestrationInstance"]["InstanceId"])


def _blobs(connection_string: str, container_name: str, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    with ContainerClient.from_connection_string(connection_string, container_name) as container:
        try:
            names = [blob.name for one in ids for blob in container.list_blobs(name_starts_with=f"{one}/")]
        except ResourceNotFoundError:  # the hub never had a large value
            return
        for name in names:
            content = container.download_blob(name)
            text = gzip.decompress(content.readall()).decode()
            settings = content.properties.content_settings
            yield {
                "name": name,
                "size": content.properties.size,
                "content_type": settings.content_type,
                "content_encoding": settings.content_encoding,
                "uncompressed_chars": len(text),
                "head": text[:_HEAD],
                "tail": text[-_TAIL:],
                "text": text,
            }


def _container(blobs: BlobServiceClient, name: str) -> dict[str, Any]:
    if name.endswith("-largemessages"):
        return {}
    with blobs.get_container_client(name) as container:
        found: dict[str, Any] = {
            blob.name: {
                "text": container.download_blob(blob.name).readall().decode(),
                "lease": blob.lease.state,
            }
            for blob in container.list_blobs()
        }
        return found | {"(container lease)": container.get_container_properties().lease.state}
