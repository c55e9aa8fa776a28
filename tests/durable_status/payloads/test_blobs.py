"""Offloaded statuses in blob storage: where the platform's purge finds them, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from azure.identity import CredentialUnavailableError
from azure.storage.blob import BlobServiceClient, ContainerClient
from pytest_mock import MockerFixture

from durable_status import InstanceFailedError, Offloaded, PayloadError, RuntimeStatus
from durable_status.client.status_client import AsyncStatusClient
from durable_status.client.task_hub_reader import AsyncTaskHubReader
from durable_status.payloads.blob import BlobPayloadStore
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.client.kinds import QUICK
from tests.durable_status.payloads.test_stores import name_at
from tests.host_process import host_process
from tests.hosts import running_host
from tests.paths import APPS

_LARGE = "🎫" * 10_000
_SECONDS = 20
_IDS = ["p", "pp", "a^b", "é"]


@pytest.fixture
def container(task_hub: FreshTaskHub) -> Iterator[ContainerClient]:
    """The hub's container of large messages."""
    with BlobServiceClient.from_connection_string(task_hub.connection_string) as service:
        yield service.get_container_client(f"{task_hub.name.lower()}-largemessages")


@pytest.mark.conforms("S5-9")
@pytest.mark.parametrize("instance_id", ["i", "a%2Fb", "a^b", "x y", "é"])
def test_they_are_gzipped_below_the_id_as_it_is(
    task_hub: FreshTaskHub, container: ContainerClient, instance_id: str
) -> None:
    with BlobPayloadStore(task_hub.name, settings=task_hub.settings) as store:
        store.put(instance_id, name_at(0), '{"é":1}')

    # As the platform's purge looks for what to delete (storage.md §5).
    (blob,) = container.list_blobs(name_starts_with=f"{instance_id}/")
    assert blob.name == f"{instance_id}/{name_at(0)}"
    assert gzip.decompress(container.download_blob(blob.name).readall()) == '{"é":1}'.encode()
    assert blob.content_settings.content_encoding is None


@pytest.mark.parametrize("instance_id", ["..", "../other", "a/../../b", "./x"])
def test_an_id_that_would_lead_out_of_the_container_is_refused(
    task_hub: FreshTaskHub, container: ContainerClient, instance_id: str
) -> None:
    with (
        BlobPayloadStore(task_hub.name, settings=task_hub.settings) as store,
        pytest.raises(PayloadError, match=r"can have no blobs\. Use an id without \. and \.\. in it"),
    ):
        store.put(instance_id, name_at(0), '"x"')

    assert not container.exists()


def test_a_blob_that_something_else_wrote_is_refused(task_hub: FreshTaskHub, container: ContainerClient) -> None:
    with BlobPayloadStore(task_hub.name, settings=task_hub.settings) as store:
        store.put("i", name_at(0), '"x"')
        container.upload_blob(f"i/{name_at(0)}", b"garbage", overwrite=True)

        with pytest.raises(PayloadError, match=r"The status of 'i' cannot be read: the blob is not gzipped text"):
            store.get("i", name_at(0))


def test_a_wrong_key_is_no_permission_and_shown_nowhere(task_hub: FreshTaskHub) -> None:
    wrong = "A" * 86 + "=="
    settings = {"Storage": _with_key(task_hub.connection_string, wrong)}
    with (
        BlobPayloadStore(task_hub.name, "Storage", settings=settings) as store,
        pytest.raises(PayloadError, match=r"no permission \(403 AuthorizationFailure\)\. Check the key") as refused,
    ):
        store.get("i", name_at(0))
    assert wrong not in f"{refused.value} {store!r}"


def test_an_app_whose_identity_is_missing_is_told_so(mocker: MockerFixture) -> None:
    no_token = CredentialUnavailableError("ManagedIdentityCredential authentication unavailable.\nMore of it.")
    credential = mocker.patch("azure.identity.ManagedIdentityCredential").return_value
    credential.get_token_info.side_effect = credential.get_token.side_effect = no_token
    settings = {"AzureWebJobsStorage__accountName": "account", "AzureWebJobsStorage__credential": "managedidentity"}
    with (
        BlobPayloadStore("Hub", settings=settings) as store,
        pytest.raises(
            PayloadError, match=r"there is no identity to connect with \(Managed\w+ authentication unavailable"
        ),
    ):
        store.get("i", name_at(0))
    credential.close.assert_called_once_with()


