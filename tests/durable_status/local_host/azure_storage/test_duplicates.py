"""Messages that come twice count once: put twice, handed out twice, or put again when all is over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import islice

import pytest
from azure.storage.queue import QueueServiceClient

from durable_status.task_hub.names import is_entity_id
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.fault_hub import FaultHub, fault_hub
from tests.fault_proxy import Fault, done_twice, handed_out_twice
from tests.fault_work import jobs

_INSTANCES = 18  # two of each kind


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(done_twice, "put message", id="put twice"),
        pytest.param(handed_out_twice, "get messages", id="handed out twice"),
        pytest.param(done_twice, "transaction", id="episodes stored twice"),
    ],
)
def test_what_comes_twice_counts_once(task_hub: FreshTaskHub, fault: Fault, kind: str) -> None:
    async def main() -> list[str]:
        async with fault_hub(task_hub) as hub, hub.host() as host:
            hits = hub.proxy.inject(fault, lambda operation: operation.kind == kind, times=None)
            await hub.start(host, islice(jobs(), _INSTANCES))
            await hub.until_done(host)
            assert hits() > _INSTANCES
            return await hub.flaws(host)

    assert asyncio.run(main()) == []


def test_messages_that_come_again_when_all_is_over_change_nothing(task_hub: FreshTaskHub) -> None:
    async def main() -> None:
        async with fault_hub(task_hub) as hub:
            async with hub.host() as host:
                await hub.start(host, islice(jobs(), _INSTANCES))
                await hub.until_done(host)
                assert await hub.flaws(host) == []
            before = hub.read()
            assert _put_all_again(hub) > 3 * _INSTANCES
            async with hub.host() as host:
                await hub.until_done(host)
                assert await hub.flaws(host) == []
            after = hub.read()
            assert _of_orchestrations(after.history) == _of_orchestrations(before.history)
            assert _of_orchestrations(after.instances) == _of_orchestrations(before.instances)

    asyncio.run(main())


def _put_all_again(hub: FaultHub) -> int:
    operations = [seen.operation for seen in hub.proxy.seen if seen.operation.kind == "put message"]
    puts = [put for put in operations if not put.target.endswith("-nowhere")]  # asked for the permission only
    with QueueServiceClient.from_connection_string(hub.task_hub.connection_string) as queues:
        for put in puts:
            text = put.body.decode().partition("<MessageText>")[2].partition("</MessageText>")[0]
            queues.get_queue_client(put.target).send_message(text)
    return len(puts)


def _of_orchestrations(rows: Mapping[str, object]) -> dict[str, object]:
    """Without entities: a batch is stored even if it did nothing."""
    return {instance_id: found for instance_id, found in rows.items() if not is_entity_id(instance_id)}
