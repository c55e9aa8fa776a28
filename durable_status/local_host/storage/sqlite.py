"""The SQLite provider: a task hub in one file.

Changes that are asked for in two turns of the event loop share a transaction. Statements run on the loop, because
most take less than handing them to a thread and back. The write-ahead log makes a commit survive SIGKILL; only a crash
of the machine can lose the last ones.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path

from filelock import FileLock, Timeout

from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import InstanceExistsError, StorageError
from durable_status.local_host.storage.message_queue import MessageQueue
from durable_status.local_host.storage.provider import (
    ActivityCall,
    ActivityWork,
    EpisodeCommit,
    InstanceFilter,
    InstanceRow,
    Message,
    OrchestrationWork,
    Page,
    Rewrite,
)
from durable_status.local_host.storage.sqlite_schema import bring_up_to_date
from durable_status.replay.event_json import event_text, read_event
from durable_status.replay.events import Event, ExecutionStarted, OrchestrationStatus
from durable_status.replay.ticks import Ticks

_COLUMNS = tuple(field.name for field in fields(InstanceRow))
_values = attrgetter(*_COLUMNS)
_SELECT_ROWS = f"SELECT {', '.join(_COLUMNS)} FROM instances"
_WRITE_ROW = f"INSERT OR REPLACE INTO instances ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"
_LIVE_KEPT = 1_000
_LOG_PAGES = 10_000  # 40 MB: with SQLite's own 1,000 the disk is waited for after every dozen instances

_Afterwards = Callable[[], None]
_Change = Callable[[], _Afterwards]


class SqliteStorage:
    """A task hub in the file `path`, which is made when missing."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._lock_path = path.with_name(f"{path.name}.lock")
        self._lock = FileLock(self._lock_path)
        self._queue = MessageQueue(clock)
        self._activities: asyncio.Queue[ActivityWork] = asyncio.Queue()
        self._live: OrderedDict[str, _Live] = OrderedDict()  # so that no event is read twice
        self._changes: list[tuple[_Change, asyncio.Future[None]]] = []
        self._connection: sqlite3.Connection

    async def open(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock_path.open("a").close()  # the lock does not tell a folder that takes no file from a taken lock
            self._lock.acquire(timeout=0)
        except Timeout:
            raise StorageError(
                f"another host is running on {self._path}; stop it, or choose another file with --storage sqlite:PATH."
            ) from None
        except FileExistsError as error:
            raise StorageError(f"{self._path} cannot be used: {error.filename} is not a folder.") from error
        except OSError as error:
            raise StorageError(f"{self._path} cannot be used: {error.strerror or error}.") from error
        try:
            self._open_file()
        except sqlite3.Error as error:
            await self.close()
            raise StorageError(
                f"{self._path} cannot be used as a task hub: {error}. Move it away to start with an empty hub, "
                "or choose another file with --storage sqlite:PATH."
            ) from error
        except StorageError:
            await self.close()
            raise

    async def close(self) -> None:
        if hasattr(self, "_connection"):
            self._connection.close()
        self._lock.release()

    async def until_lost(self) -> None:
        await asyncio.Event().wait()  # nobody can take it

    async def create_instance(self, row: InstanceRow, started: ExecutionStarted, *, replace_live: bool) -> None:
        message = Message(instance_id=row.instance_id, execution_id=row.execution_id, event=started)

        def change() -> _Afterwards:
            existing = self._read_row(row.instance_id)
            if existing is not None and not existing.runtime_status.has_ended and not replace_live:
                raise InstanceExistsError(existing.runtime_status)
            self._connection.execute("DELETE FROM history WHERE instance_id = ?", (row.instance_id,))
            self._write_row(row)
            number = self._write_message(message)

            def afterwards() -> None:
                self._keep_live(row, [])
                self._queue.put(number, message)

            return afterwards

        await self._write(change)

    async def send(self, message: Message) -> None:
        def change() -> _Afterwards:
            number = self._write_message(message)
            return lambda: self._queue.put(number, message)

        await self._write(change)

    async def rewrite(self, rewrites: Collection[Rewrite], messages: Collection[Message]) -> None:
        def change() -> _Afterwards:
            for rewrite in rewrites:
                self._write_row(rewrite.row)
                self._write_history(rewrite.row.instance_id, 0, rewrite.history)
            numbers = [self._write_message(message) for message in messages]

            def afterwards() -> None:
                self._forget(rewrite.row.instance_id for rewrite in rewrites)
                for number, message in zip(numbers, messages, strict=True):
                    self._queue.put(number, message)

            return afterwards

        await self._write(change)

    async def read_instance(self, instance_id: str) -> InstanceRow | None:
        return self._read_row(instance_id)

    async def read_history(self, instance_id: str) -> Sequence[Event]:
        return self._history(instance_id)

    async def list_instances(self, wanted: InstanceFilter, *, after_id: str | None, limit: int) -> Page:
        found = self._connection.execute(
            f"{_SELECT_ROWS} WHERE instance_id > ? AND instance_id >= ? AND created_time BETWEEN ? AND ?"
            " ORDER BY instance_id",
            (
                after_id or "",
                wanted.id_prefix,
                wanted.created_from or 0,
                2**62 if wanted.created_to is None else wanted.created_to,
            ),
        )
        rows: list[InstanceRow] = []
        for values in found:
            row = _row(values)
            if not row.instance_id.startswith(wanted.id_prefix):
                break
            if wanted.admits(row):
                if len(rows) == limit:
                    return Page(rows=rows, last_id=rows[-1].instance_id)
                rows.append(row)
        return Page(rows=rows)

    async def purge(self, instance_ids: Collection[str]) -> int:
        keys = [(instance_id,) for instance_id in instance_ids]
        deleted = 0

        def change() -> _Afterwards:
            nonlocal deleted
            deleted = self._connection.executemany("DELETE FROM instances WHERE instance_id = ?", keys).rowcount
            self._connection.executemany("DELETE FROM history WHERE instance_id = ?", keys)
            return lambda: self._forget(instance_ids)

        await self._write(change)
        return deleted

    async def next_orchestration(self) -> OrchestrationWork:
        instance_id, messages = await self._queue.take()
        row = self._read_row(instance_id)
        history = () if row is None else self._history(instance_id)
        return OrchestrationWork(instance_id=instance_id, row=row, history=history, messages=messages)

    async def commit(self, work: OrchestrationWork, commit: EpisodeCommit) -> None:
        def change() -> _Afterwards:
            current = self._read_row(work.instance_id)
            is_current = (current and current.execution_id) == (work.row and work.row.execution_id)
            applied = commit if is_current else EpisodeCommit()
            if applied.row is not None:
                self._write_row(applied.row)
                self._write_events(work, applied)
            numbers = [self._write_message(message) for message in applied.messages]
            calls = [self._write_call(call) for call in applied.activities]
            self._delete_messages(work.messages)

            def afterwards() -> None:
                self._remember(work, applied)
                for number, message in zip(numbers, applied.messages, strict=True):
                    self._queue.put(number, message)
                for call in calls:
                    self._activities.put_nowait(call)
                self._queue.consume(work.instance_id, work.messages, commit.rest_seconds)

            return afterwards

        await self._write(change)

    async def release(self, work: OrchestrationWork) -> None:
        self._queue.unlock(work.instance_id)

    async def next_activity(self) -> ActivityWork:
        return await self._activities.get()

    async def complete_activity(self, work: ActivityWork, answer: Message) -> None:
        def change() -> _Afterwards:
            number = self._write_message(answer)
            self._connection.execute("DELETE FROM activities WHERE number = ?", (work.number,))
            return lambda: self._queue.put(number, answer)

        await self._write(change)

    def _open_file(self) -> None:
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        bring_up_to_date(self._connection, str(self._path))
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
        for number, instance_id, execution_id, due, event in self._connection.execute(
            "SELECT number, instance_id, execution_id, due, event FROM messages ORDER BY number"
        ):
            message = Message(
                instance_id=instance_id, execution_id=execution_id, due=Ticks(due), event=read_event(event)
            )
            self._queue.put(number, message)
        columns = ", ".join(field.name for field in fields(ActivityCall))
        for number, *values in self._connection.execute(f"SELECT number, {columns} FROM activities ORDER BY number"):
            call = ActivityCall(**dict(zip((field.name for field in fields(ActivityCall)), values, strict=True)))
            self._activities.put_nowait(ActivityWork(number=number, call=call))

    async def _write(self, change: _Change) -> None:
        """Make a change in a transaction together with all others asked for now or in the next turn of the loop.

        A change writes, and returns what to do when that is committed; one that raises has not written.
        """
        loop = asyncio.get_running_loop()
        committed: asyncio.Future[None] = loop.create_future()
        self._changes.append((change, committed))
        if len(self._changes) == 1:
            loop.call_soon(loop.call_soon, self._write_all)  # two turns: half as many transactions as with one
        await committed

    def _write_all(self) -> None:
        changes, self._changes = self._changes, []
        if self._write_together(changes) is None:
            return
        for change, committed in changes:  # one of them is at fault; the others are not to suffer for it
            error = self._write_together([(change, committed)])
            if error is not None:
                _settle(committed, StorageError(f"{self._path} cannot be written: {error}."))

    def _write_together(self, changes: list[tuple[_Change, asyncio.Future[None]]]) -> Exception | None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            made = [_make(change) for change, _ in changes]
            self._connection.execute("COMMIT")
        except Exception as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            return error
        for outcome, (_, committed) in zip(made, changes, strict=True):
            if isinstance(outcome, InstanceExistsError):
                _settle(committed, outcome)
            else:
                outcome()
                _settle(committed, None)
        return None

    def _read_row(self, instance_id: str) -> InstanceRow | None:
        live = self._live.get(instance_id)
        if live is not None:
            return live.row
        values = self._connection.execute(f"{_SELECT_ROWS} WHERE instance_id = ?", (instance_id,)).fetchone()
        return None if values is None else _row(values)

    def _write_row(self, row: InstanceRow) -> None:
        values = (value.value if value is row.runtime_status else value for value in _values(row))
        self._connection.execute(_WRITE_ROW, tuple(values))

    def _history(self, instance_id: str) -> Sequence[Event]:
        live = self._live.get(instance_id)
        if live is not None:
            return live.history
        found = self._connection.execute(
            "SELECT event FROM history WHERE instance_id = ? ORDER BY position", (instance_id,)
        )
        return [read_event(text) for (text,) in found]

    def _write_events(self, work: OrchestrationWork, commit: EpisodeCommit) -> None:
        first = 0 if commit.replaces_history else len(work.history)
        self._write_history(work.instance_id, first, commit.events)

    def _write_history(self, instance_id: str, first: int, events: Iterable[Event]) -> None:
        """Write the events from position `first` on; what was there goes."""
        if first == 0:
            self._connection.execute("DELETE FROM history WHERE instance_id = ?", (instance_id,))
        self._connection.executemany(
            "INSERT INTO history (instance_id, position, event) VALUES (?, ?, ?)",
            [(instance_id, first + offset, event_text(event)) for offset, event in enumerate(events)],
        )

    def _remember(self, work: OrchestrationWork, commit: EpisodeCommit) -> None:
        if commit.row is None:
            return
        if commit.row.runtime_status.has_ended:
            self._forget([work.instance_id])
            return
        past = () if commit.replaces_history else work.history
        self._keep_live(commit.row, [*past, *commit.events])

    def _keep_live(self, row: InstanceRow, history: list[Event]) -> None:
        self._live[row.instance_id] = _Live(row, history)
        self._live.move_to_end(row.instance_id)
        if len(self._live) > _LIVE_KEPT:
            self._live.popitem(last=False)

    def _forget(self, instance_ids: Iterable[str]) -> None:
        for instance_id in instance_ids:
            self._live.pop(instance_id, None)

    def _write_message(self, message: Message) -> int:
        inserted = self._connection.execute(
            "INSERT INTO messages (instance_id, execution_id, due, event) VALUES (?, ?, ?, ?)",
            (message.instance_id, message.execution_id, message.due, event_text(message.event)),
        )
        return inserted.lastrowid or 0

    def _delete_messages(self, numbers: Collection[int]) -> None:
        self._connection.executemany("DELETE FROM messages WHERE number = ?", [(number,) for number in numbers])

    def _write_call(self, call: ActivityCall) -> ActivityWork:
        inserted = self._connection.execute(
            "INSERT INTO activities (instance_id, execution_id, task_id, name, input) VALUES (?, ?, ?, ?, ?)",
            (call.instance_id, call.execution_id, call.task_id, call.name, call.input),
        )
        return ActivityWork(number=inserted.lastrowid or 0, call=call)


@dataclass(frozen=True, slots=True)
class _Live:
    row: InstanceRow
    history: list[Event]


def _make(change: _Change) -> _Afterwards | InstanceExistsError:
    try:
        return change()
    except InstanceExistsError as refusal:
        return refusal


def _settle(committed: asyncio.Future[None], error: Exception | None) -> None:
    if committed.done():  # whoever waited was cancelled
        return
    if error is None:
        committed.set_result(None)
    else:
        committed.set_exception(error)


def _row(values: tuple[object, ...]) -> InstanceRow:
    members = dict(zip(_COLUMNS, values, strict=True))
    return InstanceRow(**members | {"runtime_status": OrchestrationStatus(members["runtime_status"])})  # type: ignore[arg-type]
