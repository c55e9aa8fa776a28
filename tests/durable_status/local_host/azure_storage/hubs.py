"""Hubs for tests: made by our host, and looked at with the SDK."""

from __future__ import annotations

from typing import Any

from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.azure_storage.hub import open_hub
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.task_hub.names import HubNames
from durable_status.task_hub.ownership import HubConfig
from tests.clock import ManualClock


async def open_now(
    services: Services, hub: str, *, partition_count: int | None = 2, clock: Clock | None = None
) -> HubConfig:
    """Open a hub, which need not be there, without waiting for its other hosts."""
    return await open_hub(
        services, HubNames(hub), partition_count=partition_count, clock=clock or ManualClock(), wait=False
    )


def content(connection_string: str, hub: str) -> dict[str, Any]:
    """All that an account has of a hub, in the form of the recording ``hub.json``."""
    prefix = hub.lower()
    with (
        BlobServiceClient.from_connection_string(connection_string) as blobs,
        QueueServiceClient.from_connection_string(connection_string) as queues,
        TableServiceClient.from_connection_string(connection_string) as tables,
    ):
        containers: dict[str, Any] = {}
        for container in blobs.list_containers(name_starts_with=prefix):
            client = blobs.get_container_client(container.name)
            found = containers[container.name] = {"(container lease)": container.lease.state}
            for blob in client.list_blobs():
                text = client.download_blob(blob.name).readall().decode()
                found[blob.name] = {"text": text, "lease": blob.lease.state}
        return {
            "containers": containers,
            "queues": [queue.name for queue in queues.list_queues(name_starts_with=prefix)],
            "tables": sorted(table.name for table in tables.list_tables() if table.name.lower().startswith(prefix)),
        }


def put_blob(connection_string: str, container: str, name: str, text: str) -> None:
    """Write a blob as another host may; its container is made when it is missing."""
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        client = blobs.get_container_client(container)
        if not client.exists():
            client.create_container()
        client.upload_blob(name, text, overwrite=True)


def put_row(connection_string: str, table: str, row: dict[str, Any]) -> None:
    """Write a row as another host may; its table is made when it is missing."""
    with TableServiceClient.from_connection_string(connection_string) as tables:
        tables.create_table_if_not_exists(table).upsert_entity(row)
