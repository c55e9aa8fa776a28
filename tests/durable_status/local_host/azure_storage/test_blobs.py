"""`azure_storage.blobs`: blobs and leases of them, on Azurite."""

from __future__ import annotations

import os
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import LeaseLostError
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.task_hub.large_values import compress, decompress
from durable_status.testing.azurite import Azurite
from tests.durable_status.local_host.azure_storage.accounts import fresh_name, run


def test_a_container_is_made_once_and_only_when_it_is_needed(azurite: Azurite) -> None:
    container, other = fresh_name(), fresh_name()

    async def story(services: Services) -> None:
        blobs = services.blobs
        assert await blobs.exists(container) is False
        await blobs.create(container)
        await blobs.create(container)
        assert await blobs.exists(container) is True

        await blobs.put(other, "a", b"1")
        assert await blobs.get(other, "a") == b"1"

    run(azurite.connection_string, story)


def test_what_is_not_there_is_read_as_nothing(azurite: Azurite) -> None:
    container, missing = fresh_name(), fresh_name()

    async def story(services: Services) -> None:
        blobs = services.blobs
        await blobs.create(container)
        for place in (container, missing):
            assert await blobs.get(place, "a") is None
            assert await blobs.list(place) == []
            assert await blobs.delete(place, "a") is False
            assert await blobs.is_container_leased(place) is False

    run(azurite.connection_string, story)


def test_a_blob_is_replaced_and_deleted(azurite: Azurite) -> None:
    container = fresh_name()

    async def story(services: Services) -> None:
        blobs = services.blobs
        await blobs.put(container, "a", b"1")
        await blobs.put(container, "a", b"")
        assert await blobs.get(container, "a") == b""
        assert await blobs.delete(container, "a") is True
        assert await blobs.get(container, "a") is None

    run(azurite.connection_string, story)


def test_a_new_blob_replaces_none(azurite: Azurite) -> None:
    container = fresh_name()

    async def story(services: Services) -> None:
        blobs = services.blobs
        assert await blobs.put_new(container, "a", b"1") is True
        assert await blobs.put_new(container, "a", b"2") is False
        await blobs.acquire(container, "a", str(uuid4()), seconds=15)
        assert await blobs.put_new(container, "a", b"3") is False
        assert await blobs.get(container, "a") == b"1"

    run(azurite.connection_string, story)


def test_blobs_are_listed_by_the_beginning_of_their_names(azurite: Azurite) -> None:
    container = fresh_name()

    async def story(services: Services) -> None:
        blobs = services.blobs
        for name in ("b/1", "a/1", "a/2", "ab"):
            await blobs.put(container, name, b"")
        await blobs.acquire(container, "a/2", str(uuid4()), seconds=15)

        assert [blob.name for blob in await blobs.list(container)] == ["a/1", "a/2", "ab", "b/1"]
        assert [(blob.name, blob.is_leased) for blob in await blobs.list(container, "a/")] == [
            ("a/1", False),
            ("a/2", True),
        ]

    run(azurite.connection_string, story)


def test_a_large_value_comes_back_as_it_was_put(azurite: Azurite) -> None:
    container, text = fresh_name(), os.urandom(3_000_000).hex()

    async def story(services: Services) -> None:
        await services.blobs.put(container, "a", compress(text))
        content = await services.blobs.get(container, "a")
        assert content is not None
        assert decompress(content) == text

    run(azurite.connection_string, story)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\"), min_size=1, max_size=40).filter(
        lambda name: not name.endswith((".", "/")) and not {"", ".", ".."} & set(name.split("/"))
    )
)
def test_any_name_names_its_blob(azurite: Azurite, name: str) -> None:
    container = fresh_name()

    async def story(services: Services) -> None:
        await services.blobs.put(container, name, b"1")
        assert await services.blobs.get(container, name) == b"1"
        assert [blob.name for blob in await services.blobs.list(container, name)] == [name]
        assert await services.blobs.delete(container, name) is True

    run(azurite.connection_string, story)


def test_a_lease_is_the_same_lease_when_it_is_asked_for_again(azurite: Azurite) -> None:
    container, mine, other = fresh_name(), str(uuid4()), str(uuid4())

    async def story(services: Services) -> None:
        blobs = services.blobs
        await blobs.put(container, "a", b"1")
        assert await blobs.acquire(container, "a", mine, seconds=15) is True
        assert await blobs.acquire(container, "a", mine, seconds=15) is True
        assert await blobs.acquire(container, "a", other, seconds=15) is False
        await blobs.renew(container, "a", mine)
        await blobs.release(container, "a", mine)
        assert await blobs.acquire(container, "a", other, seconds=15) is True

    run(azurite.connection_string, story)


def test_only_who_has_the_lease_changes_the_blob(azurite: Azurite) -> None:
    container, mine, other = fresh_name(), str(uuid4()), str(uuid4())

    async def story(services: Services) -> None:
        blobs = services.blobs
        await blobs.put(container, "a", b"1")
        await blobs.acquire(container, "a", mine, seconds=15)
        for refused in (
            blobs.put(container, "a", b"2"),
            blobs.put(container, "a", b"2", lease_id=other),
            blobs.delete(container, "a"),
            blobs.renew(container, "a", other),
            blobs.release(container, "a", other),
        ):
            with pytest.raises(LeaseLostError, match=r"the lease of a is lost \(Lease\w+\)"):
                await refused
        await blobs.put(container, "a", b"3", lease_id=mine)
        assert await blobs.get(container, "a") == b"3"

    run(azurite.connection_string, story)


def test_a_lease_of_a_blob_that_is_gone_is_lost(azurite: Azurite) -> None:
    container, missing, mine = fresh_name(), fresh_name(), str(uuid4())

    async def story(services: Services) -> None:
        await services.blobs.create(container)
        for place in (container, missing):
            with pytest.raises(LeaseLostError, match=r"the lease of a is lost \((Blob|Container)NotFound\)"):
                await services.blobs.renew(place, "a", mine)
            with pytest.raises(StorageError, match="NotFound"):
                await services.blobs.acquire(place, "a", mine, seconds=15)

    run(azurite.connection_string, story)
