"""`azure_storage.signing`: what lets requests in, and what is said when it does not."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from azure.storage.blob import generate_account_sas

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.services import Services, open_services
from durable_status.local_host.storage.azure_storage.tables import Put
from durable_status.task_hub.connection import read_connection
from durable_status.task_hub.tables import Row
from durable_status.testing.azurite import Azurite
from tests.durable_status.local_host.azure_storage.accounts import IMPATIENT, fresh_name, run, with_member

ROW: Row = {"PartitionKey": "it's é", "RowKey": "", "Name": "text"}
WRONG_KEY = base64.b64encode(b"not the key").decode()
MANAGED = {"AzureWebJobsStorage__credential": "managedidentity", "AzureWebJobsStorage__clientId": "mine"}


def signed(connection_string: str, permissions: str, ends: timedelta = timedelta(hours=1)) -> str:
    """The connection string with a shared access signature instead of the account's key."""
    members = dict(member.split("=", 1) for member in connection_string.split(";"))
    token = generate_account_sas(
        *(members.pop("AccountName"), members.pop("AccountKey"), "sco", permissions, datetime.now(UTC) + ends),
        services="bqt",
    )
    return ";".join(f"{name}={value}" for name, value in (members | {"SharedAccessSignature": token}).items())


async def use(services: Services) -> None:
    """A request of every form."""
    name = fresh_name()
    await services.tables.create(name)
    await services.tables.merge(name, ROW)
    await services.tables.transact(name, [Put(ROW)])
    page = await services.tables.query(name, "PartitionKey eq 'it''s é'", select=["PartitionKey", "Name"])
    assert [stored.row for stored in page.rows] == [{"PartitionKey": "it's é", "Name": "text"}]
    await services.queues.create(name)
    receipt = await services.queues.put(name, "text", invisible_seconds=30)
    receipt = await services.queues.extend(receipt, 0)
    (message,) = await services.queues.get(name, limit=1, invisible_seconds=30)
    await services.queues.delete_message(message.receipt)
    await services.queues.delete(name)


@asynccontextmanager
async def fake_service(*answers: web.Response) -> AsyncIterator[tuple[str, list[web.BaseRequest]]]:
    """A service that gives these answers, the last one for ever; its address, and the requests it got."""
    requests: list[web.BaseRequest] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        requests.append(request)
        given = answers[min(len(requests), len(answers)) - 1]
        return web.Response(
            status=given.status, headers={"x-ms-request-id": "1"} | dict(given.headers), body=given.body
        )

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}", requests
    finally:
        await runner.cleanup()


def refusing(code: str, *, status: int = 403, date: datetime | None = None) -> web.Response:
    """How a service does not let a request in."""
    headers = {"x-ms-error-code": code} | ({} if date is None else {"Date": format_datetime(date, usegmt=True)})
    return web.Response(status=status, headers=headers)


def token_until(ends: datetime) -> web.Response:
    """How the platform answers an app that asks for the token of its identity."""
    members = {"access_token": "the-token", "expires_on": str(int(ends.timestamp())), "token_type": "Bearer"}
    return web.json_response(members | {"resource": "https://storage.azure.com"})


def by_identity(url: str) -> dict[str, str]:
    """The settings of a connection by identity whose services are all at an address."""
    return MANAGED | {f"AzureWebJobsStorage__{kind}ServiceUri": url for kind in ("blob", "queue", "table")}


def test_the_key_lets_every_request_in(azurite: Azurite) -> None:
    run(azurite.connection_string, use)


def test_a_shared_access_signature_lets_every_request_in(azurite: Azurite) -> None:
    run(signed(azurite.connection_string, "rwdlacup"), use)


def test_a_wrong_key_is_told_with_the_cure_and_shows_no_key(azurite: Azurite) -> None:
    async def story(services: Services) -> None:
        for call in (services.tables.create(fresh_name()), services.queues.create(fresh_name())):
            with pytest.raises(StorageError) as refused:
                await call
            told = str(refused.value)
            assert "does not accept the key of the account 'devstoreaccount1' in AzureWebJobsStorage" in told
            assert "copy the connection string again from the portal" in told
            assert WRONG_KEY not in told

    run(with_member(azurite.connection_string, AccountKey=WRONG_KEY), story)


