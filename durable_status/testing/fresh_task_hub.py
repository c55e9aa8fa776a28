"""A task hub in Azure Storage that no other test has."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

from azure.core.exceptions import AzureError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from durable_status.task_hub.names import HubNames


def _unused_name() -> str:
    return f"Test{uuid4().hex}"


@dataclass(frozen=True, slots=True)
class FreshTaskHub:
    """A name that no hub of the account has, and the account. The hub itself is made by who uses it first."""

    connection_string: str = field(repr=False)
    name: str = field(default_factory=_unused_name)

    @property
    def settings(self) -> Mapping[str, str]:
        """The environment in which a host, of any app, uses this hub."""
        return {
            "AzureWebJobsStorage": self.connection_string,
            "AzureFunctionsJobHost__extensions__durableTask__hubName": self.name,
        }

    def delete(self) -> None:
        """Delete its tables, queues and containers, as far as they are there and the account answers."""
        names, prefix, once = HubNames(self.name), f"{self.name.lower()}-", {"retry_total": 0}
        with suppress(AzureError), TableServiceClient.from_connection_string(self.connection_string, **once) as tables:
            for table in (names.instances_table, names.history_table, names.partitions_table):
                tables.delete_table(table)
        with suppress(AzureError), QueueServiceClient.from_connection_string(self.connection_string, **once) as queues:
            for queue in queues.list_queues(name_starts_with=prefix):
                queues.delete_queue(queue)
        with suppress(AzureError), BlobServiceClient.from_connection_string(self.connection_string, **once) as blobs:
            for container in blobs.list_containers(name_starts_with=prefix):
                blobs.delete_container(container)
