"""`azure_storage.endpoint`: a service that fails, is slow or does not answer, in front of a real Azurite."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.endpoint import Patience
from durable_status.local_host.storage.azure_storage.errors import (
    ConditionError,
    MessageLostError,
    RowChangedError,
    RowExistsError,
    UnavailableError,
)
from durable_status.local_host.storage.azure_storage.services import Services, open_services
from durable_status.local_host.storage.azure_storage.tables import Insert, Merge, Put
from durable_status.task_hub.connection import read_connection
from durable_status.task_hub.tables import Row
from durable_status.testing.azurite import Azurite
from tests.durable_status.local_host.azure_storage.accounts import IMPATIENT, fresh_name, run, with_member
from tests.durable_status.local_host.azure_storage.faulty_proxy import Fault, FaultyProxy, faulty_proxy

ROW: Row = {"PartitionKey": "p", "RowKey": "", "Name": "first"}
PASSING: list[Fault | int] = [500, 503, 429, 408, "reset", "reset after", "silence", "silence after"]
HASTY = Patience(answer=0.5, pauses=(0.0,) * 4, first_pauses=(0.0,) * 2)


def patience_with(fault: Fault | int) -> Patience:
    """Only for a service that is silent: a busy machine may be slow, too."""
    return HASTY if str(fault).startswith("silence") else IMPATIENT


ProxyStory = Callable[[Services, FaultyProxy], Awaitable[None]]


def run_through_proxy(
    connection_string: str, story: ProxyStory, *, service: str = "Table", patience: Patience = IMPATIENT
) -> None:
    """Open an account one of whose services is behind a proxy, and tell the story there."""

    async def main() -> None:
        found = re.search(f"{service}Endpoint=([^;]*)", connection_string)
        assert found is not None
        async with faulty_proxy(found[1]) as proxy:
            text = with_member(connection_string, **{f"{service}Endpoint": proxy.url})
            connection = read_connection("Storage", {"AzureWebJobsStorage": text})
            async with open_services(connection, patience=patience) as services:
                await story(services, proxy)

    asyncio.run(main())


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_waited_for(azurite: Azurite, fault: Fault | int) -> None:
    table = fresh_name()

    async def story(services: Services, proxy: FaultyProxy) -> None:
        await services.tables.create(table)
        proxy.fail(fault)
        await services.tables.merge(table, ROW)
        proxy.fail(fault, fault)
        stored = await services.tables.read(table, "p", "")

        assert stored is not None
        assert stored.row == ROW
        assert proxy.seen == ["POST", "PATCH", "PATCH", "GET", "GET", "GET"]

    run_through_proxy(azurite.connection_string, story, patience=patience_with(fault))


@pytest.mark.conforms("S7.5-8")
@pytest.mark.parametrize("fault", ["reset after", "silence after"])
@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda services, table, _: services.tables.insert(table, ROW | {"RowKey": "2"}), RowExistsError),
        (lambda services, table, _: services.tables.transact(table, [Insert(ROW | {"RowKey": "2"})]), RowExistsError),
        (lambda services, table, etag: services.tables.replace(table, ROW, etag=etag), RowChangedError),
        (lambda services, table, etag: services.tables.transact(table, [Merge(ROW, etag)]), RowChangedError),
    ],
    ids=["insert", "insert in a transaction", "replace", "merge in a transaction"],
)
def test_a_condition_that_the_lost_first_try_broke_says_so(
    azurite: Azurite,
    fault: Fault,
    call: Callable[[Services, str, str], Awaitable[object]],
    error: type[ConditionError],
) -> None:
    table = fresh_name()

    async def story(services: Services, proxy: FaultyProxy) -> None:
        await services.tables.create(table)
        etag = await services.tables.insert(table, ROW)
        proxy.fail(fault)
        sent = len(proxy.seen)

        with pytest.raises(error) as refused:
            await call(services, table, etag)
        assert refused.value.after_retry is True
        assert len(proxy.seen) == sent + 2

    run_through_proxy(azurite.connection_string, story, patience=patience_with(fault))


def test_a_transaction_that_may_be_done_twice_is_done_once_more(azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services, proxy: FaultyProxy) -> None:
        await services.tables.create(table)
        proxy.fail("reset after", 503)
        (etag,) = await services.tables.transact(table, [Put(ROW)])

        stored = await services.tables.read(table, "p", "")
        assert stored is not None
        assert (stored.row, stored.etag) == (ROW, etag)

    run_through_proxy(azurite.connection_string, story)


def test_deleting_a_message_again_says_that_it_was_sent_before(azurite: Azurite) -> None:
    queue = fresh_name()

    async def story(services: Services, proxy: FaultyProxy) -> None:
        await services.queues.create(queue)
        receipt = await services.queues.put(queue, "text")
        proxy.fail("reset after")

        with pytest.raises(MessageLostError) as lost:
            await services.queues.delete_message(receipt)
        assert lost.value.after_retry is True

    run_through_proxy(azurite.connection_string, story, service="Queue")


def test_a_message_whose_answer_was_lost_is_put_again(azurite: Azurite) -> None:
    queue = fresh_name()

    async def story(services: Services, proxy: FaultyProxy) -> None:
        await services.queues.create(queue)
        proxy.fail("reset after")
        receipt = await services.queues.put(queue, "text")
        await services.queues.delete_message(receipt)

        (other,) = await services.queues.get(queue, limit=32, invisible_seconds=30)
        assert other.text == "text"

    run_through_proxy(azurite.connection_string, story, service="Queue")


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (503, r"answers 503 ServerBusy; look after it, then try again\."),
        ("reset", r"has ended the connection; look after it, then try again\."),
        ("silence", r"has not answered within 0\.5 s; look after it, then try again\."),
    ],
)
def test_what_does_not_pass_is_an_error_after_some_tries(azurite: Azurite, fault: Fault | int, text: str) -> None:
    async def story(services: Services, proxy: FaultyProxy) -> None:
        await services.tables.exists(fresh_name())
        proxy.fail(*[fault] * 5)

        with pytest.raises(UnavailableError, match=f"the table service at {proxy.url} {text}"):
            await services.tables.exists(fresh_name())
        assert len(proxy.seen) == 1 + 5
        assert await services.tables.exists(fresh_name()) is False

    run_through_proxy(azurite.connection_string, story, patience=patience_with(fault))


def test_an_outage_is_logged_once_and_its_end_too(azurite: Azurite, caplog: pytest.LogCaptureFixture) -> None:
    async def story(services: Services, proxy: FaultyProxy) -> None:
        for _ in range(2):
            proxy.fail(503, 503, "reset", 500)
            await services.tables.exists(fresh_name())

        service = f"the table service at {proxy.url}"
        outage = [f"{service} answers 503 ServerBusy; trying again.", f"{service} answers again."]
        assert [record.getMessage() for record in caplog.records] == outage * 2

    with caplog.at_level(logging.INFO, logger="durable_status"):
        run_through_proxy(azurite.connection_string, story)


def test_requests_that_wait_together_log_one_outage(azurite: Azurite, caplog: pytest.LogCaptureFixture) -> None:
    async def story(services: Services, proxy: FaultyProxy) -> None:
        proxy.fail(*[503] * 8)
        await asyncio.gather(*(services.tables.exists(fresh_name()) for _ in range(8)))

    with caplog.at_level(logging.INFO, logger="durable_status"):
        run_through_proxy(azurite.connection_string, story)

    assert sum("trying again" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.conforms("S7.5-9")
def test_a_connection_that_was_closed_while_idle_is_opened_again_silently(
    azurite: Azurite, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(services: Services, proxy: FaultyProxy) -> None:
        await services.tables.exists(fresh_name())
        proxy.fail("reset")

        assert await services.tables.exists(fresh_name()) is False

    with caplog.at_level(logging.INFO, logger="durable_status"):
        run_through_proxy(azurite.connection_string, story)

    assert caplog.records == []


def test_a_service_that_comes_back_is_found_again(own_azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        await services.tables.create(table)
        await services.tables.insert(table, ROW)
        own_azurite.stop()
        reading = asyncio.create_task(services.tables.read(table, "p", ""))
        await asyncio.to_thread(own_azurite.start)

        stored = await reading
        assert stored is not None
        assert stored.row == ROW

    run(own_azurite.connection_string, story, Patience(pauses=(0.05,) * 1200))


def test_an_address_where_nobody_listens_is_told_with_the_cure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can be there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/devstoreaccount1"
        text = (
            f"AccountName=devstoreaccount1;AccountKey=AAAA;BlobEndpoint={url};QueueEndpoint={url};TableEndpoint={url}"
        )

        async def story(services: Services) -> None:
            told = "cannot be reached: connection refused; start it, or correct the address in AzureWebJobsStorage."
            with pytest.raises(UnavailableError) as refused:
                await services.tables.exists("Any")
            assert str(refused.value) == f"the table service at {url} {told}"
            with pytest.raises(UnavailableError) as refused:
                await services.queues.put("any", "text")
            assert str(refused.value) == f"the queue service at {url} {told}"

        run(text, story)


def test_a_host_that_does_not_exist_is_told_with_the_cure() -> None:
    async def story(services: Services) -> None:
        with pytest.raises(StorageError, match=r"cannot be reached: there is no host of that name; .* correct the add"):
            await services.tables.exists("Any")

    url = "http://no-such-account.table.invalid"
    run(f"AccountName=any;AccountKey=AAAA;TableEndpoint={url};BlobEndpoint={url};QueueEndpoint={url}", story)


@pytest.mark.parametrize("status", [200, 302, 404])
def test_a_host_that_is_no_storage_service_is_told_with_the_cure(status: int) -> None:
    asked = []

    async def hello(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=status, text="<h1>Hello</h1>", headers={"Location": "/elsewhere"})

    async def main() -> None:
        runner = web.ServerRunner(web.Server(hello))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = "http://{}:{}".format(*runner.addresses[0][:2])
        text = f"AccountName=any;AccountKey=AAAA;TableEndpoint={url};BlobEndpoint={url};QueueEndpoint={url}"
        async with open_services(read_connection("Storage", {"AzureWebJobsStorage": text})) as services:
            for call in (services.tables.exists("Any"), services.queues.get("any", limit=1, invisible_seconds=1)):
                with pytest.raises(StorageError, match=rf"something else answers there \({status}\); correct the add"):
                    await call
        await runner.cleanup()

    asyncio.run(main())

    assert asked == ["/Tables('Any')", "/any/messages"]


def test_a_protocol_that_the_service_does_not_speak_is_told_with_the_cure(azurite: Azurite) -> None:
    async def story(services: Services) -> None:
        with pytest.raises(UnavailableError, match=r"no secure connection, .*; start it, or correct the address in"):
            await services.tables.exists("Any")

    run(azurite.connection_string.replace("http:", "https:"), story)
