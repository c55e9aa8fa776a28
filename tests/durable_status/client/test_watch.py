"""Watching S1 on a host that is restarted in the middle: exactly the changes there were, in order."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from durable_status.client.status_client import AsyncStatusClient
from durable_status.local_host.clock import SystemClock
from durable_status.local_host.host import HostOptions, LocalHost, run_host
from durable_status.local_host.storage.provider import EpisodeCommit, OrchestrationWork, StorageProvider
from durable_status.local_host.storage.sqlite import SqliteStorage
from durable_status.replay.profile import PROFILE_3
from orchestrators.hello_sequence_contract import ORCHESTRATION, City
from tests.durable_status.client.kinds import QUICK
from tests.hosts import app_in
from tests.paths import ROOT


def _one_commit_per_look(storage: StorageProvider, looks: asyncio.Semaphore) -> StorageProvider:
    """Hold every commit back until the watcher has seen what the one before it changed."""
    commit = storage.commit

    async def held_back(work: OrchestrationWork, changes: EpisodeCommit) -> None:
        await looks.acquire()
        await commit(work, changes)

    storage.commit = held_back  # type: ignore[method-assign]
    return storage


@asynccontextmanager
async def _host(file: Path, port: int, looks: asyncio.Semaphore) -> AsyncIterator[LocalHost]:
    clock = SystemClock()
    options = HostOptions(port=port, rpc_port=0, profile=PROFILE_3)
    storage = _one_commit_per_look(SqliteStorage(file, clock), looks)
    async with run_host(app_in(ROOT), storage, options, clock) as host:
        yield host


def test_a_restart_of_the_host_hides_no_change_and_invents_none(tmp_path: Path) -> None:
    file = tmp_path / "hub.sqlite3"
    seen: list[tuple[str, Any]] = []

    async def main() -> None:
        looks = asyncio.Semaphore(0)
        tokyo, silence = asyncio.Event(), asyncio.Event()

        def now() -> float:
            silence.set()  # watching asks for the time only when the host is silent
            return 0.0

        async def watch(base_url: str) -> None:
            async with AsyncStatusClient(base_url, pace=dataclasses.replace(QUICK, now=now)) as client:
                async for status in client.watch("s1", City):
                    seen.append((status.runtime_status.value, status.custom_status))
                    if status.custom_status == "Tokyo":
                        tokyo.set()  # and nothing more is committed before the restart
                    else:
                        looks.release()

        async with _host(file, 0, looks) as host:
            port = urlsplit(host.base_url).port or 0
            async with AsyncStatusClient(host.base_url) as starter:
                await starter.start_new(ORCHESTRATION, instance_id="s1")
            watching = asyncio.create_task(watch(host.base_url))
            await tokyo.wait()
        await asyncio.wait_for(silence.wait(), 30)
        looks.release()
        async with _host(file, port, looks):
            await asyncio.wait_for(watching, 30)

    asyncio.run(main())

    assert seen == [
        ("Pending", None),
        ("Running", None),
        ("Running", "Tokyo"),
        ("Running", "Seattle"),
        ("Completed", "London"),
    ]
