"""The Azure Storage provider: a task hub in tables, queues and blobs, as the durable extension has it.

A commit is not one transaction here, but an order of steps that may be cut anywhere (storage.md §2.3, §4.2): messages
are put, the history is written, the instance's row follows it, the messages that were consumed are deleted. The history
is the truth; what a host left half done is done again, or caught up with, when the instance is next loaded.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack

from durable_status.app.host_settings import AzureStorageSettings
from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import InstanceExistsError, StorageError
from durable_status.local_host.storage.azure_storage.arrivals import sort_out
from durable_status.local_host.storage.azure_storage.entity_requests import was_sent
from durable_status.local_host.storage.azure_storage.history_table import (
    HistoryConflictError,
    HistoryTable,
    StoredHistory,
)
from durable_status.local_host.storage.azure_storage.hub import open_hub
from durable_status.local_host.storage.azure_storage.instance_table import InstanceTable
from durable_status.local_host.storage.azure_storage.large_texts import LargeTexts
from durable_status.local_host.storage.azure_storage.live_instances import Live, LiveInstances
from durable_status.local_host.storage.azure_storage.outgoing import Writer
from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.local_host.storage.azure_storage.post_office import PostOffice
from durable_status.local_host.storage.azure_storage.services import open_services
from durable_status.local_host.storage.azure_storage.together import together
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
from durable_status.replay.events import Event, ExecutionStarted
from durable_status.replay.ticks import format_ticks_in_full
from durable_status.task_hub.connection import StorageConnection
from durable_status.task_hub.history import Execution
from durable_status.task_hub.instances import episode_columns
from durable_status.task_hub.names import INSTANCE_ROW_KEY, HubNames, escape_key, is_entity_id
from durable_status.task_hub.tables import Row

_TRIES_OF_START = 5

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
            self._tell_of_killed_host()
            await stack.enter_async_context(self._ownership.running())
            self._texts = LargeTexts(services.blobs, self._names.large_messages_container)
            self._histories = HistoryTable(
                services.tables, self._names.history_table, self._texts, self._clock, self._ownership
            )
            self._instances = InstanceTable(services.tables, self._names.instances_table, self._texts, self._names.hub)
            self._live = LiveInstances(self._instances, self._histories, self._texts)
            self._taken: dict[str, Live] = {}
            self._post = PostOffice(
                services.queues,
                self._names,
                config.partition_count,
                self._texts,
                self._ownership,
                self._settings,
                self._clock,
            )
            self._post.start()
            stack.push_async_callback(self._post.close)
            stack.push_async_callback(self._live.close)
            self._open = stack.pop_all()

    async def close(self) -> None:
        await self._open.aclose()

    async def until_lost(self) -> None:
        raise StorageError(await self._ownership.lost())

    async def create_instance(self, row: InstanceRow, started: ExecutionStarted, *, replace_live: bool) -> None:
        async with self._live.lock(row.instance_id):
            found = await self._instances.find(row.instance_id)
            live = self._live.kept(row.instance_id)
            status = live.row.runtime_status if live and live.row else found.status if found else None
            if status is not None and not status.has_ended and not replace_live:
                raise InstanceExistsError(status)
            history = await self._histories.earlier(row.instance_id) if found else StoredHistory()
            message = Message(instance_id=row.instance_id, execution_id=row.execution_id, event=started)
            sent = await self._post.put(self._writer.from_client(message))
            with self._post.leaving_behind([sent]):  # if the row is there, it needs its start
                self._live.forget(row.instance_id)  # if not, it is as it was
                is_stored = await self._instances.add(row, input_blob=sent.posted.blob_name, over=found)
            self._taken.pop(row.instance_id, None)
            if is_stored:
                self._live.keep(row.instance_id, Live(row, history))
            self._post.deliver([sent])

    async def send(self, message: Message) -> None:
        self._post.deliver([await self._post.put(self._writer.from_client(message))])

    async def rewrite(self, rewrites: Collection[Rewrite], messages: Collection[Message]) -> None:
        # A message that comes before its history was rewritten finds an instance that has ended, and does no harm.
        sent = await self._post.put_all([self._writer.from_client(message) for message in messages])
        with self._post.leaving_behind(sent):
            for rewrite in reversed(tuple(rewrites)):  # children first: until its own turn an instance can be rewound
                await self._rewrite(rewrite)
        self._post.deliver(sent)

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
        return sum(await together(*map(self._purge, instance_ids)))

    async def next_orchestration(self) -> OrchestrationWork:
        while True:
            instance_id, messages = await self._post.messages.take()
            for number in messages:
                self._post.control.mark_due(number)
            try:
                work = await self._work(instance_id, messages)
            except Exception as error:  # one instance is not to keep the others waiting
                unknown = None if isinstance(error, StorageError) else error
                logger.error(
                    "Instance '%s' cannot be loaded; trying again later: %s", instance_id, error, exc_info=unknown
                )
                self._post.put_off(instance_id, messages)
                self._post.messages.unlock(instance_id)
            except BaseException:
                self._post.messages.unlock(instance_id)
                raise
            else:
                if work is not None:
                    return work

    async def commit(self, work: OrchestrationWork, commit: EpisodeCommit) -> None:
        numbers = [number for number in work.messages if number > 0]

        def consume() -> None:
            self._post.control.consume(numbers)

        async with self._live.lock(work.instance_id):
            live = self._taken.pop(work.instance_id, None)  # not there: purged or replaced meanwhile
            if live is not None and commit.row is not None:
                await self._store(live, commit.row, work, commit, consume)
            elif live is not None and live.unmerged:
                await self._live.merge(work.instance_id, live, {}, consume)
            else:
                consume()
        self._post.messages.consume(work.instance_id, numbers, commit.rest_seconds)

    async def release(self, work: OrchestrationWork) -> None:
        self._post.messages.unlock(work.instance_id)

    async def next_activity(self) -> ActivityWork:
        return await self._post.next_call()

    async def complete_activity(self, work: ActivityWork, answer: Message) -> None:
        sent = await self._post.put(self._writer.answer(self._post.message_of(work), answer))
        self._post.deliver([sent])
        self._post.finish_call(work)

    async def _work(self, instance_id: str, messages: Mapping[int, Message]) -> OrchestrationWork | None:
        """What there is to do for an instance; None if nothing, and it is free again."""
        if is_entity_id(instance_id):
            messages = await self._without_unsent(instance_id, messages)
        async with self._live.lock(instance_id):  # a client may be replacing it
            live = await self._live.get(instance_id)
            arrivals = sort_out(live.row, live.history.events, messages)
            if arrivals.ahead:  # another client may have replaced it
                self._live.forget(instance_id)
                live = await self._live.get(instance_id)
                arrivals = sort_out(live.row, live.history.events, messages)
        history = live.history
        if history.to_repeat:  # before anything that has come since
            again = (
                Message(instance_id=instance_id, execution_id=history.execution_id, event=event)
                for event in history.to_repeat
            )
            return self._hand_out(instance_id, live, {-number: item for number, item in enumerate(again, start=1)})
        # What they wait for was in the hands of a host that died, and comes back in that time.
        self._post.put_off(instance_id, arrivals.early, longest_seconds=self._settings.control_invisible_seconds)
        self._wait_for_rows(instance_id, arrivals.ahead)
        is_behind = live.is_behind and not is_entity_id(instance_id)
        if not is_behind:  # else they stay until the row has caught up: they are why this is done at all
            self._post.messages.drop(instance_id, arrivals.repeated)
            live.once_merged(lambda: self._post.control.consume(arrivals.repeated))
        if arrivals.counting or is_behind:
            return self._hand_out(instance_id, live, arrivals.counting)
        self._post.messages.unlock(instance_id)
        return None

    async def _without_unsent(self, instance_id: str, messages: Mapping[int, Message]) -> Mapping[int, Message]:
        """The messages without requests that their sender does not stand by; what this host put itself was sent."""
        fetched = [number for number in messages if self._post.control.times_fetched(number)]
        unsent = [number for number in fetched if not await was_sent(messages[number].event, self._live)]
        self._post.messages.drop(instance_id, unsent)
        self._post.control.consume(unsent)
        return {number: message for number, message in messages.items() if number not in unsent}

    def _wait_for_rows(self, instance_id: str, starts: Collection[int]) -> None:
        """Put starts off whose rows are not there yet, and give up those whose rows do not come."""
        given_up = [number for number in starts if self._post.control.times_fetched(number) > _TRIES_OF_START]
        self._post.messages.drop(instance_id, given_up)
        self._post.control.consume(given_up)
        waiting = [number for number in starts if number not in given_up]
        self._post.put_off(instance_id, waiting, longest_seconds=self._settings.control_invisible_seconds)

    def _tell_of_killed_host(self) -> None:
        if self._ownership.goes_on:
            logger.warning(
                "The host that ran the task hub '%s' before was killed; what it had in hand comes back within %d s.",
                self._names.hub,
                max(self._settings.control_invisible_seconds, self._settings.work_invisible_seconds),
            )

    def _hand_out(self, instance_id: str, live: Live, messages: Mapping[int, Message]) -> OrchestrationWork:
        self._taken[instance_id] = live
        return OrchestrationWork(
            instance_id=instance_id,
            row=live.row,
            history=live.history.events,
            messages=messages,
            row_lags=live.is_behind,
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
        sent = await self._post.put_all(list(self._writer.of_commit(work, commit)))
        columns = _status_column(row)
        if commit.events:
            try:
                with self._post.leaving_behind(sent):  # if the history is there, it needs what it tells of
                    rows = await self._histories.append(history, of, commit.events, first=first)
            except BaseException as error:
                self._live.forget(instance_id)  # what is stored now is not known
                if isinstance(error, HistoryConflictError):
                    self._post.withdraw(sent)
                raise
            columns = self._columns(rows, of, row)
        live.row = row
        self._post.deliver(sent)
        self._live.keep(instance_id, live)
        await self._live.merge(instance_id, live, columns, consume)
        if not live.unmerged:  # else the stored row may show them, and they stay until a purge
            await self._texts.try_to_delete(old_blobs)

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


def _status_column(row: InstanceRow) -> Row:
    """What is merged when an episode adds nothing to the history: only the custom status is not in there."""
    return {
        "PartitionKey": escape_key(row.instance_id),
        "RowKey": INSTANCE_ROW_KEY,
        "CustomStatus": row.custom_status or "null",
    }
