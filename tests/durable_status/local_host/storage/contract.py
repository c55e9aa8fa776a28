"""The contract of storage providers as tests. A provider inherits `StorageContract` and says how it is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from durable_status.local_host.errors import InstanceExistsError
from durable_status.local_host.storage.provider import (
    ActivityCall,
    EpisodeCommit,
    InstanceFilter,
    InstanceRow,
    Message,
    OrchestrationWork,
    Rewrite,
    StorageProvider,
)
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionCompleted,
    ExecutionStarted,
    GenericEvent,
    OrchestrationInstance,
    OrchestrationStatus,
    OrchestratorCompleted,
    OrchestratorStarted,
    TaskCompleted,
    TaskScheduled,
    TimerCreated,
    TimerFired,
)
from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks
from tests.clock import ManualClock

PENDING, RUNNING, COMPLETED = (
    OrchestrationStatus.PENDING,
    OrchestrationStatus.RUNNING,
    OrchestrationStatus.COMPLETED,
)
_AT_ONCE = 0.05


def new_row(instance_id: str = "one", execution_id: str = "e1", **members: Any) -> InstanceRow:
    """A row that a client's start makes."""
    defaults: dict[str, Any] = {
        "name": "Main",
        "runtime_status": PENDING,
        "created_time": Ticks(100),
        "last_updated_time": Ticks(100),
        "generation": 0,
    }
    return InstanceRow(instance_id=instance_id, execution_id=execution_id, **(defaults | members))


def start_event(row: InstanceRow) -> ExecutionStarted:
    """The first message of an instance."""
    return ExecutionStarted(
        timestamp=row.created_time,
        orchestration_instance=OrchestrationInstance(instance_id=row.instance_id, execution_id=row.execution_id),
        name=row.name,
        input=row.input,
        generation=row.generation,
    )


def raised(number: int) -> EventRaised:
    """An event that can be told from others."""
    return EventRaised(timestamp=Ticks(number), name="go", input=str(number))


