"""The readers on a hub that the local host writes: they show what the management API shows, at any moment."""

from __future__ import annotations

import asyncio
from typing import Any

from durable_status.client.status_client import AsyncStatusClient
from durable_status.client.task_hub_reader import AsyncTaskHubReader
from durable_status.local_host.host import LocalHost
from durable_status.testing.bench import DurableBench
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.azure_hubs import azure_storage
from tests.durable_status.client.hub_readers import QUICK
from tests.hosts import RunningHost, running_host
from tests.paths import APPS

_APP = APPS / "recorded"
_STARTED = {
    "hello": ("Hello", "x"),
    "a^b": ("StatusThenWait", {"progress": 50}),
    "o'clock": ("StatusThenWait", "waits"),
    "suspended": ("StatusThenWait", 1),
    "terminated": ("StatusThenWait", 2),
    "large-input": ("LengthOf", "L" * 70_000),
    "large-result": ("LargeResult", "70000"),
    "failed": ("StatusAndFail", None),
    "generations": ("Countdown", "2"),
    "parent": ("Parent", None),
    "calls": ("CallEntity", None),
}
_ENDED = ("hello", "large-input", "large-result", "failed", "parent", "calls", "terminated")


async def _play(host: RunningHost) -> None:
    """Start all, and let each come to where it stays."""
    for instance_id, (name, value) in _STARTED.items():
        await host.start(name, instance_id, value)
    for waiting in ("a^b", "o'clock", "suspended", "terminated"):
        await host.until(waiting, lambda document: document["customStatus"] is not None)
    await host.manage("POST", "instances/terminated/terminate?reason=see%20http://example.com")
    await host.manage("POST", "instances/suspended/suspend?reason=lunch")
    await host.until_status("suspended", "Suspended")
    await host.until("generations", lambda document: document["customStatus"] == {"generation": 0})
    for ended in _ENDED:
        await host.until(ended, lambda document: document["runtimeStatus"] in ("Completed", "Failed", "Terminated"))


async def _documents(client: Any, **options: Any) -> list[dict[str, Any]]:
    return [status.to_document() async for status in client.list_statuses(Any, show_input=True, **options)]


def test_what_a_reader_shows_is_what_the_management_api_shows(task_hub: FreshTaskHub) -> None:
    async def main() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        async with running_host(_APP, storage=lambda clock: azure_storage(task_hub, clock)) as host:
            assert isinstance(host.host, LocalHost)
            await _play(host)
            async with (
                AsyncStatusClient(host.host.base_url) as client,
                AsyncTaskHubReader.from_connection_string(task_hub.connection_string, task_hub.name) as reader,
            ):
                histories = [await reader.get_history(instance_id) for instance_id in _STARTED]
                return await _documents(client), await _documents(reader, show_output=True), histories

    by_host, by_reader, histories = asyncio.run(main())

    assert by_reader == by_host
    assert {document["instanceId"] for document in by_reader} > set(_STARTED)
    assert len(DurableBench.of_folder(_APP, extension="3").check_replay(*histories)) == len(_STARTED)


def test_a_reader_follows_an_instance_from_its_start_to_its_end(task_hub: FreshTaskHub) -> None:
    async def main() -> list[tuple[str, Any]]:
        async with (
            running_host(_APP, storage=lambda clock: azure_storage(task_hub, clock)) as host,
            AsyncTaskHubReader.from_connection_string(task_hub.connection_string, task_hub.name, pace=QUICK) as reader,
        ):
            await host.start("StatusThenWait", "i", {"s": 1})
            seen = []
            async for status in reader.watch("i", Any):
                seen.append((status.runtime_status.value, status.output))
                if status.custom_status == {"s": 1} and not status.runtime_status.has_ended:
                    await host.raise_event("i", "go", {"ok": True})
            return seen

    seen = asyncio.run(main())

    assert seen[-1] == ("Completed", {"ok": True})
    assert seen == sorted(seen, key=lambda shown: ["Pending", "Running", "Completed"].index(shown[0]))
