"""The memory provider: a task hub that is gone with the process. Simple enough to judge the others by."""

from __future__ import annotations

import asyncio
from bisect import bisect_right, insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import count

from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import InstanceExistsError
from durable_status.local_host.storage.message_queue import MessageQueue
from durable_status.local_host.storage.provider import (
    ActivityWork,
    EpisodeCommit,
    InstanceFilter,
    InstanceRow,
    Message,
    OrchestrationWork,
    Page,
    Rewrite,
)
from durable_status.replay.event_json import event_text, read_event
from durable_status.replay.events import Event, ExecutionStarted


class MemoryStorage:
    """A task hub in memory."""

    def __init__(self, clock: Clock) -> None:
        self._instances: dict[str, _Instance] = {}
        self._ids: list[str] = []  # sorted, for lists
        self._queue = MessageQueue(clock)
        self._activities: asyncio.Queue[ActivityWork] = asyncio.Queue()
        self._in_hand: dict[int, ActivityWork] = {}
        self._numbers = count(1)

    async def open(self) -> None:
        """Hand out again what a host before this one took and did not finish."""
        for work in self._in_hand.values():
            self._activities.put_nowait(work)
        self._in_hand.clear()

    async def close(self) -> None:
        """Nothing to do: nothing is kept."""

    async def until_lost(self) -> None:
        await asyncio.Event().wait()  # nobody can take it

    async def create_instance(self, row: InstanceRow, started: ExecutionStarted, *, replace_live: bool) -> None:
        existing = self._instances.get(row.instance_id)
        if existing is not None and not existing.row.runtime_status.has_ended and not replace_live:
            raise InstanceExistsError(existing.row.runtime_status)
        self._keep(_Instance(row, []))
        self._put(Message(instance_id=row.instance_id, execution_id=row.execution_id, event=started))

    async def send(self, message: Message) -> None:
        self._put(message)

    async def rewrite(self, rewrites: Collection[Rewrite], messages: Collection[Message]) -> None:
        for rewrite in rewrites:
            self._keep(_Instance(rewrite.row, list(rewrite.history)))
        for message in messages:
            self._put(message)

    async def read_instance(self, instance_id: str) -> InstanceRow | None:
        instance = self._instances.get(instance_id)
        return None if instance is None else instance.row

    async def read_history(self, instance_id: str) -> Sequence[Event]:
        instance = self._instances.get(instance_id)
        return () if instance is None else instance.history()

    async def list_instances(self, wanted: InstanceFilter, *, after_id: str | None, limit: int) -> Page:
        rows: list[InstanceRow] = []
        start = 0 if after_id is None else bisect_right(self._ids, after_id)
        for instance_id in self._ids[start:]:
            row = self._instances[instance_id].row
            if not wanted.admits(row):
                continue
            if len(rows) == limit:
                return Page(rows=rows, last_id=rows[-1].instance_id)
            rows.append(row)
        return Page(rows=rows)

    async def purge(self, instance_ids: Collection[str]) -> int:
        found = [instance_id for instance_id in instance_ids if self._instances.pop(instance_id, None) is not None]
        for instance_id in found:
            self._ids.remove(instance_id)
        return len(found)

    async def next_orchestration(self) -> OrchestrationWork:
        instance_id, messages = await self._queue.take()
        instance = self._instances.get(instance_id)
        return OrchestrationWork(
            instance_id=instance_id,
            row=None if instance is None else instance.row,
            history=() if instance is None else instance.history(),
            messages=messages,
        )

    async def commit(self, work: OrchestrationWork, commit: EpisodeCommit) -> None:
        instance = self._instances.get(work.instance_id)
        if (None if instance is None else instance.row.execution_id) == (work.row and work.row.execution_id):
            self._apply(instance, commit)
        self._queue.consume(work.instance_id, work.messages, commit.rest_seconds)

    async def release(self, work: OrchestrationWork) -> None:
        self._queue.unlock(work.instance_id)

    async def next_activity(self) -> ActivityWork:
        work = await self._activities.get()
        self._in_hand[work.number] = work
        return work

    async def complete_activity(self, work: ActivityWork, answer: Message) -> None:
        self._in_hand.pop(work.number, None)
        self._put(answer)

    def _apply(self, instance: _Instance | None, commit: EpisodeCommit) -> None:
        if commit.row is not None:
            if instance is None or commit.replaces_history:
                instance = _Instance(commit.row, [])
                self._keep(instance)
            instance.append(commit.row, commit.events)
        for message in commit.messages:
            self._put(message)
        for call in commit.activities:
            self._activities.put_nowait(ActivityWork(number=next(self._numbers), call=call))

    def _keep(self, instance: _Instance) -> None:
        if instance.row.instance_id not in self._instances:
            insort(self._ids, instance.row.instance_id)
        self._instances[instance.row.instance_id] = instance

    def _put(self, message: Message) -> None:
        self._queue.put(next(self._numbers), message)


@dataclass(slots=True)
class _Instance:
    row: InstanceRow
    _events: list[Event] | str
    """The history; of an instance that has ended its text, line by line, which takes a third of the room."""

    def history(self) -> Sequence[Event]:
        if isinstance(self._events, str):
            return [read_event(line) for line in self._events.split("\n")]
        return self._events

    def append(self, row: InstanceRow, events: Sequence[Event]) -> None:
        self.row = row
        history = [*self.history(), *events]
        self._events = "\n".join(map(event_text, history)) if row.runtime_status.has_ended else history