async def nothing_comes(awaitable: Awaitable[Any]) -> bool:
    """Whether the awaitable is still waiting when everything that could happen at once has happened."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(awaitable, _AT_ONCE)
    return True


class StorageContract:
    """Inherited by the tests of every provider."""

    @asynccontextmanager
    async def storage(self, clock: ManualClock | None = None) -> AsyncIterator[StorageProvider]:
        """An open provider; within one test always of the same task hub."""
        provider = self.make(clock or ManualClock())
        await provider.open()
        try:
            yield provider
        finally:
            await provider.close()

    def make(self, clock: ManualClock) -> StorageProvider:
        """A provider of the test's task hub."""
        raise NotImplementedError

    def run(self, test: Callable[[StorageProvider, ManualClock], Awaitable[None]]) -> None:
        """Run a test with an open provider."""

        async def main() -> None:
            clock = ManualClock()
            async with self.storage(clock) as provider:
                await test(provider, clock)

        asyncio.run(main())

    def test_a_new_instance_is_pending_and_its_start_is_handed_out(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            row = new_row(input='{"é": "\\u2028"}')
            await storage.create_instance(row, start_event(row), replace_live=False)

            assert await storage.read_instance("one") == row
            work = await storage.next_orchestration()
            assert (work.instance_id, work.row, list(work.history)) == ("one", row, [])
            assert [message.event for message in work.messages.values()] == [start_event(row)]

        self.run(test)

    def test_a_live_instance_is_not_replaced_and_nothing_changes(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            await _started(storage)
            other = new_row(execution_id="e2")

            with pytest.raises(InstanceExistsError, match="status Running"):
                await storage.create_instance(other, start_event(other), replace_live=False)
            row = await storage.read_instance("one")
            assert row is not None
            assert row.execution_id == "e1"
            assert len(await storage.read_history("one")) == 3
            assert await nothing_comes(storage.next_orchestration())

        self.run(test)

    def test_an_ended_instance_is_replaced_whole(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            await _started(storage, status=COMPLETED, output='"done"', custom_status='"x"')
            again = new_row(execution_id="e2", generation=1)
            await storage.create_instance(again, start_event(again), replace_live=False)

            assert await storage.read_instance("one") == again
            assert list(await storage.read_history("one")) == []

        self.run(test)

    def test_a_live_instance_is_replaced_when_asked_to(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            await _started(storage)
            other = new_row(execution_id="e2")
            await storage.create_instance(other, start_event(other), replace_live=True)

            assert await storage.read_instance("one") == other

        self.run(test)

    def test_a_commit_shows_row_history_and_messages_together(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            work = await _started(
                storage,
                messages=[Message(instance_id="two", event=raised(1))],
                activities=[_call(0)],
                custom_status='{"a":"é"}',
            )

            row = await storage.read_instance("one")
            assert row is not None
            assert (row.runtime_status, row.custom_status) == (RUNNING, '{"a":"é"}')
            history = await storage.read_history("one")
            assert [type(event).__name__ for event in history] == [
                "OrchestratorStarted",
                "ExecutionStarted",
                "OrchestratorCompleted",
            ]
            assert (await storage.next_orchestration()).instance_id == "two"
            assert (await storage.next_activity()).call == _call(0)
            assert len(work.messages) == 1

        self.run(test)

    def test_histories_grow_by_commits_and_are_handed_out_whole(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            await _started(storage)
            await storage.send(Message(instance_id="one", event=raised(1)))
            work = await storage.next_orchestration()
            assert work.row is not None
            await storage.commit(work, EpisodeCommit(row=work.row, events=[raised(1).played()]))
            await storage.send(Message(instance_id="one", event=raised(2)))
            again = await storage.next_orchestration()

            assert len(again.history) == 4
            assert again.history[-1] == raised(1).played()
            assert list(await storage.read_history("one")) == list(again.history)

        self.run(test)

    def test_a_new_generation_replaces_the_history(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            await _started(storage)
            await storage.send(Message(instance_id="one", event=raised(1)))
            work = await storage.next_orchestration()
            assert work.row is not None
            following = replace(work.row, execution_id="e2")
            commit = EpisodeCommit(
                row=following, replaces_history=True, events=[OrchestratorStarted(timestamp=Ticks(9))]
            )
            await storage.commit(work, commit)

            assert await storage.read_instance("one") == following
            assert list(await storage.read_history("one")) == [OrchestratorStarted(timestamp=Ticks(9))]

        self.run(test)

    def test_messages_come_in_the_order_they_were_sent_and_all_at_once(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            for number in range(5):
                await storage.send(Message(instance_id="one", event=raised(number)))
            work = await storage.next_orchestration()

            assert [message.event for message in work.messages.values()] == [raised(number) for number in range(5)]

        self.run(test)

    def test_an_instance_is_handed_out_to_one_at_a_time_and_again_after_the_commit(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            await storage.send(Message(instance_id="one", event=raised(1)))
            work = await storage.next_orchestration()
            await storage.send(Message(instance_id="one", event=raised(2)))

            assert await nothing_comes(storage.next_orchestration())
            await storage.commit(work, EpisodeCommit())
            again = await storage.next_orchestration()
            assert [message.event for message in again.messages.values()] == [raised(2)]

        self.run(test)

    def test_released_work_is_handed_out_again_with_what_has_come_since(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            await storage.send(Message(instance_id="one", event=raised(1)))
            work = await storage.next_orchestration()
            await storage.send(Message(instance_id="one", event=raised(2)))
            await storage.release(work)
            again = await storage.next_orchestration()

            assert [message.event for message in again.messages.values()] == [raised(1), raised(2)]

        self.run(test)

    def test_work_that_rests_is_handed_out_after_the_rest(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            await storage.send(Message(instance_id="one", event=raised(1)))
            work = await storage.next_orchestration()
            await storage.send(Message(instance_id="one", event=raised(2)))
            await storage.commit(work, EpisodeCommit(rest_seconds=_AT_ONCE * 2))

            assert await nothing_comes(storage.next_orchestration())
            assert (await storage.next_orchestration()).instance_id == "one"

        self.run(test)

    def test_a_message_waits_until_it_is_due(self) -> None:
        async def test(storage: StorageProvider, clock: ManualClock) -> None:
            due = Ticks(clock.now() + 61 * PER_SECOND)
            fired = TimerFired(timestamp=clock.now(), timer_id=0, fire_at=due)
            await storage.send(Message(instance_id="one", event=fired, due=due))

            clock.advance(59)
            assert await nothing_comes(storage.next_orchestration())
            clock.advance(2)
            work = await storage.next_orchestration()
            assert [message.event for message in work.messages.values()] == [fired]

        self.run(test)

    def test_a_taker_that_waits_is_woken_by_a_message_and_by_the_clock(self) -> None:
        async def test(storage: StorageProvider, clock: ManualClock) -> None:
            due = Ticks(clock.now() + 60 * PER_SECOND)
            await storage.send(Message(instance_id="late", event=raised(1), due=due))
            first, second = (asyncio.ensure_future(storage.next_orchestration()) for _ in range(2))
            await asyncio.sleep(0)
            await storage.send(Message(instance_id="soon", event=raised(2)))
            assert (await first).instance_id == "soon"
            clock.advance(60)
            assert (await second).instance_id == "late"

        self.run(test)

    def test_an_activitys_answer_is_a_message_and_the_call_is_gone(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            scheduled = TaskScheduled(event_id=0, timestamp=Ticks(101), name="Echo")
            await _started(storage, scheduled, activities=[_call(0)])
            work = await storage.next_activity()
            completed = TaskCompleted(timestamp=Ticks(5), task_scheduled_id=0, result='"x"')
            await storage.complete_activity(work, Message(instance_id="one", execution_id="e1", event=completed))

            orchestration = await storage.next_orchestration()
            assert [message.event for message in orchestration.messages.values()] == [completed]
            assert await nothing_comes(storage.next_activity())

        self.run(test)

    def test_a_purged_instance_is_gone_and_an_episode_in_hand_does_not_bring_it_back(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            await _started(storage)
            await storage.send(Message(instance_id="one", event=raised(1)))
            work = await storage.next_orchestration()

            assert await storage.purge(["one", "nobody"]) == 1
            commit = EpisodeCommit(
                row=work.row, events=[raised(1)], messages=[Message(instance_id="x", event=raised(2))]
            )
            await storage.commit(work, commit)

            assert await storage.read_instance("one") is None
            assert list(await storage.read_history("one")) == []
            assert await nothing_comes(storage.next_orchestration())

        self.run(test)

    def test_rewriting_replaces_rows_and_histories_and_sends_messages_together(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            for name in ("one", "two"):
                await storage.create_instance(new_row(name), start_event(new_row(name)), replace_live=False)
                work = await storage.next_orchestration()
                events = [OrchestratorStarted(timestamp=Ticks(1)), start_event(new_row(name)), _ended(COMPLETED)]
                ended = new_row(name, runtime_status=COMPLETED, completed_time=Ticks(102))
                await storage.commit(work, EpisodeCommit(row=ended, replaces_history=True, events=events))

            generic = GenericEvent(timestamp=Ticks(2), data="again")
            rows = [new_row(name, last_updated_time=Ticks(103), completed_time=Ticks(102)) for name in ("one", "two")]
            rewrites = [Rewrite(row=row, history=[generic]) for row in rows]
            await storage.rewrite(rewrites, [Message(instance_id="two", event=generic)])

            assert [await storage.read_instance(name) for name in ("one", "two")] == rows
            assert [list(await storage.read_history(name)) for name in ("one", "two")] == [[generic], [generic]]
            work = await storage.next_orchestration()
            assert (work.instance_id, list(work.history)) == ("two", [generic])
            assert [message.event for message in work.messages.values()] == [generic]

        self.run(test)

    def test_a_start_that_was_not_processed_yet_outlives_the_purge_of_its_row(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            row = new_row()
            await storage.create_instance(row, start_event(row), replace_live=False)
            await storage.purge(["one"])
            work = await storage.next_orchestration()

            assert work.row is None
            assert [message.event for message in work.messages.values()] == [start_event(row)]

        self.run(test)

    def test_lists_are_sorted_paged_and_filtered(self) -> None:
        async def test(storage: StorageProvider, _clock: ManualClock) -> None:
            for number, instance_id in enumerate(["b2", "a", "b1", "B", "c"]):
                row = new_row(instance_id, created_time=_second(number))
                await storage.create_instance(row, start_event(row), replace_live=False)

            async def ids(limit: int = 10, after_id: str | None = None, **wanted: Any) -> tuple[list[str], str | None]:
                page = await storage.list_instances(InstanceFilter(**wanted), after_id=after_id, limit=limit)
                return [row.instance_id for row in page.rows], page.last_id

            assert await ids() == (["B", "a", "b1", "b2", "c"], None)
            assert await ids(limit=2) == (["B", "a"], "a")
            assert await ids(limit=3, after_id="a") == (["b1", "b2", "c"], None)
            assert await ids(id_prefix="b") == (["b1", "b2"], None)
            assert await ids(limit=1, id_prefix="b") == (["b1"], "b1")
            assert await ids(created_from=_second(1), created_to=_second(3)) == (["B", "a", "b1"], None)
            assert await ids(statuses=[COMPLETED]) == ([], None)
            assert (await ids(statuses=[PENDING, COMPLETED]))[0] == ["B", "a", "b1", "b2", "c"]

        self.run(test)


class DurableStorageContract(StorageContract):
    """Inherited by the tests of providers that outlive the process."""

    def test_what_was_committed_is_there_after_a_restart_and_what_was_taken_is_handed_out_again(self) -> None:
        async def main() -> None:
            clock = ManualClock()
            due = Ticks(clock.now() + 2 * PER_SECOND)
            fired = TimerFired(timestamp=Ticks(103), timer_id=7, fire_at=due)
            timer = Message(instance_id="one", execution_id="e1", event=fired, due=due)
            created = TimerCreated(event_id=7, timestamp=Ticks(101), fire_at=due)
            async with self.storage(clock) as storage:
                await _started(storage, created, messages=[timer], activities=[_call(0), _call(1)], custom_status='"s"')
                await storage.send(Message(instance_id="one", event=raised(1)))
                await storage.next_orchestration()
                await storage.next_activity()
                row, history = await storage.read_instance("one"), list(await storage.read_history("one"))
            async with self.storage(clock) as storage:
                assert await storage.read_instance("one") == row
                assert list(await storage.read_history("one")) == history
                work = await storage.next_orchestration()
                assert [message.event for message in work.messages.values()] == [raised(1)]
                calls = [await storage.next_activity() for _ in range(2)]
                assert [work.call for work in calls] == [_call(0), _call(1)]
                await storage.commit(work, EpisodeCommit())
                clock.advance(2)
                (message,) = (await storage.next_orchestration()).messages.values()
                assert (message.execution_id, message.event) == ("e1", fired)

        asyncio.run(main())


def _second(number: int) -> Ticks:
    return parse_ticks(f"2026-11-22T11:30:{number:02d}Z")


def _ended(status: OrchestrationStatus, output: str | None = None) -> Event:
    return ExecutionCompleted(timestamp=Ticks(101), event_id=0, orchestration_status=status, result=output)


def _call(task_id: int) -> ActivityCall:
    return ActivityCall(instance_id="one", execution_id="e1", task_id=task_id, name="Echo", input='["1"]')


async def _started(
    storage: StorageProvider,
    *events: Event,
    status: OrchestrationStatus = RUNNING,
    messages: list[Message] | None = None,
    activities: list[ActivityCall] | None = None,
    **members: Any,
) -> OrchestrationWork:
    """Start an instance and commit its first episode, with `events` in it."""
    if status.has_ended:
        events += (_ended(status, members.get("output")),)
    row = new_row()
    await storage.create_instance(row, start_event(row), replace_live=False)
    work = await storage.next_orchestration()
    commit = EpisodeCommit(
        row=replace(row, runtime_status=status, **members),
        replaces_history=True,
        events=[
            OrchestratorStarted(timestamp=Ticks(101)),
            start_event(row).played(),
            *events,
            OrchestratorCompleted(timestamp=Ticks(102)),
        ],
        messages=messages or [],
        activities=activities or [],
    )
    await storage.commit(work, commit)
    return work
