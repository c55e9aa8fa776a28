"""The command with an app that offloads: no Azurite runs, and statuses last as long as their instances."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from durable_status.client.status_client import AsyncStatusClient
from durable_status.payloads.folder import FolderPayloadStore
from tests.durable_status.client.kinds import QUICK
from tests.host_process import host_process
from tests.paths import APPS

_LARGE = "🎫" * 10_000
_SETTINGS = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "PYTHON_ENABLE_DEBUG_LOGGING": "0"}


async def _publish(client: AsyncStatusClient) -> None:
    await client.start_new("Publish", _LARGE, instance_id="p")
    await client.wait_for_status("p", str, lambda status: status.custom_status == _LARGE, 30)


def test_beside_a_file_they_outlive_the_host_until_they_are_purged(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(APPS / "offloading", app, ignore=shutil.ignore_patterns("__pycache__", ".durable-status"))
    folder = app / ".durable-status" / "TestHubName.payloads"

    async def main() -> None:
        async with host_process(app, environment=_SETTINGS) as host:
            async with AsyncStatusClient(
                host.host.base_url, pace=QUICK, payload_store=FolderPayloadStore(folder)
            ) as client:
                await _publish(client)
            await host.kill()
        async with host_process(app, environment=_SETTINGS) as host:
            assert (await host.request("GET", "/api/read/p")).json == _LARGE
            async with AsyncStatusClient(host.host.base_url, pace=QUICK) as client:
                await client.raise_event("p", "go")
                await client.wait_for_completion("p", object, 30)
                await client.purge("p")
            assert list(folder.rglob("*.json.gz")) == []
            assert await host.stop() == 0

    asyncio.run(main())


def test_in_memory_they_are_gone_with_the_host(tmp_path: Path) -> None:
    async def main() -> None:
        settings = _SETTINGS | {"TMPDIR": str(tmp_path), "TEMP": str(tmp_path)}
        async with host_process(APPS / "offloading", "--storage", "memory", environment=settings) as host:
            async with AsyncStatusClient(host.host.base_url, pace=QUICK) as client:
                await client.start_new("Publish", _LARGE, instance_id="p")
                await client.wait_for_status("p", object, lambda status: status.offloaded is not None, 30)
            assert (await host.request("GET", "/api/read/p")).json == _LARGE
            assert len(list(tmp_path.rglob("*.json.gz"))) == 1
            assert await host.stop() == 0
        assert list(tmp_path.iterdir()) == []

    asyncio.run(main())
