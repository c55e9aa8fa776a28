"""A process that has a hub until its stdin ends: ``python -m … CONNECTION_STRING HUB RECORDS``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from durable_status.local_host.clock import SystemClock
from durable_status.local_host.storage.azure_storage.hub import open_hub
from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.local_host.storage.azure_storage.services import open_services
from durable_status.task_hub.connection import read_connection
from durable_status.task_hub.names import HubNames


async def main(connection_string: str, hub: str, records: Path) -> None:
    """Acquire the hub, say so, and release it at the end of stdin."""
    clock, names = SystemClock(), HubNames(hub)
    async with open_services(read_connection("X", {"X": connection_string})) as services:
        config = await open_hub(services, names, partition_count=None, clock=clock, wait=False)
        ownership = HubOwnership(services, names, config.partition_count, clock=clock, records=records)
        await ownership.acquire(wait=False)
        print("held", flush=True)
        async with ownership.running():
            await asyncio.to_thread(sys.stdin.read)
        await ownership.release()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
