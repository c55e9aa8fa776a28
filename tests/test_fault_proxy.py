"""The proxy of the fault tests does to requests what it is told to, and nothing to the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest
from azure.core.exceptions import AzureError, HttpResponseError
from azure.data.tables.aio import TableClient, TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from durable_status.testing.azurite import Azurite
from tests.fault_proxy import (
    FaultProxy,
    after,
    answers,
    breaks_after,
    breaks_before,
    done_twice,
    handed_out_twice,
    held_until,
    then,
)
from tests.storage_operations import Operation


@dataclass(frozen=True, slots=True)
class _Account:
    """A queue and a table behind a proxy, to a sender without patience."""

    proxy: FaultProxy
    queue: QueueClient
    table: TableClient

    async def put(self, text: str) -> None:
        await self.queue.send_message(text)

    async def texts(self) -> list[str]:
        return [message.content async for message in self.queue.receive_messages(messages_per_page=32)]


@asynccontextmanager
async def _account(azurite: Azurite) -> AsyncIterator[_Account]:
    name = f"x{uuid4().hex}"
    async with (
        FaultProxy(azurite.connection_string).running() as proxy,
        QueueServiceClient.from_connection_string(proxy.connection_string, retry_total=0) as queues,
        TableServiceClient.from_connection_string(proxy.connection_string, retry_total=0) as tables,
    ):
        queue, table = await queues.create_queue(name), await tables.create_table(name)
        yield _Account(proxy, queue, table)


def _is(kind: str) -> Callable[[Operation], bool]:
    return lambda operation: operation.kind == kind


def test_every_operation_is_known_by_its_name(azurite: Azurite) -> None:
    async def main() -> list[str]:
        async with (
            _account(azurite) as account,
            BlobServiceClient.from_connection_string(account.proxy.connection_string) as blobs,
        ):
            row = {"PartitionKey": "a^0 ü", "RowKey": ""}
            await account.table.submit_transaction([("upsert", row), ("create", row | {"RowKey": "1"})])
            await account.table.create_entity(row | {"RowKey": "2"})
            await account.table.upsert_entity(row)
            await account.table.get_entity("a^0 ü", "")
            assert len([found async for found in account.table.query_entities("PartitionKey eq 'a^0 ü'")]) == 3
            await account.table.delete_entity("a^0 ü", "2")
            await account.put("hello")
            async for message in account.queue.receive_messages(messages_per_page=1, max_messages=1):
                changed = await account.queue.update_message(message, visibility_timeout=1)
                await account.queue.delete_message(message, changed.pop_receipt)
            container = await blobs.create_container(account.queue.queue_name)
            blob = await container.upload_blob("a b/ü", b"text")
            assert await (await blob.download_blob()).readall() == b"text"
            await (await blob.acquire_lease(15)).release()
            name = account.queue.queue_name
            return [str(exchange.operation).replace(name, "NAME") for exchange in account.proxy.seen]

    assert asyncio.run(main()) == [
        "create NAME",
        "create",
        "transaction NAME",
        "insert row NAME",
        "merge row NAME",
        "read row NAME",
        "query rows NAME",
        "delete row NAME",
        "put message NAME",
        "get messages NAME",
        "update message NAME",
        "delete message NAME",
        "create NAME",
        "put blob NAME/a b/ü",
        "read blob NAME/a b/ü",
        "lease NAME/a b/ü",
        "lease NAME/a b/ü",
    ]


def test_a_refusal_reaches_the_sender_and_nothing_is_done(azurite: Azurite) -> None:
    async def main() -> None:
        async with _account(azurite) as account:
            hits = account.proxy.inject(answers(503, "ServerBusy", Retry_After="1"), _is("put message"))
            with pytest.raises(HttpResponseError) as refused:
                await account.put("lost")
            assert (refused.value.status_code, refused.value.error_code) == (503, "ServerBusy")
            row = {"PartitionKey": "a", "RowKey": ""}
            account.proxy.inject(answers(500, "InternalError"), _is("insert row"))
            with pytest.raises(HttpResponseError) as refused:
                await account.table.create_entity(row)
            assert refused.value.status_code == 500
            assert "InternalError" in str(refused.value)

            await account.put("kept")
            await account.table.create_entity(row)
            assert (hits(), await account.texts()) == (1, ["kept"])

    asyncio.run(main())


def test_a_connection_breaks_before_or_after_the_request_is_carried_out(azurite: Azurite) -> None:
    async def main() -> None:
        async with _account(azurite) as account:
            account.proxy.inject(breaks_before, _is("put message"))
            account.proxy.inject(breaks_after, _is("put message"))
            for text in ("lost", "kept"):
                with pytest.raises(AzureError):
                    await account.put(text)
            assert await account.texts() == ["kept"]

    asyncio.run(main())


def test_messages_are_put_or_handed_out_twice(azurite: Azurite) -> None:
    async def main() -> None:
        async with _account(azurite) as account:
            account.proxy.inject(done_twice, _is("put message"), skip=1)
            for text in ("once", "twice", "once more"):
                await account.put(text)
            assert sorted(await account.texts()) == ["once", "once more", "twice", "twice"]

            await account.put("another")
            account.proxy.inject(handed_out_twice, _is("get messages"))
            assert await account.texts() == ["another", "another"]

    asyncio.run(main())


def test_an_answer_is_held_and_something_else_happens_first_or_instead(azurite: Azurite) -> None:
    async def main() -> None:
        async with _account(azurite) as account:
            released = asyncio.Event()
            account.proxy.inject(held_until(released), _is("put message"))
            held = asyncio.create_task(account.put("held"))
            while not await account.texts():
                assert not held.done()
            released.set()
            await held

            done: list[str] = []

            async def note() -> None:
                done.append(f"after {len(await account.texts())}")

            account.proxy.inject(after(note), _is("put message"))
            account.proxy.inject(then(note), _is("put message"))
            await account.put("first")
            with pytest.raises(AzureError):
                await account.put("second")
            assert done == ["after 0", "after 2"]

    asyncio.run(main())


def test_what_is_deleted_is_known_by_its_text(azurite: Azurite) -> None:
    async def main() -> list[str]:
        async with _account(azurite) as account:
            await account.put("hello")
            async for message in account.queue.receive_messages():
                await account.queue.delete_message(message)
            return [seen.operation.text for seen in account.proxy.seen if seen.operation.kind == "delete message"]

    (text,) = asyncio.run(main())
    assert "hello" in text
