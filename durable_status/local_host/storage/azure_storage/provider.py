"""The Azure Storage provider: a task hub in tables, queues and blobs, as the durable extension has it.

A commit is not one transaction here, but an order of steps that may be cut anywhere (storage.md §2.3, §4.2): messages
are put, the history is written, the instance's row follows it, the messages that were consumed are deleted. The history
is the truth; what a host left half done is done again, or caught up with, when the instance is next loaded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from durable_status.app.host_settings import AzureStorageSettings
from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import InstanceExistsError, StorageError
from durable_status.local_host.storage.azure_storage.arrivals import sort_out
from durable_status.local_host.storage.azure_storage.entity_requests import was_sent
from durable_status.local_host.storage.azure_storage.history_table import HistoryTable, StoredHistory
from durable_status.local_host.storage.azure_storage.hub import open_hub
from durable_status.local_host.storage.azure_storage.instance_table import InstanceTable
from durable_status.local_host.storage.azure_storage.large_texts import LargeTexts
from durable_status.local_host.storage.azure_storage.live_instances import Live, LiveInstances
from durable_status.local_host.storage.azure_storage.mailbox import HandLimits, Mailbox, Posted
from durable_status.local_host.storage.azure_storage.outgoing import Outgoing, Writer, read_call, read_control
from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.local_host.storage.azure_storage.services import open_services
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
from durable_status.replay.events import Event, EventRaised, ExecutionStarted, TimerFired
from durable_status.replay.ticks import PER_SECOND, Ticks, format_ticks_in_full, parse_ticks
from durable_status.task_hub.connection import StorageConnection
from durable_status.task_hub.history import Execution
from durable_status.task_hub.instances import episode_columns
from durable_status.task_hub.messages import QueueMessage
from durable_status.task_hub.names import INSTANCE_ROW_KEY, HubNames, escape_key, is_entity_id, partition_of
from durable_status.task_hub.tables import Row

logger = logging.getLogger(__name__)


class AzureStorage:
    """The task hub `hub` in a storage account."""

    def __init__(
        self, connection: StorageConnection, hub: str, settings: AzureStorageSettings, clock: Clock, *, wait: bool
    ) -> None:
        """Nothing is asked for yet. `wait`: for another host on the hub to stop.

        Raises:
            StorageError: a hub cannot be called that.
        """
        try:
            self._names = HubNames(hub)
        except ValueError as error:
            raise StorageError(str(error)) from error
        self._connection = connection
        self._settings = settings
        self._clock = clock
        self._wait = wait
        self._writer = Writer()
        self._open = AsyncExitStack()

    async def open(self) -> None:
        async with AsyncExitStack() as stack:
            services = await stack.enter_async_context(open_services(self._connection))
            partition_count = self._settings.partition_count
            config = await open_hub(
                services, self._names, partition_count=partition_count, clock=self._clock, wait=self._wait
            )
            self._ownership = HubOwnership(services, self._names, config.partition_count, clock=self._clock)
            await self._ownership.acquire(wait=self._wait)
            stack.push_async_callback(self._ownership.release)
            await stack.enter_async_context(self._ownership.running())
            self._queues = self._names.control_queues(config.partition_count)
            self._texts = LargeTexts(services.blobs, self._names.large_messages_container)
            self._histories = HistoryTable(
                services.tables, self._names.history_table, self._texts, self._clock, self._ownership
            )
            self._instances = InstanceTable(services.tables, self._names.instances_table, self._texts, self._names.hub)
            self._live = LiveInstances(self._instances, self._histories, self._texts)
            self._taken: dict[str, Live] = {}
            self._messages = MessageQueue(self._clock)
            self._calls: asyncio.Queue[ActivityWork] = asyncio.Queue()
            self._call_messages: dict[int, QueueMessage] = {}
            limits = HandLimits(
                messages=self._settings.messages_in_hand,
                invisible_seconds=self._settings.control_invisible_seconds,
                longest_poll_seconds=self._settings.longest_poll_seconds,
            )
            self._control = Mailbox(services.queues, self._queues, self._texts, limits, self._arrived)
            limits = replace(limits, invisible_seconds=self._settings.work_invisible_seconds)
            self._work_items = Mailbox(
                services.queues, [self._names.work_item_queue], self._texts, limits, self._called
            )
            for mailbox in (self._control, self._work_items):
                mailbox.start()
                stack.push_async_callback(mailbox.close)
            stack.push_async_callback(self._live.close)
            self._open = stack.pop_all()

    async def close(self) -> None:
        await self._open.aclose()

    async def until_lost(self) -> None:
        raise StorageError(await asyncio.shield(self._ownership.lost))

    async def create_instance(self, row: InstanceRow, started: ExecutionStarted, *, replace_live: bool) -> None:
        async with self._live.lock(row.instance_id):
            found = await self._instances.find(row.instance_id)
            live = self._live.kept(row.instance_id)
            status = live.row.runtime_status if live and live.row else found.status if found else None
            if status is not None and not status.has_ended and not replace_live:
                raise InstanceExistsError(status)
            history = await self._histories.earlier(row.instance_id) if found else StoredHistory()
            message = Message(instance_id=row.instance_id, execution_id=row.execution_id, event=started)
            posted = await self._put(self._writer.from_client(message))
            try:
                is_stored = await self._instances.add(row, input_blob=posted.blob_name, over=found)
            except BaseException:
                self._control.withdraw(posted)
                raise
            self._taken.pop(row.instance_id, None)
            self._live.forget(row.instance_id)
            if is_stored:
                self._live.keep(row.instance_id, Live(row, history))
            self._control.post(posted)

    async def send(self, message: Message) -> None:
        self._control.post(await self._put(self._writer.from_client(message)))

    async def rewrite(self, rewrites: Collection[Rewrite], messages: Collection[Message]) -> None:
        # A message that comes before its history was rewritten finds an instance that has ended, and does no harm.
        posted = [await self._put(self._writer.from_client(message)) for message in messages]
        for rewrite in rewrites:
            await self._rewrite(rewrite)
        for item in posted:
            self._control.post(item)

    async def read_instance(self, instance_id: str) -> InstanceRow | None:
        live = self._live.kept(instance_id)
        if live is not None:
            return live.row
        found = await self._instances.find(instance_id)
        return None if found is None else await self._instances.row(found.columns)

    async def read_history(self, instance_id: str) -> Sequence[Event]:
        live = self._live.kept(instance_id) or await self._live.load(instance_id)
        return live.history.events

    async def list_instances(self, wanted: InstanceFilter, *, after_id: str | None, limit: int) -> Page:
        return await self._instances.page(wanted, after_id=after_id, limit=limit)

    async def purge(self, instance_ids: Collection[str]) -> int:
        return sum([await self._purge(instance_id) for instance_id in instance_ids])

    async def next_orchestration(self) -> OrchestrationWork:
        while True:
            instance_id, messages = await self._messages.take()
            for number in messages:
                self._control.mark_due(number)
            try:
                work = await self._work(instance_id, messages)
            except StorageError as error:
                logger.error("Instance '%s' cannot be loaded; trying again later: %s", instance_id, error)
                self._put_off(instance_id, messages)
                self._messages.unlock(instance_id)
            except BaseException:
                self._messages.unlock(instance_id)
                raise
            else:
                if work is not None:
                    return work

    async def commit(self, work: OrchestrationWork, commit: EpisodeCommit) -> None:
        numbers = [number for number in work.messages if number > 0]

        def consume() -> None:
            self._control.consume(numbers)

        async with self._live.lock(work.instance_id):
            live = self._taken.pop(work.instance_id, None)  # not there: purged or replaced meanwhile
            if live is None or commit.row is None:
                consume()
            else:
                await self._store(live, commit.row, work, commit, consume)
        self._messages.consume(work.instance_id, numbers, commit.rest_seconds)

    async def release(self, work: OrchestrationWork) -> None:
        self._taken.pop(work.instance_id, None)
        self._messages.unlock(work.instance_id)

    async def next_activity(self) -> ActivityWork:
        return await self._calls.get()

    async def complete_activity(self, work: ActivityWork, answer: Message) -> None:
        posted = await self._put(self._writer.answer(self._call_messages[work.number], answer))
        del self._call_messages[work.number]
        self._control.post(posted)
        self._work_items.consume([work.number])

    async def _work(self, instance_id: str, messages: Mapping[int, Message]) -> OrchestrationWork | None:
        """What there is to do for an instance; None if nothing, and it is free again."""
        live = await self._live.get(instance_id)
        history = live.history
        if history.to_repeat:  # before anything that has come since
            again = (
                Message(instance_id=instance_id, execution_id=history.execution_id, event=event)
                for event in history.to_repeat
            )
            return self._hand_out(instance_id, live, {-number: item for number, item in enumerate(again, start=1)})
        if is_entity_id(instance_id):
            messages = await self._without_unsent(instance_id, messages)
        arrivals = sort_out(live.row, history.events, messages)
        self._messages.drop(instance_id, arrivals.early)
        # What they wait for was in the hands of a host that died, and comes back in that time.
        self._control.put_off(arrivals.early, longest_seconds=self._settings.control_invisible_seconds)
        lags = bool(live.unmerged) and not is_entity_id(instance_id)
        if not lags:  # else they stay until the row has caught up: they are why this is done at all
            self._messages.drop(instance_id, arrivals.repeated)
            self._control.consume(arrivals.repeated)
        if arrivals.counting or lags:
            return self._hand_out(instance_id, live, arrivals.counting)
        self._messages.unlock(instance_id)
        return None

    async def _without_unsent(self, instance_id: str, messages: Mapping[int, Message]) -> Mapping[int, Message]:
        """The messages without requests that their sender does not stand by; what this host put itself was sent."""
        fetched = [number for number in messages if self._control.was_fetched(number)]
        unsent = [number for number in fetched if not await was_sent(messages[number].event, self._live)]
        self._messages.drop(instance_id, unsent)
        self._control.consume(unsent)
        return {number: message for number, message in messages.items() if number not in unsent}

    def _hand_out(self, instance_id: str, live: Live, messages: Mapping[int, Message]) -> OrchestrationWork:
        self._taken[instance_id] = live
        return OrchestrationWork(
            instance_id=instance_id,
            row=live.row,
            history=live.history.events,
            messages=messages,
            row_lags=bool(live.unmerged),
        )

    async def _store(
        self,
        live: Live,
        row: InstanceRow,
        work: OrchestrationWork,
        commit: EpisodeCommit,
        consume: Callable[[], None],
    ) -> None:
        """Put messages, write the history, let the row follow, consume; in this order."""
        instance_id, history = work.instance_id, live.history
        of = Execution(instance_id=instance_id, execution_id=row.execution_id)
        first = 0 if commit.replaces_history else len(work.history)
        old_blobs = set() if first else set(history.blob_names)
        outgoing = list(self._writer.of_commit(instance_id, work.history, commit))
        posted = await self._put_all(outgoing)
        columns = _status_column(row)
        try:
            if commit.events:
                rows = await self._histories.append(history, of, commit.events, first=first)
                columns = self._columns(rows, of, row)
        except BaseException:
            self._live.forget(instance_id)
            for item, put in zip(outgoing, posted, strict=True):
                self._mailbox(item).withdraw(put)
            raise
        live.row = row
        for item, put in zip(outgoing, posted, strict=True):
            self._mailbox(item).post(put)
        await self._live.merge(instance_id, live, columns, consume)
        if row.runtime_status.has_ended and not live.unmerged:
            self._live.forget(instance_id)
        else:
            self._live.keep(instance_id, live)
        await self._texts.delete(old_blobs)

    def _columns(self, rows: Sequence[Row], of: Execution, row: InstanceRow) -> Row:
        completed = row.last_updated_time if row.completed_time is None else row.completed_time
        columns = episode_columns(
            rows,
            of,
            custom_status=row.custom_status,
            completed_time=format_ticks_in_full(completed),
            container_url=self._texts.url,
        )
        return columns | {"LastUpdatedTime": format_ticks_in_full(row.last_updated_time)}

    async def _rewrite(self, rewrite: Rewrite) -> None:
        row = rewrite.row
        async with self._live.lock(row.instance_id):
            live = await self._live.load(row.instance_id)
            of = Execution(instance_id=row.instance_id, execution_id=row.execution_id)
            await self._histories.append(live.history, of, rewrite.history, first=0)
            columns: Row = {
                "PartitionKey": escape_key(row.instance_id),
                "RowKey": INSTANCE_ROW_KEY,
                "RuntimeStatus": row.runtime_status.value,
                "LastUpdatedTime": format_ticks_in_full(row.last_updated_time),
            }
            self._taken.pop(row.instance_id, None)
            self._live.forget(row.instance_id)
            await self._instances.merge(columns)

    async def _purge(self, instance_id: str) -> bool:
        async with self._live.lock(instance_id):
            self._taken.pop(instance_id, None)
            self._live.forget(instance_id)
            await self._histories.delete(instance_id)
            await self._texts.delete_of(instance_id)
            return await self._instances.delete(instance_id)

    def _mailbox(self, outgoing: Outgoing) -> Mailbox:
        return self._work_items if outgoing.is_activity else self._control

    async def _put(self, outgoing: Outgoing) -> Posted:
        """Put a message into its queue. What is due later is hidden for whole seconds, as on the platform."""
        message = outgoing.message
        if outgoing.is_activity:
            return await self._work_items.put(self._names.work_item_queue, message)
        queue = self._queues[partition_of(message.instance_id, len(self._queues))]
        now = self._clock.now()
        seconds = max(0, outgoing.due - now) // PER_SECOND
        due = Ticks(now + seconds * PER_SECOND) if seconds else Ticks(0)
        return await self._control.put(queue, message, delay_seconds=seconds, due=due)

    async def _put_all(self, outgoing: Sequence[Outgoing]) -> Sequence[Posted]:
        """Put all messages, or none that stays."""
        results = await asyncio.gather(*map(self._put, outgoing), return_exceptions=True)
        failure = next((result for result in results if isinstance(result, BaseException)), None)
        if failure is None:
            return [result for result in results if not isinstance(result, BaseException)]
        for item, result in zip(outgoing, results, strict=True):
            if not isinstance(result, BaseException):
                self._mailbox(item).withdraw(result)
        raise failure

    def _put_off(self, instance_id: str, numbers: Collection[int]) -> None:
        self._messages.drop(instance_id, numbers)
        self._control.put_off(numbers)

    def _arrived(self, number: int, queued: QueueMessage, due: Ticks) -> None:
        """Take a message to an instance."""
        try:
            message = replace(read_control(queued), due=due)
        except ValueError as error:
            logger.error("A message to instance '%s' is put off: %s", queued.instance_id, error)
            self._control.put_off([number])
            return
        seconds = 0 if due else max(0, _due(message.event) - self._clock.now()) // PER_SECOND
        if seconds:  # it was put off for as long as one time can be, and has to wait on
            self._control.put_off_for(number, seconds)
        else:
            self._messages.put(number, message)

    def _called(self, number: int, queued: QueueMessage, _due: Ticks) -> None:
        """Take a call of an activity."""
        try:
            call = read_call(queued)
        except ValueError as error:
            logger.error("A message in the queue %s is put off: %s", self._names.work_item_queue, error)
            self._work_items.put_off([number])
            return
        self._call_messages[number] = queued
        self._calls.put_nowait(ActivityWork(number=number, call=call))


def _status_column(row: InstanceRow) -> Row:
    """What is merged when an episode adds nothing to the history: only the custom status is not in there."""
    return {
        "PartitionKey": escape_key(row.instance_id),
        "RowKey": INSTANCE_ROW_KEY,
        "CustomStatus": row.custom_status or "null",
    }


def _due(event: Event) -> Ticks:
    """When an event is due by its own words: a timer's, and a delayed signal's whose name ends in a time."""
    if isinstance(event, TimerFired):
        return event.fire_at
    if isinstance(event, EventRaised) and event.name.startswith("op@"):
        try:
            return parse_ticks(event.name.removeprefix("op@"))
        except ValueError:
            return Ticks(0)
    return Ticks(0)
