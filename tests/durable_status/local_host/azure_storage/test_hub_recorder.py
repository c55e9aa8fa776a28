"""The recorder of hubs reads what was put, and its proxy sees every message and changes none."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueClient

from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.hub_differences import find_differences, find_hub_differences
from tests.durable_status.local_host.azure_storage.hub_recorder import record_hub, record_instance
from tests.durable_status.local_host.azure_storage.recorded_runs import renamed
from tests.durable_status.local_host.azure_storage.recording_proxy import recording_proxy
from tests.recorded_hubs import NAMES, STORAGE, put_hub, rebuilt, recording


@pytest.mark.parametrize("name", NAMES)
def test_what_was_recorded_and_put_is_recorded_again(name: str, task_hub: FreshTaskHub) -> None:
    recorded = renamed(recording(name), task_hub.name)
    recorded["blobs"] = [blob for blob in recorded["blobs"] if rebuilt(blob)]  # the others are not in the hub
    instance_id = recorded["instances"][0]["PartitionKey"]

    put_hub(task_hub.connection_string, [name], hub=task_hub.name)
    ours = record_instance(task_hub.connection_string, task_hub.name, instance_id, recorded["messages"])

    assert [str(difference) for difference in find_differences(recorded, ours)] == []
    assert [{**blob, "size": 0, "text": ""} for blob in ours["blobs"]] == [
        {**blob, "size": 0, "text": ""} for blob in recorded["blobs"]
    ]


def test_what_is_around_the_instances_is_recorded_again(task_hub: FreshTaskHub) -> None:
    recorded = renamed(json.loads((STORAGE / "hub.json").read_text()), task_hub.name)
    recorded["containers"][f"{task_hub.name.lower()}-applease"]["(container lease)"] = "available"
    del recorded["what"]

    put_hub(task_hub.connection_string, [], hub=task_hub.name)

    told = [str(one) for one in find_hub_differences(recorded, record_hub(task_hub.connection_string, task_hub.name))]
    assert told == []


def test_the_proxy_sees_what_is_put_and_passes_everything_on(task_hub: FreshTaskHub) -> None:
    name = f"{task_hub.name.lower()}-workitems"
    texts = [base64.b64encode('{"one":"é & <1>"}'.encode()).decode(), '{"two":2}']

    def put_and_get(connection_string: str) -> list[str]:
        with QueueClient.from_connection_string(connection_string, name) as queue:
            with pytest.raises(ResourceNotFoundError):
                queue.send_message(texts[0])
            queue.create_queue()
            queue.send_message(texts[0], time_to_live=-1)
            queue.send_message(texts[1], visibility_timeout=0)
            got = list(queue.receive_messages())
            for message in got:
                queue.delete_message(message)
            return [message.content for message in got]

    async def main() -> None:
        async with recording_proxy(task_hub.connection_string) as proxy:
            assert await asyncio.to_thread(put_and_get, proxy.connection_string) == texts
            seen = [(put["queue"], put["query"], put["encoding"], put["body"]) for put in proxy.puts]
            assert seen == [
                (name, "messagettl=-1", "base64", {"one": "é & <1>"}),
                (name, "visibilitytimeout=0", "json", {"two": 2}),
            ]

    asyncio.run(main())