def test_an_account_that_does_not_answer_is_named(unused_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure.storage.blob._shared.policies.StorageRetryPolicy.sleep", lambda *_: None)
    url = f"http://127.0.0.1:{unused_port}/account"
    connection = f"BlobEndpoint={url};QueueEndpoint={url};TableEndpoint={url};AccountName=account;AccountKey=AAAA"
    with (
        BlobPayloadStore("Hub", settings={"AzureWebJobsStorage": connection}) as store,
        pytest.raises(PayloadError, match=rf"stored in {url}/hub-largemessages: the storage account did not answer"),
    ):
        store.put("i", name_at(0), '"x"')


@pytest.mark.parametrize(
    ("hub", "settings", "said"),
    [
        ("no hub!", {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}, "cannot be the name of a task hub"),
        ("Hub", {}, "the setting AzureWebJobsStorage is missing or empty; set it to"),
    ],
)
def test_what_cannot_be_a_hub_or_a_connection_is_refused(hub: str, settings: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        BlobPayloadStore(hub, settings=settings)


def test_an_app_stores_reads_and_purges_in_the_account_of_its_hub(
    task_hub: FreshTaskHub, container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", task_hub.connection_string)

    async def main() -> None:
        async with running_host(APPS / "offloading", settings={"hub_name": task_hub.name}) as host:
            with BlobPayloadStore(task_hub.name, settings=task_hub.settings) as store:
                async with AsyncStatusClient(host.host.base_url, pace=QUICK, payload_store=store) as client:
                    await client.start_new("Publish", _LARGE, instance_id="p")
                    shown = await client.wait_for_status(
                        "p", Any, lambda status: status.custom_status not in (None, "before"), _SECONDS
                    )
                    assert shown.custom_status == _LARGE
                    assert (await host.request("GET", "/api/read/p")).json == _LARGE
                    assert len(list(container.list_blobs(name_starts_with="p/status-"))) == 1
                    await client.raise_event("p", "go")
                    await client.wait_for_completion("p", str, _SECONDS)
                    await client.purge("p")
                    assert list(container.list_blobs()) == []

    asyncio.run(main())


@pytest.mark.conforms("S5-9")
def test_on_azure_storage_every_reader_has_it_and_a_purge_deletes_it(
    task_hub: FreshTaskHub, container: ContainerClient
) -> None:
    environment = {**task_hub.settings, "PYTHON_ENABLE_DEBUG_LOGGING": "0"}

    async def main() -> None:
        async with (
            host_process(APPS / "offloading", "--storage", "azure", environment=environment) as host,
            AsyncStatusClient(host.host.base_url, pace=QUICK) as outsider,
            AsyncTaskHubReader.from_settings(task_hub.name, task_hub.settings, pace=QUICK) as reader,
        ):
            for instance_id in _IDS:
                await outsider.start_new("Publish", _LARGE, instance_id=instance_id)
            for instance_id in _IDS:
                shown = await reader.wait_for_status(
                    instance_id, str, lambda status: status.custom_status not in (None, "before"), 60
                )
                assert shown.custom_status == _LARGE
                assert isinstance((await outsider.get_status(instance_id, Any)).custom_status, Offloaded)
                assert (await host.request("GET", f"/api/read/{quote(instance_id)}")).json == _LARGE
            assert len(_statuses(container)) == len(_IDS)

            first, *others = _IDS
            for instance_id in _IDS:
                await outsider.raise_event(instance_id, "go")
                await outsider.wait_for_completion(instance_id, object, 60)
            await outsider.purge(first)
            assert {name.rpartition("/")[0] for name in _statuses(container)} == set(others)
            assert await outsider.purge_by_filter([RuntimeStatus.COMPLETED]) == len(others)
            assert list(container.list_blobs()) == []

    asyncio.run(main())


def _statuses(container: ContainerClient) -> list[str]:
    return [name for name in container.list_blob_names() if "/status-" in name]


def test_an_app_without_a_storage_account_says_so_in_the_instances_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    hub = f"Hub{abs(hash(tmp_path))}"

    async def main() -> None:
        async with (
            running_host(APPS / "offloading", settings={"hub_name": hub}) as host,
            AsyncStatusClient(host.host.base_url, pace=QUICK) as client,
        ):
            with pytest.raises(InstanceFailedError) as failed:
                await client.wait_for_completion(await client.start_new("Publish", _LARGE), Any, _SECONDS)
            output = failed.value.status.output
            assert (
                "PayloadError: Offloaded statuses cannot be reached: the setting AzureWebJobsStorage is missing"
                in output
            )

    asyncio.run(main())


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _with_key(connection_string: str, key: str) -> str:
    parts = [part for part in connection_string.split(";") if not part.startswith("AccountKey=")]
    return ";".join([*parts, f"AccountKey={key}"])
