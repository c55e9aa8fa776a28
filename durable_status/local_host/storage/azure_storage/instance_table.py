"""The Instances table: one row per instance, which follows the history (storage.md §2)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from durable_status.instance_status import RuntimeStatus
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import RowChangedError, RowExistsError
from durable_status.local_host.storage.azure_storage.instance_rows import instance_row, stored_instance
from durable_status.local_host.storage.azure_storage.large_texts import LargeTexts
from durable_status.local_host.storage.azure_storage.tables import Tables
from durable_status.local_host.storage.provider import InstanceFilter, InstanceRow, Page
from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.ticks import Ticks, format_ticks_in_full
from durable_status.task_hub.filters import after_partition, all_of, created, with_prefix, with_status
from durable_status.task_hub.instances import pending_row, read_instance
from durable_status.task_hub.large_values import InBlob
from durable_status.task_hub.names import INSTANCE_ROW_KEY, escape_key
from durable_status.task_hub.tables import Row

logger = logging.getLogger(__name__)

_LARGEST_PAGE = 1_000  # the service's


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundInstance:
    """An instance's row as it is stored, and its ETag."""

    columns: Row
    etag: str

    @property
    def status(self) -> OrchestrationStatus:
        """Its runtime status.

        Raises:
            StorageError: it is none that this version knows.
        """
        text = self.columns.get("RuntimeStatus")
        try:
            return OrchestrationStatus(text)
        except ValueError as error:
            raise StorageError(f"an instance has the runtime status {text!r}: update durable-status.") from error


class InstanceTable:
    """The instances of a hub."""

    def __init__(self, tables: Tables, table: str, texts: LargeTexts, hub: str) -> None:
        self._tables = tables
        self._table = table
        self._texts = texts
        self._hub = hub

    async def find(self, instance_id: str) -> FoundInstance | None:
        """The stored row of an instance."""
        found = await self._tables.read(self._table, escape_key(instance_id), INSTANCE_ROW_KEY)
        return None if found is None else FoundInstance(columns=found.row, etag=found.etag)

    async def row(self, columns: Row) -> InstanceRow:
        """The instance in a stored row, with what is in blobs.

        Raises:
            StorageError: the row is not one of a task hub, or a blob is missing.
        """
        try:
            stored = read_instance(columns, self._texts.container)
            input_text, output = await self._texts.of(stored.input), await self._texts.of(stored.output)
            return instance_row(stored, input_text=input_text, output=output)
        except ValueError as error:
            raise StorageError(f"an instance cannot be read: {error}") from error

    async def add(self, row: InstanceRow, *, input_blob: str | None, over: FoundInstance | None) -> bool:
        """Store a Pending row, new or over the one that was found; whether it is there now.

        If somebody else has stored one meanwhile, that stays, as on the platform: its start is the one that runs.
        `input_blob` names the blob of the start message, if that is in one.
        """
        input_text = row.input if input_blob is None else InBlob(input_blob)
        stored = stored_instance(row, hub=self._hub, input_text=input_text)
        pending = pending_row(stored, self._texts.url, suffix=secrets.token_hex(4))
        await self._texts.store(pending.blobs)
        try:
            if over is None:
                await self._tables.insert(self._table, pending.row)
            else:
                await self._tables.replace(self._table, pending.row, etag=over.etag)
        except (RowExistsError, RowChangedError) as error:
            if not await self._is_ours(row):
                logger.warning("Instance '%s': another client has started it meanwhile: %s", row.instance_id, error)
                return False
        return True

    async def merge(self, columns: Row) -> None:
        """Change columns of a row, which is made if there is none."""
        await self._tables.merge(self._table, columns)

    async def delete(self, instance_id: str) -> bool:
        """Delete a row; whether there was one."""
        return await self._tables.delete(self._table, escape_key(instance_id), INSTANCE_ROW_KEY)

    async def page(self, wanted: InstanceFilter, *, after_id: str | None, limit: int) -> Page:
        """Up to `limit` instances whose keys come after that of `after_id`."""
        if wanted.statuses is not None and not wanted.statuses:
            return Page()
        rows: list[InstanceRow] = []
        token = None
        condition = all_of(_conditions(wanted, after_id))
        while True:
            asked = min(limit + 1 - len(rows), _LARGEST_PAGE)
            page = await self._tables.query(self._table, condition, limit=asked, token=token)
            for found in page.rows:
                if len(rows) == limit:
                    return Page(rows=rows, last_id=rows[-1].instance_id)
                try:
                    rows.append(await self.row(found.row))
                except StorageError as error:  # one that cannot be read is not to hide all others
                    logger.warning("Left out of a list: %s", error)
            token = page.token
            if token is None:
                return Page(rows=rows)

    async def _is_ours(self, row: InstanceRow) -> bool:
        """Whether the row was stored, and only the answer to that was lost."""
        found = await self.find(row.instance_id)
        return found is not None and found.columns.get("ExecutionId") == row.execution_id


def _conditions(wanted: InstanceFilter, after_id: str | None) -> Iterator[str]:
    """What the service is asked for (storage.md §5)."""
    if after_id:
        yield after_partition(escape_key(after_id))
    if wanted.id_prefix:
        yield from with_prefix(wanted.id_prefix)
    yield from created(_text(wanted.created_from), _text(wanted.created_to))
    if wanted.statuses is not None:
        yield with_status([RuntimeStatus(status.value) for status in wanted.statuses])


def _text(moment: Ticks | None) -> str | None:
    return None if moment is None else format_ticks_in_full(moment)
