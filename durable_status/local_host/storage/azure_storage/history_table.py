"""An instance's history in the History table: read whole, grown by episodes, locked by its sentinel (storage.md §3).

The sentinel's ETag is the lock: every transaction changes it, and fails if somebody else has. A checkpoint is what an
episode adds; one of more than 99 rows takes several transactions, and is whole only with the last.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import RowChangedError, RowExistsError
from durable_status.local_host.storage.azure_storage.large_texts import LargeTexts
from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.local_host.storage.azure_storage.tables import Delete, Insert, Merge, Put, Step, Tables
from durable_status.replay.event_json import event_from_members, event_members
from durable_status.replay.events import Event, OrchestratorCompleted, OrchestratorStarted
from durable_status.replay.ticks import format_ticks_in_full
from durable_status.task_hub.filters import of_execution, of_partition
from durable_status.task_hub.history import (
    MAX_BATCH_ROWS,
    Execution,
    batches,
    current_rows,
    event_row,
    read_event_row,
    sentinel_row,
    with_texts,
)
from durable_status.task_hub.large_values import InBlob
from durable_status.task_hub.names import SENTINEL, escape_key, history_row_key
from durable_status.task_hub.tables import Row


class HistoryConflictError(StorageError):
    """Somebody else has written the history meanwhile; nothing of ours was."""


@dataclass(slots=True, kw_only=True)
class StoredHistory:
    """The history of an instance's current execution, as its rows say."""

    execution_id: str | None = None
    events: list[Event] = field(default_factory=list)
    to_repeat: Sequence[Event] = ()
    """What an episode had received whose checkpoint is not whole; it is not in `events`."""
    rows: list[Row] = field(default_factory=list)
    """Of `events`, as they were read; not kept up."""
    count: int = 0
    """How many rows the execution has in the table."""
    etag: str | None = None
    """Of the sentinel; None when there is none as far as we know."""
    blob_names: set[str] = field(default_factory=set)


