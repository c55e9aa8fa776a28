"""A commit that is cut between any two of its steps: the next host does again, or catches up, what is missing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import UnavailableError
from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.local_host.storage.azure_storage.provider import AzureStorage
from durable_status.local_host.storage.azure_storage.tables import Tables
from durable_status.local_host.storage.provider import ActivityCall, EpisodeCommit, OrchestrationWork
from durable_status.replay.events import (
    Event,
    ExecutionCompleted,
    OrchestrationStatus,
    TaskScheduled,
)
from durable_status.replay.ticks import Ticks
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.provider_stories import T0, episode, hosts, row_at, unanswered
from tests.durable_status.local_host.storage.contract import nothing_comes, start_event

pytestmark = pytest.mark.needs_azurite

_MANY = 150


def _scheduled(count: int) -> list[Event]:
    return [TaskScheduled(timestamp=Ticks(T0 + 1), event_id=number, name="Echo") for number in range(count)]


async def _start(storage: AzureStorage) -> OrchestrationWork:
    row = row_at()
    await storage.create_instance(row, start_event(row), replace_live=False)
    return await storage.next_orchestration()


def _fail_after(monkeypatch: pytest.MonkeyPatch, method: str, count: int) -> None:
    """Let a kind of request fail from the one after `count` on, as if the host died there."""
    original = getattr(Tables, method)
    left = count

    async def failing(self: Tables, *args: Any, **options: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            raise StorageError("the host has died")
        return await original(self, *args, **options)

    monkeypatch.setattr(Tables, method, failing)


@pytest.mark.conforms("S3.5-5")
def test_an_episode_of_which_a_part_was_written_is_done_again_and_its_rest_is_gone(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut(storage: AzureStorage) -> None:
        work = await _start(storage)
        with monkeypatch.context() as broken:
            _fail_after(broken, "transact", 1)
            with pytest.raises(StorageError, match="died"):
                await storage.commit(work, _committing(work, _MANY))
        await storage.release(work)

    async def again(storage: AzureStorage) -> Any:
        work = await storage.next_orchestration()
        await storage.commit(work, _committing(work, 3))
        return work, await storage.read_history("one"), await storage.read_instance("one")

    async def read(storage: AzureStorage) -> Any:
        return await storage.read_history("one")

    def _committing(work: OrchestrationWork, count: int) -> EpisodeCommit:
        assert work.row is not None
        row = replace(work.row, runtime_status=OrchestrationStatus.RUNNING)
        return EpisodeCommit(row=row, replaces_history=True, events=episode(row_at(), *_scheduled(count)))

    _, (work, history, row), stored = hosts(task_hub, cut, again, read)

    assert list(work.history) == []
    assert [message.event for message in work.messages.values()] == [start_event(row_at())]
    assert len(history) == 6
    assert row.runtime_status is OrchestrationStatus.RUNNING
    assert list(stored) == list(history), "no row of the longer episode is left"


@pytest.mark.conforms("S3.5-5")
def test_a_new_generation_of_which_a_part_was_written_begins_again(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    following = replace(row_at(execution_id="e2"), runtime_status=OrchestrationStatus.RUNNING)
    start = replace(start_event(following), generation=None)

    async def cut(storage: AzureStorage) -> None:
        work = await _start(storage)
        events = episode(following, *_scheduled(_MANY), first=start)
        with monkeypatch.context() as broken:
            _fail_after(broken, "transact", 1)
            with pytest.raises(StorageError, match="died"):
                await storage.commit(work, EpisodeCommit(row=following, replaces_history=True, events=events))
        await storage.release(work)

    async def again(storage: AzureStorage) -> Any:
        work = await storage.next_orchestration()
        events = episode(following, *_scheduled(1), first=start)
        await storage.commit(work, EpisodeCommit(row=following, replaces_history=True, events=events))
        assert await nothing_comes(storage.next_orchestration())
        return work, await storage.read_instance("one")

    async def read(storage: AzureStorage) -> Any:
        return await storage.read_history("one"), await storage.read_instance("one")

    _, (work, _), (history, row) = hosts(task_hub, cut, again, read)

    assert work.row.execution_id == "e2"
    assert list(work.history) == []
    assert [message.event for message in work.messages.values()] == [start]
    assert len(history) == 4
    assert (row.execution_id, row.generation) == ("e2", 0)


@pytest.mark.parametrize("ended", [False, True])
def test_a_row_that_fell_behind_its_history_catches_up(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    status = OrchestrationStatus.COMPLETED if ended else OrchestrationStatus.RUNNING
    last = Ticks(T0 + 1)
    row = replace(
        row_at(),
        runtime_status=status,
        custom_status='"seen"',
        output='"out"' if ended else None,
        last_updated_time=last,
        completed_time=last if ended else None,
    )
    end = ExecutionCompleted(timestamp=Ticks(T0 + 1), event_id=0, orchestration_status=status, result='"out"')

    async def cut(storage: AzureStorage) -> None:
        work = await _start(storage)
        events = episode(row, *([end] if ended else []))
        with monkeypatch.context() as broken:
            _fail_after(broken, "merge", 0)
            await storage.commit(work, EpisodeCommit(row=row, replaces_history=True, events=events))
            await storage.close()

    async def catch_up(storage: AzureStorage) -> Any:
        before = await storage.read_instance("one")
        work = await storage.next_orchestration()
        assert work.row is not None
        await storage.commit(work, EpisodeCommit(row=replace(work.row, custom_status='"seen"')))
        return before, work

    async def read(storage: AzureStorage) -> Any:
        return await storage.read_instance("one"), await storage.read_history("one")

    _, (before, work), (stored, history) = hosts(task_hub, cut, catch_up, read)

    assert before.runtime_status is OrchestrationStatus.PENDING
    assert work.row_lags
    assert ended or dict(work.messages) == {}, "the start has been processed"
    assert stored == row
    assert len(history) == (4 if ended else 3)


@pytest.mark.parametrize("end", [UnavailableError("no answer"), asyncio.CancelledError()])
def test_an_episode_that_was_written_without_an_answer_keeps_its_messages(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    async def cut(storage: AzureStorage) -> None:
        work = await _start(storage)
        assert work.row is not None
        row = replace(work.row, runtime_status=OrchestrationStatus.RUNNING)
        call = ActivityCall(instance_id="one", execution_id="e1", task_id=0, name="Echo", input='["1"]')
        events = episode(row_at(), *_scheduled(1))
        with monkeypatch.context() as broken:
            unanswered(broken, Tables, "transact", end)
            with pytest.raises(type(end)):
                await storage.commit(
                    work, EpisodeCommit(row=row, replaces_history=True, events=events, activities=[call])
                )
        await storage.release(work)
        assert len(await storage.read_history("one")) == 4

    async def go_on(storage: AzureStorage) -> Any:
        return await storage.next_activity(), await storage.read_history("one")

    _, (activity, history) = hosts(task_hub, cut, go_on)

    assert activity.call.task_id == 0
    assert len(history) == 4


@pytest.mark.parametrize("end", [UnavailableError("no answer"), asyncio.CancelledError()])
def test_a_start_that_was_stored_without_an_answer_is_not_lost(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch, end: BaseException
) -> None:
    async def cut(storage: AzureStorage) -> None:
        row = row_at()
        with monkeypatch.context() as broken:
            unanswered(broken, Tables, "insert", end)
            with pytest.raises(type(end)):
                await storage.create_instance(row, start_event(row), replace_live=False)

    async def go_on(storage: AzureStorage) -> Any:
        return await storage.next_orchestration()

    _, work = hosts(task_hub, cut, go_on)

    assert [message.event for message in work.messages.values()] == [start_event(row_at())]


def test_a_start_that_was_sent_twice_is_still_this_hosts_own(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    original = Tables.insert

    async def twice(self: Tables, *args: Any, **options: Any) -> str:
        await original(self, *args, **options)
        return await original(self, *args, **options)  # as if the first answer had been lost

    async def start(storage: AzureStorage) -> Any:
        with monkeypatch.context() as broken:
            broken.setattr(Tables, "insert", twice)
            return await _start(storage)

    (work,) = hosts(task_hub, start)

    assert work.row == row_at()
    assert "another client" not in caplog.text


def test_a_host_that_has_lost_its_hub_writes_no_history(
    task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_self: HubOwnership) -> None:
        raise StorageError("the hub is another host's")

    async def commit(storage: AzureStorage) -> Any:
        work = await _start(storage)
        assert work.row is not None
        with monkeypatch.context() as broken:
            broken.setattr(HubOwnership, "confirm", lost)
            with pytest.raises(StorageError, match="another host's"):
                await storage.commit(work, EpisodeCommit(row=work.row, replaces_history=True, events=episode(work.row)))
        await storage.release(work)
        return await storage.read_history("one")

    assert list(hosts(task_hub, commit)[0]) == []
