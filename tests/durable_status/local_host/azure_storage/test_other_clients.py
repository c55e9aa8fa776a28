"""Other clients start, and start over, beside the host: their clocks differ, and their rows follow their messages."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from azure.data.tables import TableServiceClient, UpdateMode
from azure.storage.queue import QueueServiceClient

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.entity_requests import was_sent
from durable_status.local_host.storage.azure_storage.instance_rows import stored_instance
from durable_status.local_host.storage.azure_storage.live_instances import LiveInstances
from durable_status.local_host.storage.azure_storage.post_office import PostOffice
from durable_status.local_host.storage.azure_storage.provider import AzureStorage
from durable_status.local_host.storage.azure_storage.tables import Tables
from durable_status.local_host.storage.provider import EpisodeCommit, InstanceRow, Message
from durable_status.replay.entity_messages import RequestMessage
from durable_status.replay.events import Event, EventRaised, EventSent, OrchestrationStatus, TimerCreated, TimerFired
from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks
from durable_status.task_hub.instances import instance_row
from durable_status.task_hub.names import HubNames
from durable_status.task_hub.tables import row_json
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.provider_stories import (
    completed,
    episode,
    failing,
    hosts,
    put_by_client,
    row_at,
    running,
    start,
    starts_in,
)
from tests.durable_status.local_host.storage.contract import raised, start_event

pytestmark = pytest.mark.needs_azurite

_SLOW = parse_ticks("2026-11-22T10:00:00Z")  # an hour and a half behind the host's clock
_FIRST, _SECOND = row_at(_SLOW), row_at(Ticks(_SLOW + PER_SECOND), execution_id="e2")


async def _complete_first(storage: AzureStorage) -> None:
    await start(storage, _FIRST)
    work = await storage.next_orchestration()
    await storage.commit(work, completed(work))


def _put_start(hub: FreshTaskHub, row: InstanceRow) -> None:
    message = Message(instance_id=row.instance_id, execution_id=row.execution_id, event=start_event(row))
    put_by_client(hub, message)


def _replace_row(hub: FreshTaskHub, row: InstanceRow) -> None:
    columns = instance_row(stored_instance(row, hub=hub.name, input_text=row.input), "http://127.0.0.1/x")
    with TableServiceClient.from_connection_string(hub.connection_string) as tables:
        client = tables.get_table_client(HubNames(hub.name).instances_table)
        client.upsert_entity(row_json(columns), mode=UpdateMode.REPLACE)


def test_a_start_over_counts_although_its_clients_clock_is_behind(task_hub: FreshTaskHub) -> None:
    async def start_over(storage: AzureStorage) -> None:
        await start(storage, _SECOND)

    async def run(storage: AzureStorage) -> Any:
        return await storage.next_orchestration()

    *_, work = hosts(task_hub, _complete_first, start_over, run)

    assert starts_in(work) == ["e2"]
    assert list(work.history) == []


def test_a_generation_counts_although_the_clients_clock_is_ahead(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(storage: AzureStorage) -> None:
        await start(storage, row_at(parse_ticks("2026-11-22T23:00:00Z")))
        work = await storage.next_orchestration()
        await storage.commit(work, running(work))
        await storage.send(Message(instance_id="one", event=raised(1)))
        work = await storage.next_orchestration()
        with monkeypatch.context() as broken:
            failing(broken, Tables, "merge", StorageError("the host has died"))
            following = replace(row_at(_SLOW, execution_id="e2"), runtime_status=OrchestrationStatus.RUNNING)
            commit = EpisodeCommit(row=following, replaces_history=True, events=episode(following))
            await storage.commit(work, commit)
            await storage.close()

    async def go_on(storage: AzureStorage) -> Any:
        await storage.send(Message(instance_id="one", event=raised(2)))
        return await storage.next_orchestration()

    _, work = hosts(task_hub, run, go_on)

    assert work.row.execution_id == "e2"
    assert len(work.history) == 3


@pytest.mark.conforms("S4-10")
def test_a_start_over_counts_although_its_message_overtook_its_row(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = asyncio.Event()
    put_off = PostOffice.put_off

    def noted(self: PostOffice, instance_id: str, numbers: Collection[int], **options: Any) -> None:
        if numbers:
            seen.set()
        put_off(self, instance_id, numbers, **options)

    async def run(storage: AzureStorage) -> Any:
        await _complete_first(storage)
        taking = asyncio.create_task(storage.next_orchestration())
        await asyncio.to_thread(_put_start, task_hub, _SECOND)
        looking = asyncio.create_task(seen.wait())
        await asyncio.wait((taking, looking), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.to_thread(_replace_row, task_hub, _SECOND)
        return await taking

    monkeypatch.setattr(PostOffice, "put_off", noted)

    (work,) = hosts(task_hub, run)

    assert starts_in(work) == ["e2"]
    assert list(work.history) == []


def test_a_live_instance_that_another_client_replaced_starts_over(task_hub: FreshTaskHub) -> None:
    async def run(storage: AzureStorage) -> Any:
        await start(storage, _FIRST)
        work = await storage.next_orchestration()
        await storage.commit(work, running(work))
        await asyncio.to_thread(_replace_row, task_hub, _SECOND)
        await asyncio.to_thread(_put_start, task_hub, _SECOND)
        return await storage.next_orchestration()

    (work,) = hosts(task_hub, run)

    assert starts_in(work) == ["e2"]
    assert list(work.history) == []


def test_a_start_whose_row_was_never_stored_does_not_wait_for_ever(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("durable_status.local_host.storage.azure_storage.provider._TRIES_OF_START", 1)

    async def run(storage: AzureStorage) -> Any:
        await _complete_first(storage)
        await asyncio.to_thread(_put_start, task_hub, _SECOND)
        taking = asyncio.create_task(storage.next_orchestration())
        queue = HubNames(task_hub.name).control_queues(1)[0]
        with QueueServiceClient.from_connection_string(task_hub.connection_string) as queues:
            client = queues.get_queue_client(queue)
            while (await asyncio.to_thread(client.get_queue_properties)).approximate_message_count:
                assert not taking.done()
        taking.cancel()
        await storage.purge(["one"])
        await storage.send(Message(instance_id="one", event=raised(1)))
        return await storage.next_orchestration()

    (work,) = hosts(task_hub, run)

    assert starts_in(work) == []


_IN_AN_HOUR = Ticks(parse_ticks("2026-11-22T12:30:00Z"))


@pytest.mark.conforms("S4-12")
@pytest.mark.parametrize(
    ("instance_id", "event"),
    [
        ("one", TimerFired(timestamp=_SLOW, timer_id=0, fire_at=_IN_AN_HOUR)),
        ("@counter@a", EventRaised(timestamp=_SLOW, name="op@2026-11-22T12:30:00Z", input="{}")),
    ],
)
def test_what_a_queue_shows_before_it_is_due_waits(task_hub: FreshTaskHub, instance_id: str, event: Event) -> None:
    async def run(storage: AzureStorage) -> Any:
        await start(storage, row_at(_SLOW, instance_id="one"))
        work = await storage.next_orchestration()
        timer = TimerCreated(timestamp=_SLOW, event_id=0, fire_at=_IN_AN_HOUR)
        await storage.commit(work, running(work, timer))
        await asyncio.to_thread(put_by_client, task_hub, Message(instance_id=instance_id, event=event))
        marker = Message(instance_id=instance_id, event=raised(1))
        await asyncio.to_thread(put_by_client, task_hub, marker, after_seconds=1)
        return await storage.next_orchestration()

    (work,) = hosts(task_hub, run)

    assert [message.event for message in work.messages.values()] == [raised(1)]


@pytest.mark.parametrize(("sender", "counts"), [("e0", True), ("e1", False)])
def test_a_request_counts_unless_the_history_of_the_very_execution_does_not_have_it(
    task_hub: FreshTaskHub, sender: str, counts: bool
) -> None:
    request = RequestMessage(id="6a0e", operation="add", parent_instance_id="one", parent_execution_id=sender)
    asked = EventRaised(timestamp=_SLOW, name=request.event_name, input=request.text)

    async def run(storage: AzureStorage) -> Any:
        await start(storage, _FIRST)
        work = await storage.next_orchestration()
        await storage.commit(work, running(work))
        await asyncio.to_thread(put_by_client, task_hub, Message(instance_id="@counter@a", event=asked))
        marker = Message(instance_id="@counter@a", event=raised(1))
        await asyncio.to_thread(put_by_client, task_hub, marker, after_seconds=2)
        return await storage.next_orchestration()

    (work,) = hosts(task_hub, run)

    assert [message.event for message in work.messages.values()] == ([asked] if counts else [raised(1)])


def test_a_request_waits_for_the_episode_that_sends_it(task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch) -> None:
    request = RequestMessage(id="6a0e", operation="add", parent_instance_id="one", parent_execution_id="e1")
    asked = EventRaised(timestamp=_SLOW, name=request.event_name, input=request.text)
    sent = EventSent(timestamp=_SLOW, event_id=0, instance_id="@counter@a", name=request.event_name, input=request.text)
    transact = Tables.transact

    async def run(storage: AzureStorage) -> Any:
        looking = asyncio.Event()

        async def noted(event: Event, instances: LiveInstances) -> bool:
            looking.set()
            return await was_sent(event, instances)

        async def late(self: Tables, *args: Any) -> Any:
            await asyncio.to_thread(put_by_client, task_hub, Message(instance_id="@counter@a", event=asked))
            await looking.wait()
            return await transact(self, *args)

        monkeypatch.setattr("durable_status.local_host.storage.azure_storage.provider.was_sent", noted)
        monkeypatch.setattr(Tables, "transact", late)
        await start(storage, _FIRST)
        work = await storage.next_orchestration()
        taking = asyncio.create_task(storage.next_orchestration())
        await storage.commit(work, running(work, sent))
        return await taking

    (work,) = hosts(task_hub, run)

    assert [message.event for message in work.messages.values()] == [asked]
