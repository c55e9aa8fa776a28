"""A hub that hosts want, lose and take from each other; the other hosts use the SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobLeaseClient, BlobServiceClient, ContainerClient

from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.task_hub.names import HubNames
from durable_status.task_hub.ownership import PartitionLease, intent_blob, ownership_blob
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.clock import ManualClock
from tests.durable_status.local_host.azure_storage.hubs import content

PARTITIONS = 2


class OwnedHub:
    """A hub, its leases as the SDK sees them, and hosts that want it."""

    def __init__(self, services: Services, hub: FreshTaskHub, folder: Path) -> None:
        self.services = services
        self.names = HubNames(hub.name)
        self.clock = ManualClock()
        self.folder = folder
        self._connection_string = hub.connection_string
        self._hosts: list[HubOwnership] = []  # who is forgotten lets its record go
        blobs = [
            blob_of(queue)
            for queue in self.names.control_queues(PARTITIONS)
            for blob_of in (intent_blob, ownership_blob)
        ]
        self.blobs = sorted(blobs)

    def host(self, machine: str = "here") -> HubOwnership:
        """A host on a machine."""
        host = HubOwnership(
            self.services, self.names, PARTITIONS, clock=self.clock, records=self.folder / machine, machine=machine
        )
        self._hosts.append(host)
        return host

    def leases(self) -> dict[str, PartitionLease]:
        """The contents of the blobs."""
        return {name: PartitionLease.from_text(text) for name, (text, _) in self._stored().items()}

    def held(self) -> set[str]:
        """The blobs that somebody has a lease of."""
        return {name for name, (_, state) in self._stored().items() if state == "leased"}

    @contextmanager
    def container(self, name: str | None = None) -> Iterator[ContainerClient]:
        """A container of the account, that of the leases if none is named."""
        with BlobServiceClient.from_connection_string(self._connection_string) as blobs:
            yield blobs.get_container_client(name or self.names.leases_container)

    def take(self, blob: str, machine: str) -> None:
        """Have a lease run out, and a host of another kind take it."""
        with self.container() as container:
            client = container.get_blob_client(blob)
            if blob in self.held():
                BlobLeaseClient(client).break_lease(0)
            lease = client.acquire_lease(30)
            found = PartitionLease.from_text(client.download_blob().readall().decode())
            taken = PartitionLease(
                control_queue=found.control_queue, owner=machine, token=lease.id, epoch=found.epoch + 1
            )
            client.upload_blob(taken.text(), overwrite=True, lease=lease)

    def run_out(self) -> None:
        """Have all leases run out, as time would."""
        with self.container() as container:
            for blob in self.held():
                BlobLeaseClient(container.get_blob_client(blob)).break_lease(0)

    def _stored(self) -> dict[str, tuple[str, str]]:
        found = content(self._connection_string, self.names.hub)["containers"][self.names.leases_container]
        return {name: (entry["text"], entry["lease"]) for name, entry in found.items() if "/" in name}


Story = Callable[[OwnedHub], Awaitable[None]]
Tell = Callable[[Story], None]


async def pass_time_until(hub: OwnedHub, done: asyncio.Future[Any] | asyncio.Task[Any]) -> None:
    """Move the clock on, a second at a time, while requests are answered."""
    while not done.done():
        hub.clock.advance(1)
        await hub.services.blobs.exists(hub.names.leases_container)
