"""Who runs a task hub: one host, which holds two leases per control queue (storage.md §1).

The leases last 30 s and are renewed every 10 s. A second host is refused, or waits. A host whose process is gone is
followed at once on its own machine (`MachineRecord`), elsewhere when its leases have run out.

A lease is no fence around the tables: the services do not ask for it. `HubOwnership.confirm` before a write makes sure
that they are ours now. Between that and its write a process may still be stopped, and a write that is tried again may
come late. Then the ETags of the histories and the receipts of the messages refuse it; what has neither (a message that
is put, a row of an instance that is merged) may be there twice, or be older, until the other host's next checkpoint.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import LeaseLostError
from durable_status.local_host.storage.azure_storage.machine_record import MachineRecord
from durable_status.local_host.storage.azure_storage.other_hosts import live_table_owner, until_free
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.local_host.storage.azure_storage.together import together
from durable_status.replay.ticks import PER_SECOND, Ticks
from durable_status.task_hub.names import HubNames
from durable_status.task_hub.ownership import PartitionLease, intent_blob, ownership_blob

_LEASE_SECONDS = 30
_RENEWED_AFTER_SECONDS = 10
_LOOK_AGAIN_SECONDS = 1
_APP_LEASE_SECONDS = 60
_LEGACY_LEASES = "default/"  # of hosts with the partition manager before the one with intents

logger = logging.getLogger(__name__)


class HubOwnership:
    """The leases of a hub that exists."""

    def __init__(
        self,
        services: Services,
        names: HubNames,
        partition_count: int,
        *,
        clock: Clock,
        records: Path | None = None,
        machine: str | None = None,
    ) -> None:
        """Describe it; nothing is held yet.

        Args:
            records: the folder of the machine's records, if not the usual one.
            machine: the name to be known by, if not the machine's.
        """
        self._blobs = services.blobs
        self._tables = services.tables
        self._names = names
        queues = names.control_queues(partition_count)
        self._queue_of = {blob_of(queue): queue for blob_of in (intent_blob, ownership_blob) for queue in queues}
        self._clock = clock
        self._record = MachineRecord(services.blobs.url, names.hub, records)
        # As .NET names a machine: its hosts know those of their own by it.
        self._machine = machine or socket.gethostname().partition(".")[0]
        self._lease_id = ""
        self.goes_on = False
        """Whether the hub was left by a host of this machine that did not give it back: it was killed."""
        self._renewing = asyncio.Lock()
        self._sure_until = Ticks(0)
        self._app_lease_ends = Ticks(0)
        self._is_lost = asyncio.Event()
        self._why_lost = ""

    async def acquire(self, *, wait: bool) -> None:
        """Get the leases: at once if nobody has them, or if whoever had them is a host of this machine that is gone.

        Raises:
            StorageError: another host runs the hub, and we are not to `wait` until it is gone.
        """
        try:
            await until_free(self._try_to_acquire, self._names.hub, self._clock, wait=wait)
        except BaseException:
            self._lease_id = ""
            self._record.leave(forget=False)
            raise

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Renew the leases while the context lasts."""
        task = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def lost(self) -> str:
        """Wait until the hub is not ours any more, and say why in one line. This host has to stop then.

        While the leases are renewed (`running`) it takes 10 s at most to notice, if the account answers.
        """
        await self._is_lost.wait()
        return self._why_lost

    async def confirm(self) -> None:
        """Return at once while the leases are surely ours; if too long ago, renew them first.

        That is the case after this process, its machine or the account was away for longer than a lease lasts.

        Raises:
            StorageError: the hub is lost, or the account does not answer.
        """
        if self._is_lost.is_set() or self._clock.now() >= self._sure_until:
            await self._renew(unless_sure=True)

    async def release(self) -> None:
        """Give the hub back, as a clean stop does: the leases' contents name no owner any more, the epochs stay.

        If the account does not answer, the leases run out; this machine's next host still has them at once.
        """
        if not self._lease_id:
            return
        self._sure_until = Ticks(0)
        is_released = False
        try:
            for blob_of in (ownership_blob, intent_blob):
                await together(*(self._give_back(blob) for blob in self._blobs_of(blob_of)))
            is_released = True
        except StorageError as error:
            logger.warning("the leases of the task hub '%s' are left to run out: %s", self._names.hub, error)
        finally:
            self._record.leave(forget=is_released)
            self._lease_id = ""

    async def _try_to_acquire(self) -> str | None:
        """Who else has the hub, or None: then it is ours."""
        if not self._record.take():
            return self._record.holder()
        if (other := await self._table_owner()) is not None:
            return other
        listed = await self._blobs.list(self._names.leases_container, _LEGACY_LEASES)
        if any(blob.is_leased for blob in listed):
            return "a Functions host"
        self._lease_id = self._record.lease_id()
        asked = self._clock.now()
        held: list[str] = []
        for blobs in self._in_order():
            answers = await together(*(self._acquire(blob) for blob in blobs))
            held += [blob for blob, is_held in zip(blobs, answers, strict=True) if is_held]
            if not all(answers):
                await together(*(self._let_go(blob) for blob in held))
                self._lease_id = ""
                owner = await self._owner(blobs[answers.index(False)])
                return f"{owner}, whose leases outlive it by {_LEASE_SECONDS} s if it is killed,"
        self.goes_on = any(await together(*(self._sign(blob) for blob in self._queue_of)))
        self._sure_until = self._after(asked, _LEASE_SECONDS)
        if await self._blobs.is_container_leased(self._names.app_lease_container):
            self._app_lease_ends = self._after(self._clock.now(), _APP_LEASE_SECONDS)
        return None

    async def _acquire(self, blob: str) -> bool:
        container = self._names.leases_container
        return await self._blobs.acquire(container, blob, self._lease_id, seconds=_LEASE_SECONDS)

    async def _sign(self, blob: str) -> bool:
        """Write whose the lease is; its epoch grows unless it was ours before, which is answered."""
        lease = await self._read(blob)
        if (lease.owner, lease.token) == (self._machine, self._lease_id):
            return True
        await self._write(blob, replace(lease, owner=self._machine, token=self._lease_id, epoch=lease.epoch + 1))
        return False

    async def _give_back(self, blob: str) -> None:
        with suppress(LeaseLostError):
            lease = await self._read(blob)
            await self._write(blob, replace(lease, owner=None, token=None))
            await self._blobs.release(self._names.leases_container, blob, self._lease_id)

    async def _let_go(self, blob: str) -> None:
        with suppress(LeaseLostError):
            await self._blobs.release(self._names.leases_container, blob, self._lease_id)

    async def _keep(self) -> None:
        pause = _RENEWED_AFTER_SECONDS
        while not self._is_lost.is_set():
            await self._clock.wait_until(self._after(self._clock.now(), pause))
            try:
                await self._renew()
            except StorageError:  # lost, or the account is away, which has been logged
                pause = _LOOK_AGAIN_SECONDS
            else:
                pause = _RENEWED_AFTER_SECONDS

    async def _renew(self, *, unless_sure: bool = False) -> None:
        async with self._renewing:
            if self._is_lost.is_set():
                raise StorageError(self._why_lost)
            asked = self._clock.now()
            if unless_sure and asked < self._sure_until:
                return
            container = self._names.leases_container
            renewals = (self._blobs.renew(container, blob, self._lease_id) for blob in self._queue_of)
            answers = await asyncio.gather(*renewals, return_exceptions=True)
            for blob, answer in zip(self._queue_of, answers, strict=True):
                if isinstance(answer, LeaseLostError):
                    raise self._lose(await self._follower(blob))
            for answer in answers:
                if answer is not None:
                    raise answer
            if (other := await self._newcomer()) is not None:
                raise self._lose(f"{other} has taken the task hub '{self._names.hub}'")
            self._sure_until = self._after(asked, _LEASE_SECONDS)

    async def _newcomer(self) -> str | None:
        """A host that has come after us and does not ask for our leases.

        One of 2.x on this machine goes on with our leases as if we were its former self, which cannot be seen in them;
        one of 3.x looks at its own table only. All hold the app lease, which may be left over when we begin.
        """
        if (other := await self._table_owner()) is not None:
            return other
        is_leased = await self._blobs.is_container_leased(self._names.app_lease_container)
        return "a Functions host" if is_leased and self._clock.now() > self._app_lease_ends else None

    async def _table_owner(self) -> str | None:
        try:
            return await live_table_owner(self._tables, self._names, self._clock.now())
        except ValueError:  # nobody but a host writes there
            return "a host of a newer version"

    def _lose(self, why: str) -> StorageError:
        self._why_lost = f"{why}, so this host cannot go on."
        self._sure_until = Ticks(0)
        self._is_lost.set()
        return StorageError(self._why_lost)

    async def _follower(self, blob: str) -> str:
        """What has become of a lease that was ours."""
        if await self._blobs.get(self._names.leases_container, blob) is None:
            return f"the task hub '{self._names.hub}' has been deleted"
        return f"{await self._owner(blob)} has taken the task hub '{self._names.hub}'"

    async def _owner(self, blob: str) -> str:
        """Who has a lease, in words, as far as its content tells."""
        try:
            owner = (await self._read(blob)).owner
        except StorageError:
            owner = None
        if owner is None:
            return "another host"
        return f"another host on this machine ({owner})" if owner == self._machine else f"a host on {owner}"

    async def _read(self, blob: str) -> PartitionLease:
        content = await self._blobs.get(self._names.leases_container, blob)
        if content is None:
            return PartitionLease(control_queue=self._queue_of[blob])
        try:
            return PartitionLease.from_text(content.decode())
        except ValueError as error:
            raise StorageError(
                f"the blob {blob} of the task hub '{self._names.hub}' cannot be read: {error}"
            ) from error

    async def _write(self, blob: str, lease: PartitionLease) -> None:
        content = lease.text().encode()
        await self._blobs.put(self._names.leases_container, blob, content, lease_id=self._lease_id)

    def _in_order(self) -> list[list[str]]:
        """The blobs as they are acquired. One is first, so that of two hosts that come together one gets all."""
        intents, ownerships = self._blobs_of(intent_blob), self._blobs_of(ownership_blob)
        return [intents[:1], intents[1:], ownerships]

    def _blobs_of(self, blob_of: Callable[[str], str]) -> list[str]:
        return [blob for blob, queue in self._queue_of.items() if blob == blob_of(queue)]

    def _after(self, moment: Ticks, seconds: float) -> Ticks:
        return Ticks(moment + round(seconds * PER_SECOND))
