"""A row or a message that cannot be read stops only the instance it belongs to."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from azure.data.tables import TableServiceClient, UpdateMode
from azure.storage.queue import QueueServiceClient

from durable_status.local_host.storage.azure_storage.provider import AzureStorage
from durable_status.local_host.storage.provider import InstanceFilter, Message
from durable_status.task_hub.messages import queue_text
from durable_status.task_hub.names import HubNames
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.provider_stories import hosts, row_at, running, start
from tests.durable_status.local_host.storage.contract import raised

pytestmark = pytest.mark.needs_azurite


def _change(hub: FreshTaskHub, table: str, row_key: str, **columns: Any) -> None:
    """Change columns of the instance ``bad``; None takes them away."""
    with TableServiceClient.from_connection_string(hub.connection_string) as tables:
        client = tables.get_table_client(table)
        entity = client.get_entity("bad", row_key) | columns
        kept = {name: value for name, value in entity.items() if value is not None}
        client.update_entity(kept, mode=UpdateMode.REPLACE)


def _damage_instance(**columns: Any) -> Callable[[FreshTaskHub], None]:
    return lambda hub: _change(hub, HubNames(hub.name).instances_table, "", **columns)


def _damage_history(row_key: str, **columns: Any) -> Callable[[FreshTaskHub], None]:
    return lambda hub: _change(hub, HubNames(hub.name).history_table, row_key, **columns)


_DAMAGES = {
    "status": _damage_instance(RuntimeStatus="Odd"),
    "last time": _damage_instance(LastUpdatedTime=None),
    "no created time": _damage_instance(CreatedTime=None),
    "type of a column": _damage_instance(CustomStatus=7),
    "tags": _damage_instance(Tags="{"),
    "no execution": _damage_history("sentinel", ExecutionId=None),
    "checkpoint": _damage_history("sentinel", CheckpointCompletedTimestamp="then"),
    "event type": _damage_history("0000000000000001", EventType="Odd"),
    "instance": _damage_history("0000000000000001", OrchestrationInstance="{}"),
    "json": _damage_history("0000000000000001", OrchestrationInstance="{"),
    "parent": _damage_history("0000000000000001", ParentInstance="[]"),
    "no event time": _damage_history("0000000000000002", _Timestamp=None),
}


@pytest.mark.conforms("S4-13")
@pytest.mark.parametrize("damage", _DAMAGES.values(), ids=_DAMAGES)
def test_a_damaged_instance_does_not_stop_the_others(
    task_hub: FreshTaskHub, damage: Callable[[FreshTaskHub], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def begin(storage: AzureStorage) -> None:
        for instance_id in ("a", "bad"):
            await start(storage, row_at(instance_id=instance_id))
            work = await storage.next_orchestration()
            await storage.commit(work, running(work))

    async def go_on(storage: AzureStorage) -> Any:
        await storage.send(Message(instance_id="bad", event=raised(1)))
        taking = asyncio.create_task(storage.next_orchestration())
        while not any("'bad'" in record.getMessage() for record in caplog.records) and not taking.done():
            await asyncio.sleep(0)
        await storage.send(Message(instance_id="a", event=raised(2)))
        return await taking

    caplog.set_level(logging.ERROR)
    hosts(task_hub, begin)
    damage(task_hub)
    (work,) = hosts(task_hub, go_on)

    assert work.instance_id == "a"
    assert all(record.exc_info is None for record in caplog.records), "one line"


@pytest.mark.parametrize("damage", ["status", "no created time", "tags"])
def test_a_damaged_instance_does_not_hide_the_others(task_hub: FreshTaskHub, damage: str) -> None:
    async def begin(storage: AzureStorage) -> None:
        for instance_id in ("a", "bad"):
            await start(storage, row_at(instance_id=instance_id))

    async def listed(storage: AzureStorage) -> Any:
        return await storage.list_instances(InstanceFilter(), after_id=None, limit=10)

    hosts(task_hub, begin)
    _DAMAGES[damage](task_hub)
    (page,) = hosts(task_hub, listed)

    assert [row.instance_id for row in page.rows] == ["a"]


_TASK = '"OrchestrationInstance":{"InstanceId":"bad","ExecutionId":null}'
_RAISED = "DurableTask.Core.History.EventRaisedEvent"
_EVENT = f'"Event":{{"$type":"{_RAISED}","Name":"go","Input":"1","EventId":-1,"Timestamp":"2026-11-22T11:30:46Z"}}'


@pytest.mark.conforms("S4-13")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'{{"TaskMessage":{{"Event":{{"$type":"{_RAISED}"}},{_TASK}}}}}', id="no members"),
        pytest.param(
            f'{{"TaskMessage":{{"Event":{{"$type":"{_RAISED}","Name":"go","Timestamp":7}},{_TASK}}}}}', id="time"
        ),
        pytest.param(
            '{"TaskMessage":{"Event":{"$type":"DurableTask.Core.History.ExecutionStartedEvent","Name":"Main",'
            f'"Timestamp":"2026-11-22T11:30:46Z","OrchestrationInstance":{{}}}},{_TASK}}}}}',
            id="instance",
        ),
        pytest.param(
            '{"TaskMessage":{"Event":{"$type":"DurableTask.Core.History.ExecutionCompletedEvent","EventId":1,'
            f'"Timestamp":"2026-11-22T11:30:46Z","OrchestrationStatus":99}},{_TASK}}}}}',
            id="number",
        ),
        pytest.param(
            f'{{"TaskMessage":{{{_EVENT},"OrchestrationInstance":{{"InstanceId":null}}}}}}', id="no instance id"
        ),
        pytest.param(f'{{"SequenceNumber":"x","TaskMessage":{{{_EVENT},{_TASK}}}}}', id="order"),
        pytest.param('{"CompressedBlobName":["x"]}', id="blob"),
    ],
)
def test_a_damaged_message_does_not_stop_the_others(
    task_hub: FreshTaskHub, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def begin(storage: AzureStorage) -> None:
        await start(storage, row_at(instance_id="bad"))
        work = await storage.next_orchestration()
        await storage.commit(work, running(work))

    async def go_on(storage: AzureStorage) -> Any:
        return await storage.next_orchestration()

    hosts(task_hub, begin)
    queue = HubNames(task_hub.name).control_queues(4)
    good = '{"TaskMessage":{' + _EVENT.replace('"go"', '"good"') + "," + _TASK + "}}"
    with QueueServiceClient.from_connection_string(task_hub.connection_string) as queues:
        for name in queue:
            for message in (text, text, good):
                queues.get_queue_client(name).send_message(queue_text(message))
    caplog.set_level(logging.ERROR)
    (work,) = hosts(task_hub, go_on)

    assert "good" in [message.event.name for message in work.messages.values()]
