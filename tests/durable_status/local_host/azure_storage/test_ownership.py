"""`azure_storage.ownership`: who runs a hub, on Azurite."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.task_hub.ownership import PartitionLease, intent_blob, ownership_blob
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.hubs import put_blob, put_row
from tests.durable_status.local_host.azure_storage.owned_hubs import PARTITIONS, OwnedHub, Tell, pass_time_until
from tests.paths import ROOT

_FAR = datetime(2100, 1, 1, tzinfo=UTC)


async def _refusal(host: HubOwnership) -> str:
    with pytest.raises(StorageError) as refusal:
        await host.acquire(wait=False)
    text = str(refusal.value)
    assert "\n" not in text
    assert "; stop it (" in text
    assert "choose another hub name (extensions.durableTask.hubName in host.json), or wait with --wait." in text
    return text


@pytest.mark.conforms("S1-9", "S1-10", "S1-16")
def test_a_host_holds_both_leases_of_every_queue_and_a_clean_stop_gives_them_back(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        host = hub.host()
        await host.acquire(wait=False)
        leases = hub.leases()
        assert hub.held() == set(hub.blobs) == set(leases)
        for lease in leases.values():
            assert (lease.owner, lease.epoch) == ("here", 1)
            assert lease.token is not None
            await hub.services.blobs.renew(hub.names.leases_container, intent_blob(lease.control_queue), lease.token)

        await host.release()
        assert hub.held() == set()
        assert hub.leases() == {
            name: PartitionLease(control_queue=lease.control_queue, epoch=1) for name, lease in leases.items()
        }

    tell(story)


def test_the_owner_is_the_machine(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        host = HubOwnership(hub.services, hub.names, PARTITIONS, clock=hub.clock, records=hub.folder / "records")
        await host.acquire(wait=False)
        assert {lease.owner for lease in hub.leases().values()} == {socket.gethostname()}

    tell(story)


@pytest.mark.conforms("S1-16")
def test_an_epoch_grows_with_every_owner(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        for epoch, machine in enumerate(("here", "there", "there"), start=1):
            host = hub.host(machine)
            await host.acquire(wait=False)
            assert {(lease.owner, lease.epoch) for lease in hub.leases().values()} == {(machine, epoch)}
            await host.release()

    tell(story)


def test_a_released_host_has_nothing_to_release(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        first, second = hub.host(), hub.host()
        await first.release()
        await first.acquire(wait=False)
        await first.release()
        await second.acquire(wait=False)
        await first.release()
        assert hub.held() == set(hub.blobs)

    tell(story)


def test_a_second_host_on_the_machine_is_refused(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        await hub.host().acquire(wait=False)
        before = hub.leases()
        assert "another host on this machine (process " in await _refusal(hub.host())
        assert hub.leases() == before

    tell(story)


def test_a_second_host_elsewhere_is_refused(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        await hub.host("there").acquire(wait=False)
        before = hub.leases()
        assert (await _refusal(hub.host())).startswith(f"a host on there runs the task hub '{hub.names.hub}'; stop")
        assert hub.leases() == before

    tell(story)


@pytest.mark.parametrize("kind", [intent_blob, ownership_blob])
def test_a_host_that_lacks_one_lease_keeps_none(tell: Tell, kind: Callable[[str], str]) -> None:
    async def story(hub: OwnedHub) -> None:
        taken = kind(hub.names.control_queue(1))
        hub.take(taken, "there")
        before = hub.leases()
        assert "a host on there runs" in await _refusal(hub.host())
        assert hub.held() == {taken}
        assert hub.leases() == before

    tell(story)


@pytest.mark.conforms("S1-17")
def test_a_lease_of_the_own_machine_that_is_not_in_its_record_is_never_taken(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        for blob in hub.blobs:
            hub.take(blob, "here")
        before = hub.leases()
        assert "another host on this machine (here) runs" in await _refusal(hub.host())
        assert hub.leases() == before

    tell(story)


def test_a_waiting_host_says_so_once_and_gets_the_hub_when_it_is_released(
    tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(hub: OwnedHub) -> None:
        first, second = hub.host("there"), hub.host()
        await first.acquire(wait=False)
        waiting = asyncio.create_task(second.acquire(wait=True))
        for _ in range(20):
            hub.clock.advance(1)
            await hub.services.blobs.exists(hub.names.leases_container)
        assert not waiting.done()

        await first.release()
        await pass_time_until(hub, waiting)
        await waiting
        assert {lease.owner for lease in hub.leases().values()} == {"here"}

    tell(story)
    assert [text for text in caplog.messages if "waiting" in text] == [
        text for text in caplog.messages if text.startswith("a host on there runs the task hub")
    ]
    assert caplog.text.count("waiting until it is gone") == 1


def test_a_waiting_host_gets_the_hub_when_the_leases_of_a_dead_one_have_run_out(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        await hub.host("there").acquire(wait=False)  # and dies
        waiting = asyncio.create_task(hub.host().acquire(wait=True))
        hub.run_out()
        await pass_time_until(hub, waiting)
        await waiting
        assert {(lease.owner, lease.epoch) for lease in hub.leases().values()} == {("here", 2)}

    tell(story)


def test_a_host_that_stops_waiting_leaves_the_machine_free(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        there = hub.host("there")
        await there.acquire(wait=False)
        waiting = asyncio.create_task(hub.host().acquire(wait=True))
        await hub.services.blobs.exists(hub.names.leases_container)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await there.release()
        await hub.host().acquire(wait=False)

    tell(story)


@contextmanager
def _holding(hub: OwnedHub, task_hub: FreshTaskHub, records: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has the hub."""
    module = "tests.durable_status.local_host.azure_storage.holding_host"
    with subprocess.Popen(
        [sys.executable, "-m", module, task_hub.connection_string, task_hub.name, str(hub.folder / records)],
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
    async def story(hub: OwnedHub) -> None:
        with _holding(hub, task_hub, "here") as process:
            assert f"another host on this machine (process {process.pid}) runs" in await _refusal(hub.host())
            process.kill()
            process.wait()
            before = hub.leases()
            assert hub.held() == set(hub.blobs)

            assert f"another host on this machine ({socket.gethostname()}) runs" in await _refusal(
                HubOwnership(hub.services, hub.names, PARTITIONS, clock=hub.clock, records=hub.folder / "another-user")
            )
            host = HubOwnership(hub.services, hub.names, PARTITIONS, clock=hub.clock, records=hub.folder / "here")
            await host.acquire(wait=False)
            assert hub.leases() == before
            async with host.running():
                await host.confirm()

    tell(story)


def test_a_waiting_host_follows_one_of_its_machine_as_soon_as_it_is_killed(tell: Tell, task_hub: FreshTaskHub) -> None:
    async def story(hub: OwnedHub) -> None:
        with _holding(hub, task_hub, "here") as process:
            waiting = asyncio.create_task(hub.host().acquire(wait=True))
            await hub.services.blobs.exists(hub.names.leases_container)
            process.kill()
            process.wait()
            await pass_time_until(hub, waiting)
            await waiting

    tell(story)


def test_a_clean_stop_of_another_process_frees_the_hub(tell: Tell, task_hub: FreshTaskHub) -> None:
    async def story(hub: OwnedHub) -> None:
        with _holding(hub, task_hub, "here") as process:
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait() == 0
            assert hub.held() == set()
            await hub.host("there").acquire(wait=False)

    tell(story)


def test_a_record_that_cannot_be_read_is_none(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        (hub.folder / "here").mkdir()
        await hub.host().acquire(wait=False)
        (record,) = (hub.folder / "here").glob("*.json")
        for text in ("", "[]", '{"leaseId": 1}', '{"leaseId": "1"}'):
            hub.run_out()
            host = hub.host()
            record.write_text(text)
            with pytest.raises(StorageError, match="another host on this machine"):
                await host.acquire(wait=False)

    tell(story)


def test_records_that_cannot_be_kept_are_told_in_one_line(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        (hub.folder / "here").write_text("")
        with pytest.raises(StorageError, match=r"here cannot be used to remember who holds a task hub: .*; remove it"):
            await hub.host().acquire(wait=False)
        assert hub.held() == set()

    tell(story)


@pytest.mark.conforms("S1-15")
def test_a_host_of_extension_3_has_the_hub(tell: Tell, task_hub: FreshTaskHub) -> None:
    async def story(hub: OwnedHub) -> None:
        row = {"PartitionKey": "", "RowKey": hub.names.control_queue(0), "CurrentOwner": "there"}
        table = hub.names.partitions_table
        put_row(task_hub.connection_string, table, row | {"ExpiresAt": _FAR})
        assert "a Functions host of extension 3.x on there runs" in await _refusal(hub.host())
        assert hub.held() == set()

        put_row(task_hub.connection_string, table, row | {"ExpiresAt": datetime(2026, 11, 22, tzinfo=UTC)})
        await hub.host().acquire(wait=False)

    tell(story)


def test_a_host_of_an_old_extension_has_the_hub(tell: Tell, task_hub: FreshTaskHub) -> None:
    async def story(hub: OwnedHub) -> None:
        put_blob(task_hub.connection_string, hub.names.leases_container, "default/q", "{}")
        with hub.container() as container:
            lease = container.get_blob_client("default/q").acquire_lease(30)
            assert "a Functions host runs" in await _refusal(hub.host())
            lease.release()
        await hub.host().acquire(wait=False)

    tell(story)
