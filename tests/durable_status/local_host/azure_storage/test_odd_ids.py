"""Instances whose ids hold what keys, addresses or filters cannot: each is stored as the format says, and is found."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import ContainerClient

from durable_status.local_host.storage.provider import InstanceFilter, InstanceRow, StorageProvider
from durable_status.replay.events import ExecutionStarted, OrchestrationInstance, OrchestrationStatus
from durable_status.replay.ticks import Ticks, parse_ticks
from durable_status.task_hub.names import HubNames
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.recorded_runs import azure_storage, host_on
from tests.durable_status.local_host.azure_storage.recording_proxy import recording_proxy
from tests.paths import APPS

# id, partition key (the first is the contract's own example, storage.md §2.1), folder of its messages if not the id
_IDS = [
    ("a/b\\c#d?e^f", "a^0b^1c^2d^3e^^f", "a/b^1c#d?e^f"),
    ("^0^^", "^^0^^^^", None),
    (
        "\tline\r\n\x00\x1f\x7f\x9f",
        "^\u00c9line^\u00cd^\u00ca^\u00c0^\u00df^\u013f^\u015f",
        "^\u00c9line^\u00cd^\u00ca^\u00c0^\u00df^\u013f^\u015f",
    ),
    ("it's \"quoted\" 'twice'", "it's \"quoted\" 'twice'", None),
    ("order 2024%2F06+01&x=1;y:z@,*", "order 2024%2F06+01&x=1;y:z@,*", None),
    ("Größe 中文 🎈", "Größe 中文 🎈", None),
    ("a%2Fb", "a%2Fb", None),
]


async def _start(storage: StorageProvider, instance_id: str, now: Ticks) -> None:
    """Start as the management API does, which itself refuses most of these ids."""
    started = ExecutionStarted(
        timestamp=now,
        orchestration_instance=OrchestrationInstance(instance_id=instance_id, execution_id="4" * 32),
        name="LargeResult",
        version="",
        input='"70000"',
        generation=0,
    )
    row = InstanceRow(
        instance_id=instance_id,
        execution_id="4" * 32,
        name="LargeResult",
        input='"70000"',
        runtime_status=OrchestrationStatus.PENDING,
        created_time=now,
        last_updated_time=now,
        generation=0,
    )
    await storage.create_instance(row, started, replace_live=False)


async def _ended(storage: StorageProvider, instance_id: str) -> InstanceRow:
    while True:
        row = await storage.read_instance(instance_id)
        if row is not None and row.runtime_status.has_ended:
            return row
        await asyncio.sleep(0.02)


def _keys(hub: FreshTaskHub, table: str) -> set[str]:
    with TableServiceClient.from_connection_string(hub.connection_string) as tables:
        return {row["PartitionKey"] for row in tables.get_table_client(hub.name + table).list_entities()}


def _blob_names(hub: FreshTaskHub) -> list[str]:
    container = f"{hub.name.lower()}-largemessages"
    with ContainerClient.from_connection_string(hub.connection_string, container) as blobs:
        return [blob.name for blob in blobs.list_blobs()]


@pytest.mark.conforms("S0-6")
@pytest.mark.parametrize(("instance_id", "key", "folder"), _IDS, ids=[ascii(one) for one, *_ in _IDS])
def test_an_odd_id_is_stored_as_the_format_says_and_is_found(
    instance_id: str, key: str, folder: str | None, task_hub: FreshTaskHub
) -> None:
    folder = folder or instance_id

    async def main() -> None:
        async with recording_proxy(task_hub.connection_string) as proxy:
            storage = azure_storage(task_hub, connection_string=proxy.connection_string)
            async with host_on(task_hub, storage):
                await _start(storage, instance_id, Ticks(parse_ticks("2026-11-22T11:30:46.1Z")))
                row = await asyncio.wait_for(_ended(storage, instance_id), 60)
                history = await storage.read_history(instance_id)
                page = await storage.list_instances(InstanceFilter(id_prefix=instance_id), after_id=None, limit=9)

                assert (row.instance_id, row.runtime_status.value) == (instance_id, "Completed")
                assert row.output == '"' + "r" * 70_000 + '"'
                assert [type(event).__name__ for event in history] == [
                    *("OrchestratorStarted", "ExecutionStarted", "TaskScheduled", "OrchestratorCompleted"),
                    *("OrchestratorStarted", "TaskCompleted", "ExecutionCompleted", "OrchestratorCompleted"),
                ]
                assert [found.instance_id for found in page.rows] == [instance_id]
                assert _keys(task_hub, "Instances") == _keys(task_hub, "History") == {key}
                assert sorted(name.rpartition("/")[0] for name in _blob_names(task_hub)) == sorted([folder, key, key])
                _check_puts(proxy.puts, instance_id, folder, HubNames(task_hub.name).control_queue_of(instance_id, 4))

                assert await storage.purge([instance_id]) == 1
                assert await storage.read_instance(instance_id) is None
                assert _keys(task_hub, "Instances") == _keys(task_hub, "History") == set()
                assert _blob_names(task_hub) == []

    asyncio.run(main())


@pytest.mark.conforms("S0-6")
@pytest.mark.parametrize(("name", "key"), [one[:2] for one in _IDS], ids=[ascii(one) for one, *_ in _IDS])
def test_children_and_entities_of_odd_names_work_as_well(name: str, key: str, task_hub: FreshTaskHub) -> None:
    """An orchestrator may call them anything; the child's answer is large on its way and in its own row."""

    async def main() -> None:
        storage = azure_storage(task_hub)
        async with host_on(task_hub, storage, APPS / "named_children") as host:
            await host.start("Use", "user", name)
            document = await host.until_status("user", "Completed")
            folders = {blob.rpartition("/")[0] for blob in _blob_names(task_hub)}

            assert document["output"] == [70_000, 2]
            assert _keys(task_hub, "Instances") == _keys(task_hub, "History") == {"user", key, f"@counter@{key}"}
            assert folders == {"user", key}
            assert await storage.purge(["user", name, f"@counter@{name}"]) == 3
            assert _blob_names(task_hub) == []

    asyncio.run(main())


def _check_puts(puts: list[dict[str, Any]], instance_id: str, folder: str, control_queue: str) -> None:
    """A start, a call of an activity, and its result, which is in a blob."""
    started, scheduled, completed = puts
    assert [put["queue"] for put in puts] == [
        control_queue,
        started["queue"].partition("-")[0] + "-workitems",
        control_queue,
    ]
    for put in (started, scheduled):
        assert put["body"]["TaskMessage"]["OrchestrationInstance"]["InstanceId"] == instance_id
    assert completed["body"]["CompressedBlobName"].startswith(f"{folder}/message-")
