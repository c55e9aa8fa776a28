"""What clients change while requests fail or episodes are on their way: nothing is lost, and nothing comes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import ContainerClient

from durable_status.app.host_settings import AzureStorageSettings
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import RowChangedError, UnavailableError
from durable_status.local_host.storage.azure_storage.instance_table import InstanceTable
from durable_status.local_host.storage.azure_storage.provider import AzureStorage
from durable_status.local_host.storage.azure_storage.queues import Queues
from durable_status.local_host.storage.azure_storage.tables import Tables
from durable_status.local_host.storage.provider import EpisodeCommit, InstanceFilter, Message, Rewrite
from durable_status.replay.events import OrchestrationStatus, OrchestratorStarted
from durable_status.replay.ticks import PER_SECOND, Ticks
from durable_status.task_hub.names import HubNames
from durable_status.task_hub.tables import Row
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.provider_stories import (
    SETTINGS,
    T0,
    completed,
    episode,
    failing,
    hosts,
    put_by_client,
    row_at,
    running,
    start,
    starts_in,
    unanswered,
)
from tests.durable_status.local_host.storage.contract import nothing_comes, raised, start_event

pytestmark = pytest.mark.needs_azurite

_NO_ANSWER = UnavailableError("no answer")
_LATER = Ticks(T0 + 60 * PER_SECOND)


async def _run_first(storage: AzureStorage, **members: Any) -> None:
    await start(storage, row_at(**members))
    work = await storage.next_orchestration()
    await storage.commit(work, running(work))


def test_a_live_instance_that_was_replaced_without_an_answer_starts_over(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(storage: AzureStorage) -> Any:
        await _run_first(storage)
        with monkeypatch.context() as broken:
            unanswered(broken, Tables, "replace", _NO_ANSWER)
            with pytest.raises(UnavailableError):
                await start(storage, row_at(_LATER, execution_id="e2"), replace_live=True)
        return await storage.next_orchestration()

    (work,) = hosts(task_hub, story)

    assert starts_in(work) == ["e2"]
    assert list(work.history) == []


def test_an_episode_of_a_live_instance_that_was_replaced_is_not_stored(task_hub: FreshTaskHub) -> None:
    async def story(storage: AzureStorage) -> Any:
        await start(storage, row_at())
        work = await storage.next_orchestration()
        await start(storage, row_at(_LATER, execution_id="e2"), replace_live=True)
        await storage.commit(work, running(work))
        return await storage.read_history("one"), await storage.read_instance("one"), await storage.next_orchestration()

    ((history, row, work),) = hosts(task_hub, story)

    assert list(history) == []
    assert (row.execution_id, row.runtime_status) == ("e2", OrchestrationStatus.PENDING)
    assert starts_in(work) == ["e2"]


def test_a_load_that_a_replacement_overtook_does_not_count(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def begin(storage: AzureStorage) -> None:
        await _run_first(storage)

    async def story(storage: AzureStorage) -> Any:
        found, go_on = asyncio.Event(), asyncio.Event()
        original = InstanceTable.row

        async def slow(self: InstanceTable, columns: Any) -> Any:
            found.set()
            await go_on.wait()
            return await original(self, columns)

        await storage.send(Message(instance_id="one", event=raised(1)))
        with monkeypatch.context() as slowed:
            slowed.setattr(InstanceTable, "row", slow)
            taking = asyncio.create_task(storage.next_orchestration())
            await found.wait()
        starting = asyncio.create_task(start(storage, row_at(_LATER, execution_id="e2"), replace_live=True))
        await asyncio.wait([starting], timeout=0.5)  # it may have to wait for the load
        go_on.set()
        await starting
        work = await taking
        await storage.commit(work, EpisodeCommit())
        while not starts_in(work):
            work = await storage.next_orchestration()
            await storage.commit(work, running(work) if starts_in(work) else EpisodeCommit())
        return await storage.read_instance("one")

    _, row = hosts(task_hub, begin, story)

    assert row.execution_id == "e2"


def test_a_rewrite_that_failed_takes_no_room(task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = AzureStorageSettings(partition_count=1, messages_in_hand=1, longest_poll_seconds=0.1)

    async def story(storage: AzureStorage) -> Any:
        await start(storage, row_at())
        work = await storage.next_orchestration()
        assert work.row is not None
        await storage.commit(work, completed(work))
        ended = await storage.read_instance("one")
        assert ended is not None
        rewrite = Rewrite(row=replace(ended, runtime_status=OrchestrationStatus.PENDING), history=episode(ended))
        with monkeypatch.context() as broken:
            failing(broken, Tables, "transact", StorageError("no"))
            with pytest.raises(StorageError, match="no"):
                await storage.rewrite([rewrite], [Message(instance_id="one", event=raised(1))])
        await start(storage, row_at(instance_id="two"))
        return await storage.next_orchestration()

    (work,) = hosts(task_hub, story, settings=settings)

    assert work.instance_id == "two"


def test_a_rewind_that_was_cut_can_be_asked_for_again(task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(storage: AzureStorage) -> Any:
        rewrites = []
        for instance_id in ("parent", "child"):
            await start(storage, row_at(instance_id=instance_id))
            work = await storage.next_orchestration()
            await storage.commit(work, completed(work))
            ended = await storage.read_instance(instance_id)
            assert ended is not None
            pending = replace(ended, runtime_status=OrchestrationStatus.PENDING)
            rewrites.append(Rewrite(row=pending, history=episode(ended)))
        transact, calls = Tables.transact, 0

        async def once(self: Tables, *args: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > 2:  # one cuts the history, one writes it
                raise StorageError("no")
            return await transact(self, *args)

        with monkeypatch.context() as broken:
            broken.setattr(Tables, "transact", once)
            with pytest.raises(StorageError, match="no"):
                await storage.rewrite(rewrites, [])
        return [(await storage.read_instance(instance_id)).runtime_status for instance_id in ("parent", "child")]

    (statuses,) = hosts(task_hub, story)

    assert statuses == [OrchestrationStatus.COMPLETED, OrchestrationStatus.PENDING]


def test_what_an_episode_put_that_cannot_be_stored_is_taken_back(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(storage: AzureStorage) -> Any:
        await start(storage, row_at())
        work = await storage.next_orchestration()
        commit = replace(running(work), messages=[Message(instance_id="two", event=raised(1))])
        with monkeypatch.context() as broken:
            failing(broken, Tables, "transact", RowChangedError("another host", after_retry=False))
            with pytest.raises(StorageError, match="another host"):
                await storage.commit(work, commit)
        marker = Message(instance_id="two", event=raised(2))
        await asyncio.to_thread(put_by_client, task_hub, marker, after_seconds=3)
        return await storage.next_orchestration()

    (work,) = hosts(task_hub, story)

    assert [message.event for message in work.messages.values()] == [raised(2)]


def test_messages_of_which_one_cannot_be_put_are_put_once_in_the_end(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, partition_count=1, messages_in_hand=3)
    put = Queues.put

    async def story(storage: AzureStorage) -> Any:
        left = 0

        async def failing_put(self: Queues, *args: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise StorageError("no")
            return await put(self, *args, **options)

        await start(storage, row_at())
        work = await storage.next_orchestration()
        messages = [Message(instance_id=name, event=raised(1)) for name in ("two", "three")]
        commit = replace(running(work), messages=messages)
        for _ in range(3):
            left = 1
            with monkeypatch.context() as broken:
                broken.setattr(Queues, "put", failing_put)
                with pytest.raises(StorageError, match="no"):
                    await storage.commit(work, commit)
            await storage.release(work)
            work = await storage.next_orchestration()
        await storage.commit(work, commit)
        found = [await storage.next_orchestration(), await storage.next_orchestration()]
        for item in found:
            await storage.commit(item, EpisodeCommit())
        await asyncio.to_thread(put_by_client, task_hub, Message(instance_id="two", event=raised(2)), after_seconds=2)
        return [*found, await storage.next_orchestration()]

    (works,) = hosts(task_hub, story, settings=settings)

    assert sorted(work.instance_id for work in works[:2]) == ["three", "two"]
    assert [message.event for message in works[2].messages.values()] == [raised(2)]


@pytest.mark.conforms("S2.3-11")
def test_a_purged_instance_does_not_come_back_with_a_row_that_waited_to_be_merged(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(storage: AzureStorage) -> Any:
        await start(storage, row_at())
        work = await storage.next_orchestration()
        with monkeypatch.context() as broken:
            failing(broken, Tables, "merge", StorageError("no"))
            await storage.commit(work, completed(work))
            await storage.purge(["one"])
        await _when_merged(storage)
        return await storage.list_instances(InstanceFilter(), after_id=None, limit=9), await storage.read_instance(
            "one"
        )

    ((page, row),) = hosts(task_hub, story)

    assert list(page.rows) == []
    assert row is None


@pytest.mark.conforms("S2.3-11")
def test_a_start_over_is_not_overwritten_by_a_row_that_waited_to_be_merged(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(storage: AzureStorage) -> None:
        await start(storage, row_at())
        work = await storage.next_orchestration()
        with monkeypatch.context() as broken:
            failing(broken, Tables, "merge", StorageError("no"))
            await storage.commit(work, completed(work))
            await start(storage, row_at(_LATER, execution_id="e2"))
        await _when_merged(storage)

    async def after(storage: AzureStorage) -> Any:
        return await storage.read_instance("one"), await storage.next_orchestration()

    _, (row, work) = hosts(task_hub, story, after)

    assert row.runtime_status is OrchestrationStatus.PENDING
    assert starts_in(work) == ["e2"]


async def _when_merged(storage: AzureStorage) -> None:
    """When what waits to be merged has been merged or given up."""
    await asyncio.gather(*storage._live._merging)


def test_a_row_that_cannot_be_written_does_not_keep_the_host_busy(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(storage: AzureStorage) -> None:
        await start(storage, row_at())
        work = await storage.next_orchestration()
        commit = running(work)
        tries = 0

        async def refused(*_args: Any, **_options: Any) -> Any:
            nonlocal tries
            tries += 1
            raise StorageError("no")

        with monkeypatch.context() as broken:
            broken.setattr(Tables, "merge", refused)
            await storage.commit(work, commit)
            start_again = Message(instance_id="one", execution_id="e1", event=start_event(row_at()))
            await storage.send(start_again)
            assert await nothing_comes(storage.next_orchestration())
            assert tries == 1
        await _when_merged(storage)
        await storage.send(start_again)
        assert await nothing_comes(storage.next_orchestration())

    async def after(storage: AzureStorage) -> Any:
        await asyncio.sleep(0)
        assert await nothing_comes(storage.next_orchestration())
        return await storage.read_instance("one")

    _, row = hosts(task_hub, story, after)

    assert row.runtime_status is OrchestrationStatus.RUNNING


@pytest.mark.conforms("S2.3-11")
def test_a_row_is_tried_again_once_however_many_episodes_there_are(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(storage: AzureStorage) -> Any:
        await start(storage, row_at())
        work = await storage.next_orchestration()
        with monkeypatch.context() as broken:
            failing(broken, Tables, "merge", StorageError("no"))
            await storage.commit(work, running(work))
            for number in range(3):
                await storage.send(Message(instance_id="one", event=raised(number)))
                work = await storage.next_orchestration()
                row = replace(_present(work.row), custom_status=str(number))
                events = (OrchestratorStarted(timestamp=row.last_updated_time), raised(number).played())
                await storage.commit(work, EpisodeCommit(row=row, events=events))
            assert len(storage._live._merging) == 1
        await _when_merged(storage)

    async def after(storage: AzureStorage) -> Any:
        return await storage.read_instance("one")

    _, row = hosts(task_hub, story, after)

    assert (row.runtime_status, row.custom_status) == (OrchestrationStatus.RUNNING, "2")


def test_texts_of_a_generation_go_with_it(task_hub: FreshTaskHub) -> None:
    async def story(storage: AzureStorage) -> None:
        await start(storage, row_at(input="x" * 40_000))
        work = await storage.next_orchestration()
        await storage.commit(work, running(work))
        assert list(_history_blobs(task_hub)) != []
        await storage.send(Message(instance_id="one", event=raised(1)))
        work = await storage.next_orchestration()
        following = replace(_present(work.row), execution_id="e2", input='"small"')
        events = episode(following, first=replace(start_event(following), generation=None))
        await storage.commit(work, EpisodeCommit(row=following, replaces_history=True, events=events))

    hosts(task_hub, story)

    assert list(_history_blobs(task_hub)) == []


def _history_blobs(hub: FreshTaskHub) -> list[str]:
    container = HubNames(hub.name).large_messages_container
    with ContainerClient.from_connection_string(hub.connection_string, container) as blobs:
        return [name for name in blobs.list_blob_names() if "/history-0" in name]


def test_a_purge_leaves_the_texts_of_ids_that_begin_alike(task_hub: FreshTaskHub) -> None:
    async def story(storage: AzureStorage) -> None:
        for instance_id in ("a", "a/b"):
            await start(storage, row_at(instance_id=instance_id, input="x" * 60_000))
        await storage.purge(["a"])

    async def after(storage: AzureStorage) -> Any:
        return await storage.read_instance("a/b")

    _, row = hosts(task_hub, story, after)

    assert row.input == "x" * 60_000


def test_no_more_instances_are_kept_in_memory_than_may_be(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("durable_status.local_host.storage.azure_storage.live_instances._KEPT", 2)

    async def story(storage: AzureStorage) -> Any:
        await start(storage, row_at(instance_id="behind"))
        work = await storage.next_orchestration()
        with monkeypatch.context() as broken:
            failing(broken, Tables, "merge", StorageError("no"))
            await storage.commit(work, running(work))
            for number in range(4):
                await start(storage, row_at(instance_id=str(number)))
            return list(storage._live._kept)

    (kept,) = hosts(task_hub, story)

    assert kept == ["behind", "3"]


def test_a_history_whose_instance_is_gone_does_not_hinder_the_next(task_hub: FreshTaskHub) -> None:
    async def story(storage: AzureStorage) -> Any:
        await start(storage, row_at())
        work = await storage.next_orchestration()
        await storage.commit(work, completed(work))
        with TableServiceClient.from_connection_string(task_hub.connection_string) as tables:
            tables.get_table_client(HubNames(task_hub.name).instances_table).delete_entity("one", "")
        await start(storage, row_at(_LATER, execution_id="e2"))
        work = await storage.next_orchestration()
        await storage.commit(work, running(work))
        return await storage.read_instance("one")

    (row,) = hosts(task_hub, story)

    assert (row.execution_id, row.runtime_status) == ("e2", OrchestrationStatus.RUNNING)


def test_a_host_opens_its_hub_again(task_hub: FreshTaskHub) -> None:
    async def story(storage: AzureStorage) -> Any:
        await start(storage, row_at())
        await storage.next_orchestration()
        await storage.close()
        await storage.open()
        return await storage.next_orchestration()

    (work,) = hosts(task_hub, story)

    assert starts_in(work) == ["e1"]


def test_a_start_that_another_client_overtook_does_not_show(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert = Tables.insert

    async def second(self: Tables, table: str, row: Row) -> Any:
        await insert(self, table, row | {"ExecutionId": "other"})
        return await insert(self, table, row)

    async def story(storage: AzureStorage) -> Any:
        monkeypatch.setattr(Tables, "insert", second)
        await start(storage, row_at())
        return await storage.read_instance("one")

    (row,) = hosts(task_hub, story)

    assert row.execution_id == "other"


def test_what_the_stored_row_shows_is_not_deleted_before_it_shows_something_else(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = '"' + "x" * 40_000 + '"'

    async def cut(storage: AzureStorage) -> None:
        await start(storage, row_at(input=large))
        work = await storage.next_orchestration()
        await storage.commit(work, running(work))
        await storage.send(Message(instance_id="one", event=raised(1)))
        work = await storage.next_orchestration()
        following = replace(_present(work.row), execution_id="e2", input='"small"')
        with monkeypatch.context() as broken:
            failing(broken, Tables, "merge", StorageError("the host has died"))
            events = episode(following, first=replace(start_event(following), generation=None))
            await storage.commit(work, EpisodeCommit(row=following, replaces_history=True, events=events))
            await storage.close()

    async def go_on(storage: AzureStorage) -> Any:
        shown = await storage.read_instance("one")
        await storage.send(Message(instance_id="one", event=raised(2)))
        return shown, await storage.next_orchestration()

    _, (shown, work) = hosts(task_hub, cut, go_on)

    assert shown.input == large
    assert work.row.input == '"small"'


def _present(row: Any) -> Any:
    assert row is not None
    return row
