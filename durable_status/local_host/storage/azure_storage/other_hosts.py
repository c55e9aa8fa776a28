"""Other hosts of a task hub: how those of extension 3.x are seen, and how they are waited for (storage.md §1)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import TableMissingError
from durable_status.local_host.storage.azure_storage.tables import Tables
from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks
from durable_status.task_hub.names import HubNames
from durable_status.task_hub.ownership import PartitionRow

_COLUMNS = frozenset(
    ("PartitionKey", "RowKey", "CurrentOwner", "NextOwner", "OwnedSince", "LastRenewal", "ExpiresAt", "IsDraining")
)
_LOOK_AGAIN_SECONDS = 1

logger = logging.getLogger(__name__)


async def live_table_owner(tables: Tables, names: HubNames, now: Ticks) -> str | None:
    """The host, in words, that holds a row of the partitions table now: one of extension 3.x; None if there is none.

    Raises:
        ValueError: the table holds what this version does not know.
    """
    for row in await partition_rows(tables, names):
        if row.current_owner and row.expires_at and parse_ticks(row.expires_at) > now:
            return f"a Functions host of extension 3.x on {row.current_owner}"
    return None


async def partition_rows(tables: Tables, names: HubNames) -> list[PartitionRow]:
    """The rows of the partitions table; none if there is no such table.

    Raises:
        ValueError: the table holds what this version does not know.
    """
    try:
        page = await tables.query(names.partitions_table, "")
    except TableMissingError:
        return []
    rows = [stored.row for stored in page.rows]
    if unknown := sorted({column for row in rows for column in row} - _COLUMNS):
        raise ValueError(f"the column {unknown[0]} in {names.partitions_table}.")
    return [PartitionRow.from_row(row) for row in rows]


async def until_free(look: Callable[[], Awaitable[str | None]], hub: str, clock: Clock, *, wait: bool) -> None:
    """Return when `look` answers None; it tells in words who else has the hub.

    Raises:
        StorageError: somebody has it, and we are not to `wait`.
    """
    is_told = False
    while (other := await look()) is not None:
        if not wait:
            raise StorageError(
                f"{other} runs the task hub '{hub}'; stop it (what a killed one held is held up to a minute longer), "
                "choose another hub name (extensions.durableTask.hubName in host.json), or wait with --wait."
            )
        if not is_told:
            logger.warning("%s runs the task hub '%s'; waiting until it is gone.", other, hub)
            is_told = True
        await clock.wait_until(Ticks(clock.now() + _LOOK_AGAIN_SECONDS * PER_SECOND))