class HistoryTable:
    """The histories of a hub."""

    def __init__(self, tables: Tables, table: str, texts: LargeTexts, clock: Clock, ownership: HubOwnership) -> None:
        self._tables = tables
        self._table = table
        self._texts = texts
        self._clock = clock
        self._ownership = ownership

    async def read(self, instance_id: str) -> StoredHistory:
        """The history that the sentinel names; an empty one without a sentinel.

        Raises:
            StorageError: rows are not those of a task hub, or a blob is missing.
        """
        key = escape_key(instance_id)
        sentinel = await self._tables.read(self._table, key, SENTINEL)
        if sentinel is None:
            return StoredHistory()
        execution_id = sentinel.row.get("ExecutionId")
        if not execution_id:
            raise StorageError(f"the history of instance '{instance_id}' cannot be read: its sentinel names none.")
        rows = current_rows(await self._rows(key, str(execution_id)))
        events = await self._events(instance_id, rows)
        history = StoredHistory(
            execution_id=str(execution_id),
            events=events,
            rows=rows,
            count=len(rows),
            etag=sentinel.etag,
            blob_names={str(value) for row in rows for name, value in row.items() if name.endswith("BlobName")},
        )
        if sentinel.row.get("IsCheckpointComplete") is False:
            _take_back(history)
        return history

    async def earlier(self, instance_id: str) -> StoredHistory:
        """The empty history of a start over an instance that was there: only the lock is taken over."""
        sentinel = await self._tables.read(self._table, escape_key(instance_id), SENTINEL)
        return StoredHistory(etag=None if sentinel is None else sentinel.etag)

    async def append(self, history: StoredHistory, of: Execution, events: Sequence[Event], *, first: int) -> list[Row]:
        """Store an episode's events from position `first` on, and tell their rows.

        What the execution had from there on goes; rows of an earlier one that lie further behind stay, as on the
        platform.

        Raises:
            HistoryConflictError: the history is not as `history` has it.
        """
        stored = [
            event_row(event_members(event), of, first + offset, suffix=secrets.token_hex(4))
            for offset, event in enumerate(events)
        ]
        blobs = {name: text for row in stored for name, text in row.blobs.items()}
        await self._texts.store(blobs)
        if history.execution_id == of.execution_id:
            await self._cut(history, of, first + len(stored))
        rows = [row.row for row in stored]
        parts = list(batches(rows))
        for number, part in enumerate(parts, start=1):
            now = format_ticks_in_full(self._clock.now()) if number == len(parts) else None
            await self._write(history, of, [Put(row) for row in part], sentinel_row(of, checkpoint_completed=now))
        history.execution_id = of.execution_id
        history.count = first + len(rows)
        history.events = [*history.events[:first], *events]
        history.blob_names = (history.blob_names if first else set()) | blobs.keys()
        history.to_repeat, history.rows = (), []
        return rows

    async def delete(self, instance_id: str) -> None:
        """Delete all rows of an instance, those of earlier executions, too."""
        key = escape_key(instance_id)
        keys: list[str] = []
        token = None
        while True:
            page = await self._tables.query(self._table, of_partition(key), select=("RowKey",), token=token)
            keys += [str(found.row["RowKey"]) for found in page.rows]
            token = page.token
            if token is None:
                break
        for start in range(0, len(keys), MAX_BATCH_ROWS):
            steps = [Delete(key, row_key) for row_key in keys[start : start + MAX_BATCH_ROWS]]
            await self._tables.transact(self._table, steps)

    async def _rows(self, key: str, execution_id: str) -> list[Row]:
        condition = of_execution(key, execution_id)
        rows: list[Row] = []
        token = None
        while True:
            page = await self._tables.query(self._table, condition, token=token)
            rows += [found.row for found in page.rows]
            token = page.token
            if token is None:
                return rows

    async def _events(self, instance_id: str, rows: Collection[Row]) -> list[Event]:
        try:
            members = [read_event_row(row) for row in rows]
            names = {value.blob_name for event in members for value in event.values() if isinstance(value, InBlob)}
            texts = await self._texts.read_all(names)
            return [event_from_members(with_texts(event, texts)) for event in members]
        except ValueError as error:
            raise StorageError(f"the history of instance '{instance_id}' cannot be read: {error}") from error

    async def _cut(self, history: StoredHistory, of: Execution, length: int) -> None:
        """Delete what is left of an episode whose checkpoint is not whole, before it is done again."""
        key = escape_key(of.instance_id)
        doomed = [history_row_key(index) for index in range(length, history.count)]
        for start in range(0, len(doomed), MAX_BATCH_ROWS):
            steps: list[Step] = [Delete(key, row_key) for row_key in doomed[start : start + MAX_BATCH_ROWS]]
            await self._write(history, of, steps, sentinel_row(of, checkpoint_completed=None))

    async def _write(self, history: StoredHistory, of: Execution, steps: list[Step], sentinel: Row) -> None:
        """One transaction under the lock, if the hub is still ours."""
        await self._ownership.confirm()
        lock = Insert(sentinel) if history.etag is None else Merge(sentinel, history.etag)
        try:
            history.etag = (await self._tables.transact(self._table, [*steps, lock]))[-1]
        except (RowExistsError, RowChangedError) as error:
            found = await self._tables.read(self._table, escape_key(of.instance_id), SENTINEL)
            if found is not None and await self._is_written(steps, sentinel, found.row):
                history.etag = found.etag
            elif found is not None and history.etag is None and found.row.get("ExecutionId") != of.execution_id:
                history.etag = found.etag  # an earlier execution's, which nobody has told us of
                await self._write(history, of, steps, sentinel)
            else:
                raise HistoryConflictError(
                    f"the history of instance '{of.instance_id}' was written by another host meanwhile; "
                    "this episode is given up. Does another host run on the hub?"
                ) from error

    async def _is_written(self, steps: Sequence[Step], sentinel: Row, found: Row) -> bool:
        """Whether the transaction was done, and only its answer was lost: a request is sent again after that."""
        last = steps[-1]
        if not isinstance(last, Put) or any(found.get(name) != value for name, value in sentinel.items()):
            return False
        stored = await self._tables.read(self._table, str(last.row["PartitionKey"]), str(last.row["RowKey"]))
        return stored is not None and all(stored.row.get(name) == value for name, value in last.row.items())


def _take_back(history: StoredHistory) -> None:
    """Forget the last episode, whose checkpoint is not whole; what it had received has to be done again."""
    first = max((at for at, event in enumerate(history.events) if isinstance(event, OrchestratorStarted)), default=0)
    history.to_repeat = [
        replace(event, is_played=False, text=None)
        for event in history.events[first:]
        if event.is_played and not isinstance(event, OrchestratorCompleted)
    ]
    history.events, history.rows = history.events[:first], history.rows[:first]
