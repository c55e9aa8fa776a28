"""Purge: by id, and by filter with the platform's trap. Offloaded statuses in a folder go with their instances."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection

from durable_status.local_host.clock import Clock
from durable_status.local_host.management.request import Request
from durable_status.local_host.reply import Reply, bare, json_text, message
from durable_status.local_host.storage.provider import InstanceFilter, Page, StorageProvider
from durable_status.payloads.folder import FolderPayloadStore
from durable_status.replay.profile import Profile
from durable_status.stored_json import dump_stored

logger = logging.getLogger(__name__)

_PAGE = 100
_ENTITY_ID = re.compile("@[^@]+@.*", re.DOTALL)
_TRAP = (
    "A purge by filter without a terminal runtimeStatus deletes every instance in its time window, "
    "running ones included. Name the statuses: runtimeStatus=Completed,Failed,Terminated."
)


class Purging:
    """Deletes instances and their histories."""

    def __init__(
        self,
        storage: StorageProvider,
        clock: Clock,
        profile: Profile,
        *,
        strict: bool,
        payloads: FolderPayloadStore | None,
    ) -> None:
        self._storage = storage
        self._payloads = payloads
        self._clock = clock
        self._profile = profile
        self._strict = strict

    async def purge_one(self, request: Request) -> Reply:
        """Delete one instance; extension 3.x refuses live ones, entities excepted."""
        row = await self._storage.read_instance(request.values["instance_id"])
        if row is None:
            return bare(404)
        is_free = self._profile.purges_live_instances or _ENTITY_ID.fullmatch(row.instance_id) is not None
        if not (row.runtime_status.has_ended or is_free):
            return message(
                412,
                "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID "
                f"{row.instance_id} has status {row.runtime_status.value}",
            )
        return _purged(await self._purge([row.instance_id]))

    async def purge_many(self, request: Request) -> Reply:
        """Delete what was created in a time window. Only terminal statuses restrict it; none is no restriction."""
        created_from, created_to = request.query.moment("createdTimeFrom"), request.query.moment("createdTimeTo")
        if created_from is None:
            return json_text(400, dump_stored("Please provide value for 'createdTimeFrom' parameter."))
        ended = [status for status in request.query.statuses("runtimeStatus") or () if status.has_ended]
        if not ended:
            if self._strict:
                return message(400, f"{_TRAP} This host runs with --strict and deleted nothing.")
            logger.warning("%s", _TRAP)
        condition = InstanceFilter(
            created_from=created_from,
            created_to=self._clock.now() if created_to is None else created_to,
            statuses=ended or None,
        )
        deleted = await self._purge_all(condition)
        return _purged(deleted) if deleted else bare(404)

    async def _purge_all(self, condition: InstanceFilter) -> int:
        deleted = 0
        page = Page(last_id="")
        while page.last_id is not None:
            page = await self._storage.list_instances(condition, after_id=page.last_id, limit=_PAGE)
            deleted += await self._purge([row.instance_id for row in page.rows])
        return deleted

    async def _purge(self, instance_ids: Collection[str]) -> int:
        deleted = await self._storage.purge(instance_ids)
        if self._payloads is not None:
            for instance_id in instance_ids:
                await asyncio.to_thread(self._payloads.purge, instance_id)
        return deleted


def _purged(count: int) -> Reply:
    return json_text(200, dump_stored({"instancesDeleted": count}))