def test_a_signature_that_has_ended_or_does_not_suffice_is_told_with_the_cure(azurite: Azurite) -> None:
    async def has_ended(services: Services) -> None:
        for call in (services.tables.create(fresh_name()), services.queues.create(fresh_name())):
            with pytest.raises(StorageError, match="the shared access signature in AzureWebJobsStorage") as refused:
                await call
            assert "make" in str(refused.value)
            assert "sig=" not in str(refused.value)

    run(signed(azurite.connection_string, "rwdlacup", ends=timedelta(hours=-1)), has_ended)

    async def does_not_suffice(services: Services) -> None:
        told = "does not allow a request to .* make one for blobs, queues and tables"
        with pytest.raises(StorageError, match=told):
            await services.queues.create(fresh_name())

    run(signed(azurite.connection_string, "r"), does_not_suffice)


def test_an_identity_sends_its_token_and_asks_for_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_until(datetime.now(UTC) + timedelta(hours=2))

    async def main() -> None:
        async with fake_service(token) as (platform, asked), fake_service(web.Response(status=404)) as (url, got):
            # How App Service offers a managed identity to an app.
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform}/token")
            monkeypatch.setenv("IDENTITY_HEADER", "secret")
            async with open_services(read_connection("Storage", by_identity(url)), patience=IMPATIENT) as services:
                assert await services.tables.exists("Any") is False
                assert await services.queues.exists("any") is False

            assert [request.headers["Authorization"] for request in got] == ["Bearer the-token"] * 2
            assert [request.query["resource"] for request in asked] == ["https://storage.azure.com"]
            assert asked[0].query["client_id"] == "mine"

    asyncio.run(main())


def test_an_identity_that_there_is_not_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        none = web.json_response({"error": "no identity\nfor this app"}, status=400)
        async with fake_service(none) as (platform, _), fake_service(web.Response(status=404)) as (url, got):
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform}/token")
            monkeypatch.setenv("IDENTITY_HEADER", "secret")
            async with open_services(read_connection("Storage", by_identity(url)), patience=IMPATIENT) as services:
                with pytest.raises(StorageError, match=r"AzureWebJobsStorage gives no token: .*; ") as refused:
                    await services.tables.exists("Any")

            assert "\n" not in str(refused.value)
            assert got == []

    asyncio.run(main())


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (refusing("AuthorizationPermissionMismatch"), "has no permission .* Storage Table Data Contributor on the"),
        (refusing("InvalidAuthenticationInfo", status=401), "does not accept the identity of AzureWebJobsStorage"),
        (
            refusing("AuthenticationFailed", date=datetime.now(UTC) - timedelta(minutes=61)),
            r"because this machine's clock is 6\d minutes off its own; set the clock",
        ),
    ],
)
def test_an_identity_that_is_not_let_in_is_told_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, answer: web.Response, text: str
) -> None:
    token = token_until(datetime.now(UTC) + timedelta(hours=2))

    async def main() -> None:
        async with fake_service(token) as (platform, _), fake_service(answer) as (url, _):
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"{platform}/token")
            monkeypatch.setenv("IDENTITY_HEADER", "secret")
            async with open_services(read_connection("Storage", by_identity(url)), patience=IMPATIENT) as services:
                with pytest.raises(StorageError, match=text):
                    await services.tables.exists("Any")

    asyncio.run(main())


@pytest.mark.parametrize("kind", ["key", "signature"])
def test_a_firewall_is_named_as_a_reason(kind: str) -> None:
    secret = f"AccountName=contoso;AccountKey={WRONG_KEY}" if kind == "key" else "SharedAccessSignature=sv=1&sig=x"

    async def main() -> None:
        async with fake_service(refusing("AuthorizationFailure")) as (url, _):
            text = f"{secret};BlobEndpoint={url};QueueEndpoint={url};TableEndpoint={url}"
            connection = read_connection("Storage", {"AzureWebJobsStorage": text})
            async with open_services(connection, patience=IMPATIENT) as services:
                with pytest.raises(StorageError, match="the account's firewall"):
                    await services.queues.exists("any")

    asyncio.run(main())


def test_opening_an_account_by_its_key_imports_no_package_of_azure() -> None:
    code = "import sys, durable_status.local_host.storage.azure_storage.services; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert [name for name in modules if name.split(".")[0] == "azure"] == []
