"""What tests of the management API share: hosts of the recordings' app, profile 2.13 unless a test says otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13
from tests.hosts import TRANSCRIPTS, Answer, RunningHost, running_host
from tests.quiet_storage import QuietStorage


def with_host(test: Callable[[RunningHost], Any], **options: Any) -> Any:
    """Run `test` on a host of the recordings' app."""

    async def main() -> Any:
        async with running_host(options.pop("folder", TRANSCRIPTS), **{"profile": PROFILE_2_13, **options}) as host:
            return await test(host)

    return asyncio.run(main())


async def start(host: RunningHost, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
    """Start on the RPC endpoint."""
    return await host.request("POST", f"/durabletask/orchestrators/{path}", body, headers=dict(headers), rpc=True)


def with_storage(
    test: Callable[[RunningHost, QuietStorage], Any],
    make_storage: Callable[[Clock], StorageProvider] = MemoryStorage,
) -> Any:
    """Run `test` on a host of the recordings' app and with its storage."""

    async def main() -> Any:
        storage: list[QuietStorage] = []

        def make(clock: Clock) -> Any:
            storage.append(QuietStorage(make_storage(clock)))
            return storage[0]

        async with running_host(TRANSCRIPTS, storage=make, profile=PROFILE_2_13) as host:
            return await test(host, storage[0])

    return asyncio.run(main())
