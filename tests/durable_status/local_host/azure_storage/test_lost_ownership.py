"""`azure_storage.ownership`: how a host keeps its hub, and how it notices that it has lost it; on Azurite."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import UnavailableError
from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.replay.ticks import PER_SECOND
from durable_status.task_hub.ownership import intent_blob, ownership_blob
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.faulty_proxy import FaultyProxy
from tests.durable_status.local_host.azure_storage.hubs import open_now, put_row
from tests.durable_status.local_host.azure_storage.owned_hubs import PARTITIONS, OwnedHub, Tell, pass_time_until
from tests.durable_status.local_host.azure_storage.test_faults import run_through_proxy


async def _loss(hub: OwnedHub, host: HubOwnership) -> str:
    """Why a host that runs has lost the hub; it says so whoever asks."""
    async with host.running():
        await pass_time_until(hub, host.lost)
    with pytest.raises(StorageError) as refusal:
        await host.confirm()
    assert str(refusal.value) == host.lost.result()
    assert "\n" not in host.lost.result()
    return host.lost.result()


@pytest.mark.conforms("S1-18")
def test_leases_are_renewed_every_ten_seconds(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        host = hub.host()
        await host.acquire(wait=False)
        renewed: list[int] = []
        renew = hub.services.blobs.renew

        async def noted(*arguments: Any) -> None:
            renewed.append(round(hub.clock.now() / PER_SECOND))
            await renew(*arguments)

        hub.services.blobs.renew = noted  # type: ignore[method-assign]
        began = round(hub.clock.now() / PER_SECOND)
        async with host.running():
            while len(renewed) < 3 * len(hub.blobs):
                hub.clock.advance(1)
                await hub.services.blobs.exists(hub.names.leases_container)
        first, second, third = (renewed[number * len(hub.blobs)] - began for number in range(3))
        assert 10 <= first <= 12
        assert 10 <= second - first <= 14
        assert 10 <= third - second <= 14

    tell(story)


@pytest.mark.parametrize("kind", [intent_blob, ownership_blob])
def test_a_host_whose_lease_another_has_taken_has_lost_the_hub(tell: Tell, kind: Any) -> None:
    async def story(hub: OwnedHub) -> None:
        host = hub.host()
        await host.acquire(wait=False)
        taken = kind(hub.names.control_queue(1))
        hub.take(taken, "there")
        assert await _loss(hub, host) == (
            f"a host on there has taken the task hub '{hub.names.hub}', so this host cannot go on; "
            "run only one of them."
        )

        before = hub.leases()[taken]
        await host.release()
        assert hub.held() == {taken}
        assert hub.leases()[taken] == before
        assert {lease.owner for name, lease in hub.leases().items() if name != taken} == {None}

    tell(story)


def test_a_host_whose_hub_is_deleted_has_lost_it(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        host = hub.host()
        await host.acquire(wait=False)
        with hub.container() as container:
            container.delete_container()
        assert "has taken the task hub" in await _loss(hub, host)
        await host.release()

    tell(story)


def test_a_host_is_sure_of_its_leases_without_asking_until_they_may_be_over(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        host = hub.host()
        await host.acquire(wait=False)
        hub.take(hub.blobs[0], "there")
        hub.clock.advance(29)
        await host.confirm()  # which asks nobody, as it would for every write

        hub.clock.advance(1)
        with pytest.raises(StorageError, match="a host on there has taken the task hub"):
            await host.confirm()

    tell(story)


def test_a_host_that_was_stopped_in_the_meantime_goes_on_if_nobody_has_come(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        host = hub.host()
        await host.acquire(wait=False)
        hub.clock.advance(3600)
        await host.confirm()
        hub.clock.advance(29)
        await host.confirm()
        assert not host.lost.done()

    tell(story)


def test_a_host_that_was_followed_and_freed_again_in_the_meantime_has_lost_the_hub(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        host = hub.host()
        await host.acquire(wait=False)
        hub.run_out()
        follower = hub.host("there")
        await follower.acquire(wait=False)
        await follower.release()
        hub.clock.advance(60)
        with pytest.raises(StorageError, match="another host has taken the task hub"):
            await host.confirm()

    tell(story)


@pytest.mark.conforms("S1-15")
def test_a_host_of_extension_3_that_comes_later_has_the_hub(tell: Tell, task_hub: FreshTaskHub) -> None:
    async def story(hub: OwnedHub) -> None:
        host = hub.host()
        await host.acquire(wait=False)
        row = {"PartitionKey": "", "RowKey": hub.names.control_queue(0), "CurrentOwner": "there"}
        expires_at = datetime(2100, 1, 1, tzinfo=UTC)
        put_row(task_hub.connection_string, hub.names.partitions_table, row | {"ExpiresAt": expires_at})
        assert (await _loss(hub, host)).startswith("a Functions host of extension 3.x on there has taken")

    tell(story)


@pytest.mark.conforms("S1-19")
def test_a_functions_host_that_comes_later_is_known_by_the_app_lease(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        host = hub.host()
        await host.acquire(wait=False)
        with hub.container(hub.names.app_lease_container) as container:
            container.acquire_lease(60)
        assert (await _loss(hub, host)).startswith("a Functions host has taken")

    tell(story)


@pytest.mark.conforms("S1-19")
def test_an_app_lease_that_was_left_over_is_no_host_until_it_had_to_run_out(tell: Tell) -> None:
    async def story(hub: OwnedHub) -> None:
        host = hub.host()
        with hub.container(hub.names.app_lease_container) as container:
            container.acquire_lease(60)
        await host.acquire(wait=False)
        hub.clock.advance(59)
        await host.confirm()
        hub.clock.advance(59)
        with pytest.raises(StorageError, match="a Functions host has taken"):
            await host.confirm()

    tell(story)


def test_a_host_whose_account_was_away_for_longer_than_a_lease_goes_on(task_hub: FreshTaskHub, tmp_path: Path) -> None:
    async def story(services: Services, proxy: FaultyProxy) -> None:
        await open_now(services, task_hub.name, partition_count=PARTITIONS)
        hub = OwnedHub(services, task_hub, tmp_path)
        host = hub.host()
        await host.acquire(wait=False)
        async with host.running():
            proxy.fail(*[503] * 1_000)
            hub.clock.advance(60)
            with pytest.raises(UnavailableError, match="answers 503 ServerBusy"):
                await host.confirm()
            assert not host.lost.done()

            proxy.faults.clear()
            await host.confirm()
            hub.clock.advance(29)
            proxy.fail(*[503] * 1_000)
            await host.confirm()
            proxy.faults.clear()
        await host.release()
        assert hub.held() == set()

    run_through_proxy(task_hub.connection_string, story, service="Blob")


def test_a_host_whose_account_was_away_has_lost_the_hub_if_another_came_first(
    task_hub: FreshTaskHub, tmp_path: Path
) -> None:
    async def story(services: Services, proxy: FaultyProxy) -> None:
        await open_now(services, task_hub.name, partition_count=PARTITIONS)
        hub = OwnedHub(services, task_hub, tmp_path)
        host = hub.host()
        await host.acquire(wait=False)
        proxy.fail(*[503] * 1_000)
        hub.clock.advance(60)
        with pytest.raises(UnavailableError):
            await host.confirm()
        hub.take(hub.blobs[-1], "there")
        proxy.faults.clear()
        assert "a host on there has taken the task hub" in await _loss(hub, host)

    run_through_proxy(task_hub.connection_string, story, service="Blob")


def test_leases_that_cannot_be_given_back_are_left_to_the_next_host(
    task_hub: FreshTaskHub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(services: Services, proxy: FaultyProxy) -> None:
        await open_now(services, task_hub.name, partition_count=PARTITIONS)
        hub = OwnedHub(services, task_hub, tmp_path)
        host = hub.host()
        await host.acquire(wait=False)
        proxy.fail(*[503] * 1_000)
        await host.release()
        assert f"the leases of the task hub '{hub.names.hub}' are left to run out" in caplog.text

        proxy.faults.clear()
        assert hub.held() == set(hub.blobs)
        await hub.host().acquire(wait=False)

    run_through_proxy(task_hub.connection_string, story, service="Blob")


def test_a_request_that_was_carried_out_twice_makes_no_difference(task_hub: FreshTaskHub, tmp_path: Path) -> None:
    async def story(services: Services, proxy: FaultyProxy) -> None:
        await open_now(services, task_hub.name, partition_count=PARTITIONS)
        hub = OwnedHub(services, task_hub, tmp_path)
        host = hub.host()
        proxy.fail("none", *["reset after"] * 4)
        await host.acquire(wait=False)
        assert hub.held() == set(hub.blobs)
        hub.clock.advance(60)
        proxy.fail(*["reset after"] * 4)
        await host.confirm()
        proxy.fail(*["none"] * 4, *["reset after"] * 2, *["none"] * 4, *["reset after"] * 2)
        await host.release()
        assert hub.held() == set()
        assert {(lease.owner, lease.token, lease.epoch) for lease in hub.leases().values()} == {(None, None, 1)}

    run_through_proxy(task_hub.connection_string, story, service="Blob")
