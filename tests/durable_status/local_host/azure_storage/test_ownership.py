"""`azure_storage.ownership`: who runs a hub, on Azurite."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobLeaseClient, BlobServiceClient, ContainerClient

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.task_hub.names import HubNames
from durable_status.task_hub.ownership import PartitionLease, intent_blob, ownership_blob
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.clock import ManualClock
from tests.durable_status.local_host.azure_storage.accounts import run
from tests.durable_status.local_host.azure_storage.hubs import content, open_now, put_blob, put_row
from tests.paths import ROOT

_FAR = datetime(2100, 1, 1, tzinfo=UTC)
_PARTITIONS = 2


class Bench:
    """A hub, its leases as the SDK sees them, and hosts that want it."""

    def __init__(self, services: Services, hub: FreshTaskHub, folder: Path) -> None:
        self.services = services
        self.names = HubNames(hub.name)
        self.clock = ManualClock()
        self.folder = folder
        self._connection_string = hub.connection_string
        self._hosts: list[HubOwnership] = []  # who is forgotten lets its record go
        blobs = [
            blob_of(queue)
            for queue in self.names.control_queues(_PARTITIONS)
            for blob_of in (intent_blob, ownership_blob)
        ]
        self.blobs = sorted(blobs)

    def host(self, machine: str = "here") -> HubOwnership:
        """A host on a machine."""
        host = HubOwnership(
            self.services, self.names, _PARTITIONS, clock=self.clock, records=self.folder / machine, machine=machine
        )
        self._hosts.append(host)
        return host

    def leases(self) -> dict[str, PartitionLease]:
        """The contents of the blobs."""
        return {name: PartitionLease.from_text(text) for name, (text, _) in self._stored().items()}

    def held(self) -> set[str]:
        """The blobs that somebody has a lease of."""
        return {name for name, (_, state) in self._stored().items() if state == "leased"}

    @contextmanager
    def container(self, name: str | None = None) -> Iterator[ContainerClient]:
        """A container of the account, that of the leases if none is named."""
        with BlobServiceClient.from_connection_string(self._connection_string) as blobs:
            yield blobs.get_container_client(name or self.names.leases_container)

    def take(self, blob: str, machine: str) -> None:
        """Have a lease run out, and a host of another kind take it."""
        with self.container() as container:
            client = container.get_blob_client(blob)
            if blob in self.held():
                BlobLeaseClient(client).break_lease(0)
            lease = client.acquire_lease(30)
            found = PartitionLease.from_text(client.download_blob().readall().decode())
            taken = PartitionLease(
                control_queue=found.control_queue, owner=machine, token=lease.id, epoch=found.epoch + 1
            )
            client.upload_blob(taken.text(), overwrite=True, lease=lease)

    def run_out(self) -> None:
        """Have all leases run out, as time would."""
        with self.container() as container:
            for blob in self.held():
                BlobLeaseClient(container.get_blob_client(blob)).break_lease(0)

    def _stored(self) -> dict[str, tuple[str, str]]:
        found = content(self._connection_string, self.names.hub)["containers"][self.names.leases_container]
        return {name: (entry["text"], entry["lease"]) for name, entry in found.items() if "/" in name}


Story = Callable[[Bench], Awaitable[None]]
Tell = Callable[[Story], None]


@pytest.fixture
def tell(task_hub: FreshTaskHub, tmp_path: Path) -> Tell:
    """Tell a story of a hub that nobody runs."""

    def told(story: Story) -> None:
        async def opened(services: Services) -> None:
            await open_now(services, task_hub.name, partition_count=_PARTITIONS)
            await story(Bench(services, task_hub, tmp_path))

        run(task_hub.connection_string, opened)

    return told


async def _refusal(host: HubOwnership) -> str:
    with pytest.raises(StorageError) as refusal:
        await host.acquire(wait=False)
    text = str(refusal.value)
    assert "\n" not in text
    assert "; stop it (" in text
    assert "choose another hub name (extensions.durableTask.hubName in host.json), or wait with --wait." in text
    return text


async def _pass_time_until(bench: Bench, done: asyncio.Future[Any] | asyncio.Task[Any]) -> None:
    """Move the clock on, a second at a time, while requests are answered."""
    while not done.done():
        bench.clock.advance(1)
        await bench.services.blobs.exists(bench.names.leases_container)


@pytest.mark.conforms("S1-9", "S1-10", "S1-16")
def test_a_host_holds_both_leases_of_every_queue_and_a_clean_stop_gives_them_back(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        host = bench.host()
        await host.acquire(wait=False)
        leases = bench.leases()
        assert bench.held() == set(bench.blobs) == set(leases)
        for lease in leases.values():
            assert (lease.owner, lease.epoch) == ("here", 1)
            assert lease.token is not None
            await bench.services.blobs.renew(
                bench.names.leases_container, intent_blob(lease.control_queue), lease.token
            )

        await host.release()
        assert bench.held() == set()
        assert bench.leases() == {
            name: PartitionLease(control_queue=lease.control_queue, epoch=1) for name, lease in leases.items()
        }

    tell(story)


def test_the_owner_is_the_machine(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        host = HubOwnership(
            bench.services, bench.names, _PARTITIONS, clock=bench.clock, records=bench.folder / "records"
        )
        await host.acquire(wait=False)
        assert {lease.owner for lease in bench.leases().values()} == {socket.gethostname()}

    tell(story)


@pytest.mark.conforms("S1-16")
def test_an_epoch_grows_with_every_owner(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        for epoch, machine in enumerate(("here", "there", "there"), start=1):
            host = bench.host(machine)
            await host.acquire(wait=False)
            assert {(lease.owner, lease.epoch) for lease in bench.leases().values()} == {(machine, epoch)}
            await host.release()

    tell(story)


def test_a_released_host_has_nothing_to_release(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        first, second = bench.host(), bench.host()
        await first.release()
        await first.acquire(wait=False)
        await first.release()
        await second.acquire(wait=False)
        await first.release()
        assert bench.held() == set(bench.blobs)

    tell(story)


def test_a_second_host_on_the_machine_is_refused(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.host().acquire(wait=False)
        before = bench.leases()
        assert "another host on this machine (process " in await _refusal(bench.host())
        assert bench.leases() == before

    tell(story)


def test_a_second_host_elsewhere_is_refused(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.host("there").acquire(wait=False)
        before = bench.leases()
        assert (await _refusal(bench.host())).startswith(f"a host on there runs the task hub '{bench.names.hub}'; stop")
        assert bench.leases() == before

    tell(story)


@pytest.mark.parametrize("kind", [intent_blob, ownership_blob])
def test_a_host_that_lacks_one_lease_keeps_none(tell: Tell, kind: Callable[[str], str]) -> None:
    async def story(bench: Bench) -> None:
        taken = kind(bench.names.control_queue(1))
        bench.take(taken, "there")
        before = bench.leases()
        assert "a host on there runs" in await _refusal(bench.host())
        assert bench.held() == {taken}
        assert bench.leases() == before

    tell(story)


@pytest.mark.conforms("S1-17")
def test_a_lease_of_the_own_machine_that_is_not_in_its_record_is_never_taken(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        for blob in bench.blobs:
            bench.take(blob, "here")
        before = bench.leases()
        assert "another host on this machine (here) runs" in await _refusal(bench.host())
        assert bench.leases() == before

    tell(story)


def test_a_waiting_host_says_so_once_and_gets_the_hub_when_it_is_released(
    tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(bench: Bench) -> None:
        first, second = bench.host("there"), bench.host()
        await first.acquire(wait=False)
        waiting = asyncio.create_task(second.acquire(wait=True))
        for _ in range(20):
            bench.clock.advance(1)
            await bench.services.blobs.exists(bench.names.leases_container)
        assert not waiting.done()

        await first.release()
        await _pass_time_until(bench, waiting)
        await waiting
        assert {lease.owner for lease in bench.leases().values()} == {"here"}

    tell(story)
    assert [text for text in caplog.messages if "waiting" in text] == [
        text for text in caplog.messages if text.startswith("a host on there runs the task hub")
    ]
    assert caplog.text.count("waiting until it is gone") == 1


def test_a_waiting_host_gets_the_hub_when_the_leases_of_a_dead_one_have_run_out(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        await bench.host("there").acquire(wait=False)  # and dies
        waiting = asyncio.create_task(bench.host().acquire(wait=True))
        bench.run_out()
        await _pass_time_until(bench, waiting)
        await waiting
        assert {(lease.owner, lease.epoch) for lease in bench.leases().values()} == {("here", 2)}

    tell(story)


def test_a_host_that_stops_waiting_leaves_the_machine_free(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        there = bench.host("there")
        await there.acquire(wait=False)
        waiting = asyncio.create_task(bench.host().acquire(wait=True))
        await bench.services.blobs.exists(bench.names.leases_container)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await there.release()
        await bench.host().acquire(wait=False)

    tell(story)


@contextmanager
def _holding(bench: Bench, hub: FreshTaskHub, records: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has the hub."""
    module = "tests.durable_status.local_host.azure_storage.holding_host"
    with subprocess.Popen(
        [sys.executable, "-m", module, hub.connection_string, hub.name, str(bench.folder / records)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.conforms("S1-17")
def test_a_host_follows_one_of_its_machine_that_was_killed_at_once(tell: Tell, task_hub: FreshTaskHub) -> None:
    async def story(bench: Bench) -> None:
        with _holding(bench, task_hub, "here") as process:
            assert f"another host on this machine (process {process.pid}) runs" in await _refusal(bench.host())
            process.kill()
            process.wait()
            before = bench.leases()
            assert bench.held() == set(bench.blobs)

            assert f"another host on this machine ({socket.gethostname()}) runs" in await _refusal(
                HubOwnership(
                    bench.services, bench.names, _PARTITIONS, clock=bench.clock, records=bench.folder / "another-user"
                )
            )
            host = HubOwnership(
                bench.services, bench.names, _PARTITIONS, clock=bench.clock, records=bench.folder / "here"
            )
            await host.acquire(wait=False)
            assert bench.leases() == before
            async with host.running():
                await host.confirm()

    tell(story)


def test_a_waiting_host_follows_one_of_its_machine_as_soon_as_it_is_killed(tell: Tell, task_hub: FreshTaskHub) -> None:
    async def story(bench: Bench) -> None:
        with _holding(bench, task_hub, "here") as process:
            waiting = asyncio.create_task(bench.host().acquire(wait=True))
            await bench.services.blobs.exists(bench.names.leases_container)
            process.kill()
            process.wait()
            await _pass_time_until(bench, waiting)
            await waiting

    tell(story)


def test_a_clean_stop_of_another_process_frees_the_hub(tell: Tell, task_hub: FreshTaskHub) -> None:
    async def story(bench: Bench) -> None:
        with _holding(bench, task_hub, "here") as process:
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait() == 0
            assert bench.held() == set()
            await bench.host("there").acquire(wait=False)

    tell(story)


def test_a_record_that_cannot_be_read_is_none(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        (bench.folder / "here").mkdir()
        await bench.host().acquire(wait=False)
        (record,) = (bench.folder / "here").glob("*.json")
        for text in ("", "[]", '{"leaseId": 1}', '{"leaseId": "1"}'):
            bench.run_out()
            host = bench.host()
            record.write_text(text)
            with pytest.raises(StorageError, match="another host on this machine"):
                await host.acquire(wait=False)

    tell(story)


def test_records_that_cannot_be_kept_are_told_in_one_line(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        (bench.folder / "here").write_text("")
        with pytest.raises(StorageError, match=r"here cannot be used to remember who holds a task hub: .*; remove it"):
            await bench.host().acquire(wait=False)
        assert bench.held() == set()

    tell(story)


@pytest.mark.conforms("S1-15")
def test_a_host_of_extension_3_has_the_hub(tell: Tell, task_hub: FreshTaskHub) -> None:
    async def story(bench: Bench) -> None:
        row = {"PartitionKey": "", "RowKey": bench.names.control_queue(0), "CurrentOwner": "there"}
        table = bench.names.partitions_table
        put_row(task_hub.connection_string, table, row | {"ExpiresAt": _FAR})
        assert "a Functions host of extension 3.x on there runs" in await _refusal(bench.host())
        assert bench.held() == set()

        put_row(task_hub.connection_string, table, row | {"ExpiresAt": datetime(2026, 11, 22, tzinfo=UTC)})
        await bench.host().acquire(wait=False)

    tell(story)


def test_a_host_of_an_old_extension_has_the_hub(tell: Tell, task_hub: FreshTaskHub) -> None:
    async def story(bench: Bench) -> None:
        put_blob(task_hub.connection_string, bench.names.leases_container, "default/q", "{}")
        with bench.container() as container:
            lease = container.get_blob_client("default/q").acquire_lease(30)
            assert "a Functions host runs" in await _refusal(bench.host())
            lease.release()
        await bench.host().acquire(wait=False)

    tell(story)


@pytest.mark.conforms("S1-18")
def test_leases_are_renewed_every_ten_seconds(tell: Tell) -> None:
    async def story(bench: Bench) -> None:
        host = bench.host()
        await host.acquire(wait=False)
        renewed: list[int] = []
        renew = bench.services.blobs.renew

        async def noted(*arguments: Any) -> None:
            renewed.append(round(bench.clock.now() / 10_000_000))
            await renew(*arguments)

        bench.services.blobs.renew = noted  # type: ignore[method-assign]
        began = round(bench.clock.now() / 10_000_000)
        async with host.running():
            while len(renewed) < 3 * len(bench.blobs):
                bench.clock.advance(1)
                await bench.services.blobs.exists(bench.names.leases_container)
        first, second, third = (renewed[number * len(bench.blobs)] - began for number in range(3))
        assert 10 <= first <= 12
        assert 10 <= second - first <= 14
        assert 10 <= third - second <= 14

    tell(story)
