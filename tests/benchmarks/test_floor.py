"""The floor of the benchmark on Azure Storage: the requests that a host made, sent again without it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.floor_worker import main as floor
from benchmarks.recorded_requests import RecordedRequest, last_started, requests_of, write_requests
from durable_status.local_host.storage.azure_storage.services import open_services
from durable_status.local_host.storage.azure_storage.tables import Insert, Put
from durable_status.task_hub.connection import read_connection
from durable_status.task_hub.messages import queue_text
from durable_status.task_hub.names import SENTINEL, HubNames
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.fault_proxy import FaultProxy


async def _first_episode(connection_string: str, names: HubNames, instance_id: str) -> None:
    """Send what a host might for a start and an episode."""
    key = {"PartitionKey": instance_id}
    control, activities = names.control_queue(0), names.work_item_queue
    async with open_services(read_connection("Hub", {"Hub": connection_string})) as services:
        tables, queues = services.tables, services.queues
        await asyncio.gather(
            *(tables.create(table) for table in (names.instances_table, names.history_table)),
            *(queues.create(queue) for queue in (control, activities)),
        )
        started = await queues.put(control, queue_text(f"start of {instance_id}"), invisible_seconds=30)
        await tables.insert(names.instances_table, {**key, "RowKey": "", "Name": "one"})
        await queues.get(control, limit=32, invisible_seconds=30)
        await asyncio.gather(*(queues.put(activities, queue_text(f"{instance_id} {number}")) for number in range(2)))
        rows = [Put({**key, "RowKey": f"{number:016X}"}) for number in range(3)]
        await tables.transact(names.history_table, [*rows, Insert({**key, "RowKey": SENTINEL})])
        await tables.merge(names.instances_table, {**key, "RowKey": "", "Name": "another"})
        await queues.delete_message(started)


def _shape(request: RecordedRequest) -> tuple[str, str, int]:
    return request.kind, request.target, request.rows


def test_the_requests_of_an_instance_are_found_and_sent_again(
    task_hub: FreshTaskHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main() -> list[RecordedRequest]:
        async with FaultProxy(task_hub.connection_string).running() as proxy:
            names = HubNames(task_hub.name)
            for instance_id in ("other", "wanted"):
                await _first_episode(proxy.connection_string, names, instance_id)
            assert last_started(proxy.seen) == "wanted"
            return requests_of("wanted", proxy.seen)

    requests = asyncio.run(main())
    shapes = [_shape(request) for request in requests]
    assert shapes == [
        ("put message", "control-00", 0),
        ("insert row", "Instances", 0),
        ("put message", "workitems", 0),
        ("put message", "workitems", 0),
        ("transaction", "History", 4),
        ("merge row", "Instances", 0),
        ("delete message", "control-00", 0),
    ]
    assert [request.after for request in requests if request.kind != "put message"] == [1, 4, 5, 6]
    assert requests[0].message == requests[-1].message
    assert requests[0].size == len(queue_text("start of wanted"))

    write_requests(requests, tmp_path / "requests.json")
    asyncio.run(floor(task_hub.connection_string, str(tmp_path / "requests.json"), "3", "2"))
    assert float(capsys.readouterr().out) > 0
