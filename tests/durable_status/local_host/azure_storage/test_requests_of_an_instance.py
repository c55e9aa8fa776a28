"""How many requests to the storage account the work takes: the floor of the benchmark, and nobody adds one unseen."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.azure_hubs import azure_storage
from tests.fault_hub import concerns, fault_hub
from tests.hosts import running_host


@pytest.mark.parametrize(("path", "reads"), [("E1_HelloSequence", 1), ("E1_HelloSequence/given", 2)])
@pytest.mark.conforms("S4.1-1")
def test_an_s1_takes_twenty_four_requests_and_one_more_if_its_id_is_given(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch, path: str, reads: int
) -> None:
    monkeypatch.setenv("HELLO_SECONDS", "0")

    async def main() -> Counter[str]:
        async with fault_hub(task_hub) as hub:
            behind = FreshTaskHub(hub.proxy.connection_string, task_hub.name)
            async with running_host(storage=lambda clock: azure_storage(behind, clock)) as host:
                instance_id = (await host.manage("POST", f"orchestrators/{path}")).json["id"]
                # A status query would be a request, too; from the start to the end there is always a message.
                while any((await asyncio.to_thread(hub.messages)).values()):
                    pass
            about = concerns(instance_id)
            return Counter(seen.operation.kind for seen in hub.proxy.seen if about(seen.operation))

    assert asyncio.run(main()) == {
        "read row": reads,
        "put message": 7,
        "insert row": 1,
        "transaction": 4,
        "merge row": 4,
        "delete message": 7,
    }
