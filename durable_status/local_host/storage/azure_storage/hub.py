"""A task hub in a storage account: opened if it is there and understood, made if it is not (storage.md §1).

Nothing is written before all three services have answered, let us in, and shown nothing that this version does not
know: a hub that is refused is left as it was.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress

from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.blobs import BlobContainers
from durable_status.local_host.storage.azure_storage.errors import QueueMissingError, TableMissingError
from durable_status.local_host.storage.azure_storage.other_hosts import live_table_owner, partition_rows, until_free
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.local_host.storage.azure_storage.tables import Tables
from durable_status.local_host.storage.azure_storage.together import together
from durable_status.replay.ticks import format_ticks
from durable_status.task_hub.instances import read_instance
from durable_status.task_hub.names import DEFAULT_PARTITION_COUNT, HubNames
from durable_status.task_hub.ownership import (
    APP_LEASE_UNHELD,
    CONFIG_BLOB,
    HubConfig,
    PartitionLease,
    intent_blob,
    ownership_blob,
)

_LEASES = ("intent/", "ownership/")
_LEGACY_LEASES = "default/"  # of hosts with the partition manager before this one

logger = logging.getLogger(__name__)


async def open_hub(
    services: Services, names: HubNames, *, partition_count: int | None, clock: Clock, wait: bool
) -> HubConfig:
    """Open the hub, and make what it lacks.

    An existing hub keeps its number of partitions; `partition_count` is that of a new one, None for the platform's own.
    Who else runs the hub is for `HubOwnership` to find out, but for hosts of extension 3.x: nothing is made beside one.

    Raises:
        StorageError: the account cannot be used, the hub is not understood, or a host of extension 3.x runs it and we
            are not to `wait`. Nothing was created or changed.
    """
    await _check_permissions(services, names)
    try:
        await until_free(lambda: live_table_owner(services.tables, names, clock.now()), names.hub, clock, wait=wait)
        config = await _look(services, names, partition_count or DEFAULT_PARTITION_COUNT, clock)
        config = await _make(services, names, config)
    except ValueError as error:
        raise StorageError(
            f"the task hub '{names.hub}' holds what this version does not know: {error} If a newer version wrote it, "
            "update durable-status, else choose another hub name (extensions.durableTask.hubName in host.json)."
        ) from error
    if partition_count not in (None, config.partition_count):
        logger.warning(
            "the task hub '%s' was made with %d partitions and keeps them; the %d in host.json do not count.",
            names.hub,
            config.partition_count,
            partition_count,
        )
    return config


async def _check_permissions(services: Services, names: HubNames) -> None:
    """Ask each service for a change of what is not there: who may not change anything is told so."""
    nowhere = names.hub.lower() + "-nowhere"
    with suppress(TableMissingError):
        await services.tables.delete(names.instances_table, nowhere, nowhere)
    with suppress(QueueMissingError):
        await services.queues.put(nowhere, "")
    await services.blobs.delete(nowhere, nowhere)


async def _look(services: Services, names: HubNames, partition_count: int, clock: Clock) -> HubConfig:
    """The hub's configuration, or the one that a new hub is going to have.

    Raises:
        ValueError: there is something that this version does not know.
    """
    config, rows = await _read_config(services.blobs, names), await partition_rows(services.tables, names)
    await together(_check_leases(services.blobs, names), _check_a_row_of_each_table(services.tables, names))
    if config is None:
        created_at = format_ticks(clock.now())
        return HubConfig(hub=names.hub, created_at=created_at, partition_count=len(rows) or partition_count)
    if rows and len(rows) != config.partition_count:
        raise ValueError(
            f"{CONFIG_BLOB} tells of {config.partition_count} partitions, the table {names.partitions_table} of "
            f"{len(rows)}."
        )
    return config


async def _read_config(blobs: BlobContainers, names: HubNames) -> HubConfig | None:
    content = await blobs.get(names.leases_container, CONFIG_BLOB)
    if content is None:
        return None
    config = HubConfig.from_text(content.decode())
    _check_members(content, config.text(), CONFIG_BLOB)
    if config.hub.lower() != names.hub.lower():
        raise ValueError(f"{CONFIG_BLOB} is of another hub, '{config.hub}'.")
    names.control_queues(config.partition_count)  # which checks the number
    return config


async def _check_leases(blobs: BlobContainers, names: HubNames) -> None:
    listed = [blob.name for blob in await blobs.list(names.leases_container)]
    known = [name for name in listed if name.startswith(_LEASES)]
    for name in listed:
        if name not in known and name != CONFIG_BLOB and not name.startswith(_LEGACY_LEASES):
            raise ValueError(f"the blob {name} in {names.leases_container}.")
    contents = await together(*(blobs.get(names.leases_container, name) for name in known))
    for name, content in zip(known, contents, strict=True):
        if content is not None:
            _check_members(content, PartitionLease.from_text(content.decode()).text(), name)


def _check_members(content: bytes, known: str, name: str) -> None:
    if unknown := sorted(set(json.loads(content)) - set(json.loads(known))):
        raise ValueError(f"the member {unknown[0]} in {name}.")


async def _check_a_row_of_each_table(tables: Tables, names: HubNames) -> None:
    """What a newer version writes in another form is in most of its rows; reading them all would take too long."""
    with suppress(TableMissingError):
        await tables.query(names.history_table, "", limit=1)
    with suppress(TableMissingError):
        for stored in (await tables.query(names.instances_table, "", limit=1)).rows:
            read_instance(stored.row, names.large_messages_container)


async def _make(services: Services, names: HubNames, config: HubConfig) -> HubConfig:
    """Make what is missing, in the platform's order; what is there stays."""
    blobs, leases = services.blobs, names.leases_container
    await blobs.create(names.app_lease_container)
    await blobs.put_new(names.app_lease_container, names.app_lease_blob, APP_LEASE_UNHELD.encode())
    await blobs.create(leases)
    if not await blobs.put_new(leases, CONFIG_BLOB, config.text().encode()):
        config = await _read_config(blobs, names) or config
    await together(*(services.tables.create(table) for table in (names.instances_table, names.history_table)))
    queues = names.control_queues(config.partition_count)
    unheld = {
        blob_of(queue): PartitionLease(control_queue=queue).text().encode()
        for queue in queues
        for blob_of in (intent_blob, ownership_blob)
    }
    await together(
        *(services.queues.create(queue) for queue in (names.work_item_queue, *queues)),
        *(blobs.put_new(leases, name, content) for name, content in unheld.items()),
    )
    return config
