"""Another writer changes an instance's history first: the loser's episode is given up, and nothing is doubled."""

from __future__ import annotations

import asyncio
import re

import pytest
from azure.data.tables import TableServiceClient

from durable_status.task_hub.names import SENTINEL, HubNames
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.fault_hub import concerns, fault_hub
from tests.fault_proxy import Answer, Forward
from tests.fault_work import Job
from tests.storage_operations import Operation

_EXECUTION_ID = re.compile(r'"ExecutionId": ?"([\w-]+)"')


@pytest.mark.conforms("S3.5-4")
@pytest.mark.parametrize("episode", range(4))
def test_an_etag_conflict_stops_the_loser(task_hub: FreshTaskHub, episode: int) -> None:
    job = Job("contended", "chain", 1)

    async def another_writer(operation: Operation, forward: Forward) -> Answer | None:
        found = _EXECUTION_ID.search(operation.text)
        assert found is not None
        await asyncio.to_thread(_touch_sentinel, task_hub, job.instance_id, found[1])
        return await forward()

    async def main() -> tuple[list[str], str]:
        of_job = concerns(job.instance_id)
        async with fault_hub(task_hub) as hub, hub.host() as host:
            hits = hub.proxy.inject(
                another_writer, lambda operation: operation.kind == "transaction" and of_job(operation), skip=episode
            )
            await hub.start(host, [job])
            await hub.until_done(host)
            assert hits() == 1
            return await hub.flaws(host), host.stderr

    flaws, log = asyncio.run(main())
    assert flaws == []
    assert len([line for line in log.splitlines() if "'contended'" in line and "another host" in line]) == 1
    assert "Traceback" not in log


def _touch_sentinel(task_hub: FreshTaskHub, instance_id: str, execution_id: str) -> None:
    """Write the row that locks the history, as any writer does first."""
    row = {"PartitionKey": instance_id, "RowKey": SENTINEL, "ExecutionId": execution_id, "IsCheckpointComplete": True}
    with TableServiceClient.from_connection_string(task_hub.connection_string) as tables:
        tables.get_table_client(HubNames(task_hub.name).history_table).upsert_entity(row)
