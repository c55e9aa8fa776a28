"""The instances that this host works on, in memory: loaded once, then kept up with what is written."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.history_table import HistoryTable, StoredHistory
from durable_status.local_host.storage.azure_storage.instance_table import InstanceTable
from durable_status.local_host.storage.azure_storage.large_texts import LargeTexts
from durable_status.local_host.storage.provider import InstanceRow
from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.executions import find_start
from durable_status.replay.ticks import format_ticks_in_full
from durable_status.task_hub.history import Execution
from durable_status.task_hub.instances import episode_columns
from durable_status.task_hub.tables import Row

logger = logging.getLogger(__name__)

_KEPT = 1_000
_PAUSE_AFTER_ERROR_SECONDS = 1.0


@dataclass(slots=True)
class Live:
    """An instance as its hub has it."""

    row: InstanceRow | None
    history: StoredHistory
    unmerged: Row = field(default_factory=dict)
    """Columns that the history tells and the Instances table does not show yet."""
    when_merged: list[Callable[[], None]] = field(default_factory=list)
    """What is done then. If there is anything, the columns are on their way."""

    @property
    def is_behind(self) -> bool:
        """Whether the stored row is behind the history, and nobody has told yet what it has to show."""
        return bool(self.unmerged) and not self.when_merged

    def once_merged(self, then: Callable[[], None]) -> None:
        """Call `then` now, or when the columns that are on their way are there."""
        if self.unmerged:
            self.when_merged.append(then)
        else:
            then()


class LiveInstances:
    """Instances by id. Only this host writes them, so that what is kept is what is stored."""

    def __init__(self, instances: InstanceTable, histories: HistoryTable, texts: LargeTexts) -> None:
        self._instances = instances
        self._histories = histories
        self._texts = texts
        self._kept: OrderedDict[str, Live] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._merging: set[asyncio.Task[None]] = set()

    def lock(self, instance_id: str) -> asyncio.Lock:
        """Whoever changes an instance holds this."""
        return self._locks.setdefault(instance_id, asyncio.Lock())

    def kept(self, instance_id: str) -> Live | None:
        """The instance, if it is in memory."""
        return self._kept.get(instance_id)

    async def get(self, instance_id: str) -> Live:
        """The instance, loaded when it is not in memory; it is kept if there is one.

        Raises:
            StorageError: it cannot be read.
        """
        live = self._kept.get(instance_id)
        if live is None:
            live = await self.load(instance_id)
            if live.row is not None and not live.row.runtime_status.has_ended:
                self.keep(instance_id, live)
        return live

    async def load(self, instance_id: str) -> Live:
        """The instance as it is stored, whatever a host before this one left undone."""
        found = await self._instances.find(instance_id)
        history = await self._histories.read(instance_id)
        row = None if found is None else await self._instances.row(found.columns)
        if row is not None and _is_of_earlier_start(history, row):
            return Live(row, StoredHistory(etag=history.etag))
        if row is not None and not history.events and history.to_repeat:
            return Live(replace(row, execution_id=history.execution_id or ""), history)
        unmerged = _unmerged(instance_id, row, history, self._texts.url)
        if unmerged:
            logger.info("Instance '%s': its row had fallen behind its history; catching up.", instance_id)
            row = await self._instances.row((found.columns if found else {}) | unmerged)
        return Live(row, history, unmerged)

    def keep(self, instance_id: str, live: Live) -> None:
        """Keep an instance in memory."""
        self._kept[instance_id] = live
        self._kept.move_to_end(instance_id)
        if len(self._kept) > _KEPT:
            oldest = next((found for found, kept in self._kept.items() if not kept.unmerged), None)
            if oldest is not None:
                del self._kept[oldest]

    def forget(self, instance_id: str) -> None:
        """Load the instance anew next time."""
        self._kept.pop(instance_id, None)

    async def merge(self, instance_id: str, live: Live, columns: Row, then: Callable[[], None]) -> None:
        """Let the Instances table show what the history tells, now or as soon as that can be; `then` is called then.

        The caller holds the instance's lock.
        """
        live.unmerged |= columns
        is_on_its_way = bool(live.when_merged)
        live.when_merged.append(then)
        try:
            await self._merge_all(instance_id, live)
        except StorageError as error:
            if is_on_its_way:
                return
            logger.warning("Instance '%s': its row cannot be written; trying on: %s", instance_id, error)
            task = asyncio.create_task(self._merge_later(instance_id, live))
            self._merging.add(task)
            task.add_done_callback(self._merging.discard)

    async def close(self) -> None:
        """Give up what could not be merged: the next host catches up."""
        for task in self._merging:
            task.cancel()
        await asyncio.gather(*self._merging, return_exceptions=True)

    async def _merge_all(self, instance_id: str, live: Live) -> None:
        if live.unmerged:
            await self._instances.merge(live.unmerged)
        if self._kept.get(instance_id) is live and live.row is not None and live.row.runtime_status.has_ended:
            self.forget(instance_id)
        done, live.unmerged, live.when_merged = live.when_merged, {}, []
        for then in done:
            then()

    async def _merge_later(self, instance_id: str, live: Live) -> None:
        while True:
            await asyncio.sleep(_PAUSE_AFTER_ERROR_SECONDS)
            async with self.lock(instance_id):
                if self._kept.get(instance_id) is not live:  # purged, or started over; or who loads it catches up
                    live.unmerged = {}
                try:
                    await self._merge_all(instance_id, live)
                except StorageError:
                    continue
            return


def _is_of_earlier_start(history: StoredHistory, row: InstanceRow) -> bool:
    """Whether the history is that of the execution before a start over, which has not run yet.

    A generation that follows another one has a new execution id, too, but begins after the client's start.
    """
    if history.execution_id in (None, row.execution_id) or row.runtime_status is not OrchestrationStatus.PENDING:
        return False
    started = find_start(history.events or history.to_repeat)
    return started is None or started.timestamp < row.created_time


def _unmerged(instance_id: str, row: InstanceRow | None, history: StoredHistory, container_url: str) -> Row:
    """What a host that died between history and row did not merge: all columns, but the custom status as it was."""
    if not history.rows:
        return {}
    last = history.events[-1].timestamp
    if row is not None and row.execution_id == history.execution_id and row.last_updated_time >= last:
        return {}
    of = Execution(instance_id=instance_id, execution_id=history.execution_id or "")
    return episode_columns(
        history.rows,
        of,
        custom_status=None if row is None else row.custom_status,
        completed_time=format_ticks_in_full(last),
        container_url=container_url,
    )
