"""`task_hub.connection`: where the storage account is, and what opens it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from durable_status.task_hub.connection import (
    AccountKey,
    Identity,
    SharedAccessSignature,
    StorageConnection,
    read_connection,
)

NAME = "AzureWebJobsStorage"
KEY = "c2VjcmV0IGtleQ=="
PORTAL = (
    f"DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey={KEY};EndpointSuffix=core.windows.net"  # as copied
)
CONTOSO = StorageConnection(
    "https://contoso.blob.core.windows.net",
    "https://contoso.queue.core.windows.net",
    "https://contoso.table.core.windows.net",
    AccountKey("contoso", KEY),
)


def read(text: str) -> StorageConnection:
    return read_connection(NAME, {NAME: text})


def test_the_connection_string_of_the_portal_is_read() -> None:
    assert read(PORTAL) == CONTOSO


def test_members_are_found_in_any_case_and_order_with_blanks_and_a_last_semicolon() -> None:
    text = f" accountkey = {KEY} ; ACCOUNTNAME=contoso;;"

    assert read(text) == CONTOSO


def test_a_suffix_and_a_protocol_make_the_addresses() -> None:
    connection = read(f"DefaultEndpointsProtocol=http;AccountName=c12;AccountKey={KEY};EndpointSuffix=chinacloudapi.cn")

    assert connection.table_url == "http://c12.table.chinacloudapi.cn"


def test_addresses_that_are_given_are_taken_without_the_slash_at_their_end() -> None:
    connection = read(f"{PORTAL};TableEndpoint=http://127.0.0.1:7/contoso/;QueueEndpoint=http://[::1]:8/contoso")

    assert (connection.blob_url, connection.queue_url, connection.table_url) == (
        CONTOSO.blob_url,
        "http://[::1]:8/contoso",
        "http://127.0.0.1:7/contoso",
    )


def test_a_shared_access_signature_opens_the_account() -> None:
    token = "sv=2021-06-08&ss=bqt&sig=a%2Fb%3D"
    urls = ";".join(f"{kind}Endpoint=https://c.{kind.lower()}.x.net" for kind in ("Blob", "Queue", "Table"))

    by_address = read(f"{urls};SharedAccessSignature=?{token}")
    by_name = read(f"AccountName=contoso;SharedAccessSignature={token}")

    assert by_address.credential == by_name.credential == SharedAccessSignature(token)
    assert by_address.queue_url == "https://c.queue.x.net"
    assert by_name.queue_url == CONTOSO.queue_url


def test_development_storage_is_the_emulator_at_its_usual_ports() -> None:
    connection = read("UseDevelopmentStorage=true")

    assert (connection.blob_url, connection.queue_url, connection.table_url) == (
        "http://127.0.0.1:10000/devstoreaccount1",
        "http://127.0.0.1:10001/devstoreaccount1",
        "http://127.0.0.1:10002/devstoreaccount1",
    )
    assert isinstance(connection.credential, AccountKey)
    assert connection.credential.name == "devstoreaccount1"


def test_development_storage_can_be_at_another_host() -> None:
    connection = read("useDevelopmentStorage=TRUE;DevelopmentStorageProxyUri=http://azurite")

    assert connection.table_url == "http://azurite:10002/devstoreaccount1"


@pytest.mark.parametrize("name", ["Storage", "AzureWebJobsStorage", "azurewebjobsstorage", "STORAGE"])
def test_a_connection_is_found_with_the_platforms_prefix_and_in_any_case(name: str) -> None:
    assert read_connection(name, {"AzureWebJobsStorage": PORTAL}).table_url == CONTOSO.table_url


def test_the_prefixed_setting_comes_first_and_an_empty_one_does_not_count() -> None:
    both = {"Hub": "UseDevelopmentStorage=true", "AzureWebJobsHub": PORTAL}

    assert read_connection("Hub", both).setting == "AzureWebJobsHub"
    assert read_connection("Hub", both | {"AzureWebJobsHub": " "}).setting == "Hub"


def test_an_account_name_connects_by_identity() -> None:
    connection = read_connection("Storage", {f"{NAME}__accountName": "contoso"})

    assert connection.credential == Identity()
    assert (connection.blob_url, connection.queue_url, connection.table_url) == (
        CONTOSO.blob_url,
        CONTOSO.queue_url,
        CONTOSO.table_url,
    )


@pytest.mark.parametrize("separator", ["__", ":"])
def test_addresses_of_services_connect_by_identity(separator: str) -> None:
    urls = {f"Hub{separator}{kind}ServiceUri": f"https://c.{kind}.x.net/" for kind in ("blob", "queue", "table")}

    connection = read_connection("Hub", urls)

    assert connection == StorageConnection(
        "https://c.blob.x.net", "https://c.queue.x.net", "https://c.table.x.net", Identity(), "Hub"
    )


@pytest.mark.parametrize(
    ("members", "identity"),
    [
        ({"credential": "managedidentity"}, Identity(managed=True)),
        ({"credential": "ManagedIdentity", "clientId": "one"}, Identity(managed=True, client_id="one")),
        (
            {"tenantId": "t", "clientId": "c", "clientSecret": "s"},
            Identity(tenant_id="t", client_id="c", client_secret="s"),
        ),
        ({"clientid": "c"}, Identity(client_id="c")),
    ],
)
def test_the_settings_choose_the_identity(members: Mapping[str, str], identity: Identity) -> None:
    settings = {f"{NAME}__{name}": value for name, value in members.items()}

    assert read_connection(NAME, settings | {f"{NAME}__accountName": "contoso"}).credential == identity


def test_a_connection_string_comes_before_an_identity() -> None:
    assert read_connection(NAME, {NAME: PORTAL, f"{NAME}__accountName": "other"}) == CONTOSO


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "the setting AzureWebJobsStorage is missing or empty; set it to"),
        ({NAME: "  "}, "the setting AzureWebJobsStorage is missing or empty; set it to"),
        ({NAME: "nonsense"}, "is no connection string"),
        ({NAME: "=x"}, "is no connection string"),
        ({NAME: f"AccountKey={KEY}"}, "has neither AccountName nor BlobEndpoint"),
        ({NAME: "AccountName=contoso"}, "has no AccountKey and no SharedAccessSignature"),
        ({NAME: "UseDevelopmentStorage=false"}, "has neither AccountName nor BlobEndpoint"),
        ({NAME: "AccountName=contoso;AccountKey=c2VjcmV0IGtleQ"}, "is not Base64, so it is not all of the key"),
        ({NAME: f"{PORTAL};AccountName=again"}, "says 'AccountName' twice"),
        ({NAME: f"AccountName={KEY};AccountKey={KEY}"}, "the account's name in AzureWebJobsStorage cannot be one"),
        ({NAME: f"{PORTAL};TableEndpoint=contoso"}, "TableEndpoint in AzureWebJobsStorage is no address"),
        ({NAME: f"{PORTAL};TableEndpoint=https://c.x.net?sig={KEY}"}, "(without a query)"),
        ({NAME: f"{PORTAL};QueueEndpoint=http://h:port"}, "QueueEndpoint in AzureWebJobsStorage is no address"),
        ({f"{NAME}__blobServiceUri": "https://c.x.net"}, f"needs {NAME}__accountName, or {NAME}__queueServiceUri"),
        ({f"{NAME}__credential": "managedidentity"}, f"needs {NAME}__accountName"),
        (
            {f"{NAME}__accountName": "contoso", f"{NAME}__credential": KEY},
            "__credential is not managedidentity; set it to",
        ),
        ({f"{NAME}__accountName": "contoso", f"{NAME}__clientSecret": KEY}, "__clientSecret needs"),
    ],
)
def test_what_is_no_connection_is_told_in_one_line_with_the_cure(settings: dict[str, str], text: str) -> None:
    with pytest.raises(ValueError, match=r"\S") as refused:
        read_connection(NAME, settings)

    said = str(refused.value)
    assert text in said
    assert "\n" not in said
    assert said.endswith(".")
    assert KEY[:-3] not in said


_texts = st.text(st.characters(codec="utf-8"), max_size=30)


@given(_texts, st.sampled_from(["AccountName", "AccountKey", "BlobEndpoint", "SharedAccessSignature", "x"]), _texts)
@example("UseDevelopmentStorage=true", "DevelopmentStorageProxyUri", "http://[")
def test_any_text_is_read_or_refused(before: str, member: str, value: str) -> None:
    said = ""
    try:
        read(f"{before};{member}={value}")
    except ValueError as refused:
        said = str(refused)

    assert "\n" not in said


def test_no_representation_tells_a_secret() -> None:
    secret = Identity(client_id="c", tenant_id="t", client_secret="hidden")

    for connection in (CONTOSO, read("AccountName=contoso;SharedAccessSignature=sig=hidden")):
        assert "hidden" not in repr(connection)
        assert KEY not in repr(connection)
    assert "hidden" not in repr(secret)
