"""The readers on rows that are rare: written half, by somebody else, by newer versions, or to do harm."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import EdmType, EntityProperty, TableClient, TableServiceClient
from azure.storage.blob import BlobServiceClient, ContainerClient, generate_account_sas
from azure.storage.queue import QueueServiceClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from durable_status.client.driving import run, stream
from durable_status.client.flows import Filters
from durable_status.client.hub_flows import Shown, get_history, list_statuses
from durable_status.client.hub_steps import GetPage, Page
from durable_status.client.task_hub_reader import AsyncTaskHubReader, TaskHubReader
from durable_status.errors import (
    HostError,
    InstanceEndedError,
    InstanceFailedError,
    InstanceNotFoundError,
    PayloadMissingError,
    RefusedError,
    WaitTimeoutError,
)
from durable_status.instance_status import RuntimeStatus
from durable_status.offloaded import Offloaded
from durable_status.task_hub.large_values import property_blob_name
from durable_status.task_hub.names import HubNames, escape_key, history_row_key
from durable_status.testing.azurite import Azurite
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.client.hub_readers import KINDS, QUICK, HubReads
from tests.recorded_hubs import put_hub

_TIME = "2026-11-22T11:30:46.1069824Z"


class Hub:
    """A hub to put rows and blobs into, and reads of it."""

    def __init__(self, kind: str, task_hub: FreshTaskHub) -> None:
        put_hub(task_hub.connection_string, (), hub=task_hub.name)
        self.name, self.connection_string = task_hub.name, task_hub.connection_string
        self.reads = HubReads(kind, self.connection_string, self.name)

    def put(self, instance_id: str, **columns: Any) -> None:
        """Put or replace the row of an instance that has begun, with other columns, or without those that are None."""
        usual = {
            "PartitionKey": escape_key(instance_id),
            "RowKey": "",
            "Name": "Order",
            "ExecutionId": "e1",
            "RuntimeStatus": "Running",
            "CreatedTime": _time(_TIME),
            "LastUpdatedTime": _time(_TIME),
            "CustomStatus": "null",
        }
        self.put_row("Instances", {name: value for name, value in (usual | columns).items() if value is not None})

    def put_row(self, table: str, row: dict[str, Any]) -> None:
        with TableClient.from_connection_string(self.connection_string, self.name + table) as client:
            client.upsert_entity(row, mode="replace")

    def put_blob(self, name: str, content: bytes) -> str:
        """Store a blob of large messages and return its address."""
        container = f"{self.name.lower()}-largemessages"
        with ContainerClient.from_connection_string(self.connection_string, container) as client:
            client.upload_blob(name, content, overwrite=True)
            return f"{client.url}/{quote(name)}"

    def everything(self) -> list[str]:
        """The names of all tables, queues and containers of the account."""
        with (
            TableServiceClient.from_connection_string(self.connection_string) as tables,
            QueueServiceClient.from_connection_string(self.connection_string) as queues,
            BlobServiceClient.from_connection_string(self.connection_string) as blobs,
        ):
            found = [*tables.list_tables(), *queues.list_queues(), *blobs.list_containers()]
            return sorted(item.name for item in found)


@pytest.fixture(params=KINDS)
def hub(request: pytest.FixtureRequest, task_hub: FreshTaskHub) -> Hub:
    return Hub(request.param, task_hub)


def _time(text: str) -> EntityProperty:
    return EntityProperty(text, EdmType.DATETIME)


@contextmanager
def _listener() -> Iterator[tuple[str, list[Any]]]:
    """An address, and who has connected to it."""
    came: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            try:
                while True:
                    came.append(server.accept())
            except OSError:
                return

        waiting = threading.Thread(target=accept)
        waiting.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", came
        server.shutdown(socket.SHUT_RDWR)
        waiting.join()


@pytest.mark.conforms("S2.5-2")
def test_a_pending_instance_has_no_status_yet(hub: Hub) -> None:
    hub.put("p", RuntimeStatus="Pending", CustomStatus=None, Input='"1"', Generation=0, Tags="null")

    status = hub.reads.get_status("p", Any, show_input=True)

    assert (status.runtime_status, status.custom_status_json, status.input) == (RuntimeStatus.PENDING, None, "1")
    assert hub.reads.get_history("p") == {"instanceId": "p", "history": []}


@pytest.mark.conforms("S2.6-3", "S2.6-4")
def test_a_large_input_of_a_pending_instance_is_in_a_blob_of_its_own_or_in_the_start_message(hub: Hub) -> None:
    text = json.dumps("L" * 31_000)
    started = {"$type": "DurableTask.Core.History.ExecutionStartedEvent", "EventType": 0, "Input": text}
    task = {"Event": started, "OrchestrationInstance": {"InstanceId": "b", "ExecutionId": "e1"}}
    message = gzip.compress(json.dumps({"TaskMessage": task}).encode())
    hub.put_blob("a/history--Input-07F4CCA9-Input.json.gz", gzip.compress(text.encode()))
    address = hub.put_blob("b/message-0123-ExecutionStarted.json.gz", message)
    hub.put("a", RuntimeStatus="Pending", Input="", InputBlobName="a/history--Input-07F4CCA9-Input.json.gz")
    hub.put("b", RuntimeStatus="Pending", Input=address)

    statuses = hub.reads.list_statuses(Any, show_input=True)

    assert [status.input for status in statuses] == ["L" * 31_000] * 2


@pytest.mark.conforms("S2.6-5")
def test_a_reason_that_is_an_address_is_a_reason_and_nobody_is_asked_for_it(hub: Hub) -> None:
    container = f"{hub.name.lower()}-largemessages"
    with _listener() as (url, came):
        reasons = [f"{url}/x", f"{url}/{container}/a/b.json.gz", "https://[::1", f"{url}/a.json.gz"]
        for number, reason in enumerate(reasons):
            hub.put(f"t{number}", RuntimeStatus="Terminated", Output=reason)

        outputs = [status.output for status in hub.reads.list_statuses(Any, show_output=True)]

    assert outputs == reasons
    assert came == []


def test_a_blob_is_read_only_for_who_asks_and_a_broken_one_is_told(hub: Hub) -> None:
    hub.put("i", Input=hub.put_blob("i/history-0000000000000001-ExecutionStarted-00000000-Input.json.gz", b"no gzip"))

    assert hub.reads.get_status("i", Any).input is None
    with pytest.raises(HostError, match=r"The blob i/history.* is not gzipped text"):
        hub.reads.get_status("i", Any, show_input=True)


@pytest.mark.conforms("S5-4")
def test_what_an_episode_left_of_a_purged_instance_is_in_no_list(hub: Hub) -> None:
    hub.put("whole")
    hub.put("remnant", Name=None, CreatedTime=None, RuntimeStatus=None)
    hub.put("no-created-time", CreatedTime=None)

    assert [status.instance_id for status in hub.reads.list_statuses(Any)] == ["whole"]
    with pytest.raises(HostError, match="'remnant' has no Name"):
        hub.reads.get_status("remnant", Any)


@pytest.mark.conforms("S5-2")
def test_both_bounds_of_time_are_part_of_a_list(hub: Hub) -> None:
    moment = datetime(2026, 11, 22, 11, 30, 46, 100_000, tzinfo=UTC)
    hub.put("i", CreatedTime=_time("2026-11-22T11:30:46.1000000Z"))

    assert len(hub.reads.list_statuses(Any, created_from=moment, created_to=moment)) == 1
    # Azurite compares whole milliseconds.
    assert hub.reads.list_statuses(Any, created_from=moment + timedelta(milliseconds=1)) == []
    assert hub.reads.list_statuses(Any, created_to=moment - timedelta(milliseconds=1)) == []


def test_what_a_newer_version_has_written_is_told_in_one_line(hub: Hub) -> None:
    hub.put("i", RuntimeStatus="Dreaming")
    row = {"PartitionKey": "i", "RowKey": "0000000000000000", "ExecutionId": "e1", "_Timestamp": _time(_TIME)}
    hub.put_row("History", row | {"EventType": "DreamStarted", "EventId": -1})

    for verb, arguments, message in (
        ("get_status", ("i", Any), "runtime status 'Dreaming', which this version does not know"),
        ("list_statuses", (Any,), "runtime status 'Dreaming', which this version does not know"),
        ("get_history", ("i",), "unknown event type: 'DreamStarted'. Has a newer version written it"),
    ):
        with pytest.raises(HostError, match=message) as raised:
            getattr(hub.reads, verb)(*arguments)
        assert "\n" not in str(raised.value)


@pytest.mark.conforms("S3.2-3")
def test_columns_of_other_tools_are_passed_over(hub: Hub) -> None:
    others = {"Number": EntityProperty(2**40, EdmType.INT64), "Half": 0.5, "Bytes": b"x", "Ours": "text"}
    hub.put("i", **others)

    assert hub.reads.get_status("i", Any).instance_id == "i"
    hub.put_row("History", {"PartitionKey": "i", "RowKey": "sentinel", "ExecutionId": "e1", **others})
    assert hub.reads.get_history("i")["history"] == []


@pytest.mark.conforms("S2.1-2")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    instance_id=st.text(
        st.sampled_from("ab^/\\#?'\"%+ &@\t\x7f\x9f\u00e9\u4e2d\ud7ff\ue000\uffff\U0001f600"), min_size=1, max_size=8
    ).filter(lambda text: not text.startswith("@"))
)
def test_an_instance_is_found_by_its_id_and_by_every_beginning_of_it(hub: Hub, instance_id: str) -> None:
    hub.put(instance_id, CustomStatus=json.dumps(instance_id))

    assert hub.reads.get_status(instance_id, str).custom_status == instance_id
    for length in range(1, len(instance_id) + 1):
        found = hub.reads.list_statuses(str, instance_id_prefix=instance_id[:length])
        assert instance_id in {status.instance_id for status in found}
        assert all(status.instance_id.startswith(instance_id[:length]) for status in found)


@pytest.mark.conforms("S5-3")
def test_an_empty_page_with_a_token_is_not_the_end() -> None:
    row = {"PartitionKey": "i", "RowKey": "", "Name": "Order", "ExecutionId": "e", "RuntimeStatus": "Running"}
    row |= {"CreatedTime": _TIME, "LastUpdatedTime": _TIME}
    pages = {None: Page([], "1"), "1": Page([row], "2"), "2": Page([], None)}
    asked: list[GetPage] = []

    def perform(step: GetPage) -> Page:
        asked.append(step)
        return pages[step.token]

    found = stream(list_statuses(HubNames("Hub"), Any, Filters(), None, Shown()), perform)

    assert [status.instance_id for status in found] == ["i"]
    assert [step.token for step in asked] == [None, "1", "2"]
    assert {"Input", "Output"}.isdisjoint(asked[0].columns)
    assert asked[0].filter == "(PartitionKey lt '@' or PartitionKey ge 'A')"


def _event(execution_id: str, number: int = 0) -> dict[str, Any]:
    return {
        "PartitionKey": "i",
        "RowKey": f"{number:016X}",
        "ExecutionId": execution_id,
        "EventType": "OrchestratorStarted",
        "EventId": -1,
        "IsPlayed": False,
        "_Timestamp": _TIME,
    }


def test_a_generation_that_begins_between_two_pages_is_read_again() -> None:
    sentinel = {"PartitionKey": "i", "RowKey": "sentinel", "ExecutionId": "new"}
    torn = {None: Page([_event("old")], "1"), "1": Page([sentinel], None)}
    whole = {None: Page([_event("new")], "1"), "1": Page([sentinel], None)}

    def read(*answers: dict[str | None, Page]) -> tuple[int, int]:
        asked: list[GetPage] = []

        def perform(step: GetPage) -> Page:
            asked.append(step)
            return answers[(len(asked) - 1) // 2][step.token]

        return len(run(get_history(HubNames("Hub"), "i"), perform)["history"]), len(asked)

    assert read(torn, whole) == (1, 4)
    with pytest.raises(HostError, match="try again"):
        read(torn, torn, torn)


@pytest.mark.conforms("S5-5")
def test_a_history_longer_than_a_page_is_read_whole(hub: Hub) -> None:
    hub.put("i")
    rows = [_event("e1", number) | {"_Timestamp": _time(_TIME)} for number in range(1_100)]
    with TableClient.from_connection_string(hub.connection_string, f"{hub.name}History") as client:
        for start in range(0, len(rows), 100):
            client.submit_transaction([("upsert", row) for row in rows[start : start + 100]])

    assert len(hub.reads.get_history("i")["history"]) == 1_100


def test_a_watcher_sees_each_change_until_the_end(task_hub: FreshTaskHub) -> None:
    hub = Hub("sync", task_hub)
    hub.put("i", CustomStatus='"packing"')

    with TaskHubReader.from_connection_string(hub.connection_string, hub.name, pace=QUICK) as reader:
        seen = []
        for status in reader.watch("i", str):
            seen.append((status.runtime_status.value, status.custom_status, status.output))
            if status.custom_status == "packing":
                hub.put("i", CustomStatus='"sent"')
            else:
                hub.put("i", RuntimeStatus="Completed", CustomStatus='"sent"', Output="7")

    assert seen == [("Running", "packing", None), ("Running", "sent", None), ("Completed", "sent", 7)]


def test_waiting_ends_with_the_instance_or_with_the_time(hub: Hub) -> None:
    hub.put("done", RuntimeStatus="Completed", Output="7")
    hub.put("broken", RuntimeStatus="Failed", Output="bad luck")
    hub.put("live")

    assert hub.reads.wait_for_completion("done", Any, 5).output_as(int) == 7
    with pytest.raises(InstanceFailedError) as failed:
        hub.reads.wait_for_completion("broken", Any, 5)
    assert failed.value.status.output == "bad luck"
    with pytest.raises(InstanceEndedError):
        hub.reads.wait_for_status("done", Any, lambda status: status.output == 8, 5)
    with pytest.raises(WaitTimeoutError) as late:
        hub.reads.wait_for_completion("live", Any, 0.0)
    assert late.value.last_status.runtime_status is RuntimeStatus.RUNNING


def test_reading_makes_and_changes_nothing(hub: Hub) -> None:
    before = hub.everything()
    missing = HubReads("sync", hub.connection_string, "NoSuchHub")

    for read in (
        lambda: missing.get_status("i", Any),
        lambda: missing.list_statuses(Any),
        lambda: missing.get_history("i"),
        lambda: missing.watch("i", Any),
    ):
        with pytest.raises(HostError, match="has no task hub 'NoSuchHub': there is no table NoSuchHub") as raised:
            read()
        assert raised.value.status_code == 404
    with pytest.raises(InstanceNotFoundError):
        hub.reads.get_status("i", Any)
    assert hub.everything() == before


def test_a_wrong_key_and_an_account_out_of_reach_are_one_line_without_the_key(task_hub: FreshTaskHub) -> None:
    key = task_hub.connection_string.partition("AccountKey=")[2].partition(";")[0]
    wrong = task_hub.connection_string.replace(key, "Zm9yZ2VkIGtleQ==")
    unknown = task_hub.connection_string.replace("devstoreaccount1", "nosuchaccount")
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"TableEndpoint=http://127.0.0.1:{server.getsockname()[1]}/devstoreaccount1"
    nowhere = re.sub(r"TableEndpoint=[^;]*", closed, task_hub.connection_string)

    for kind, connection_string, verb, message in (
        ("sync", wrong, "get_status", "does not let this reader in"),
        ("sync", unknown, "get_status", "has no task hub"),
        ("async", wrong, "watch", "does not let this reader in"),
        ("sync", nowhere, "watch", r"did not answer: \[.*refused"),
        ("async", nowhere, "get_status", "did not answer"),
    ):
        with pytest.raises(HostError, match=message) as raised:
            getattr(HubReads(kind, connection_string, task_hub.name), verb)("i", Any)
        assert key not in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_signature_that_may_only_read_is_enough(hub: Hub, azurite: Azurite) -> None:
    parts = dict(part.split("=", 1) for part in azurite.connection_string.split(";"))
    token = generate_account_sas(
        parts["AccountName"],
        parts["AccountKey"],
        resource_types="sco",
        permission="r",
        expiry=datetime.now(UTC) + timedelta(hours=1),
        services="bt",
    )
    endpoints = [f"{name}={value}" for name, value in parts.items() if name.endswith("Endpoint")]
    hub.put("i", RuntimeStatus="Completed", Output=hub.put_blob("i/o-Result.json.gz", gzip.compress(b'"large"')))

    with TaskHubReader.from_connection_string(
        ";".join([*endpoints, f"SharedAccessSignature={token}"]), hub.name
    ) as reader:
        assert reader.get_status("i", Any).output == "large"
        assert [status.instance_id for status in reader.list_statuses(Any)] == ["i"]
        assert "sig=" not in repr(reader)


@pytest.mark.parametrize("reader", [TaskHubReader, AsyncTaskHubReader])
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda reader: reader.from_connection_string("AccountKey=secret", "Hub"),
            "has neither AccountName",
        ),
        (lambda reader: reader.from_connection_string("", "Hub"), "connection_string is missing or empty"),
        (lambda reader: reader.from_connection_string("UseDevelopmentStorage=true", "a-b"), "'a-b' cannot be the name"),
        (lambda reader: reader.from_settings("Hub", {}), "the setting AzureWebJobsStorage is missing or empty"),
        (lambda reader: reader.from_settings("Hub", {}, connection="Other"), "the setting Other is missing or empty"),
    ],
)
def test_what_opens_no_account_is_refused(reader: Any, make: Callable[[Any], Any], message: str) -> None:
    with pytest.raises(RefusedError, match=message) as raised:
        make(reader)

    assert "secret" not in str(raised.value)


def test_a_reader_is_made_by_the_settings_of_an_app_or_by_addresses(task_hub: FreshTaskHub) -> None:
    hub = Hub("sync", task_hub)
    hub.put("i")
    parts = dict(part.split("=", 1) for part in hub.connection_string.split(";"))
    urls = {"table_url": parts["TableEndpoint"], "blob_url": parts["BlobEndpoint"]}
    credential = AzureNamedKeyCredential(parts["AccountName"], parts["AccountKey"])

    with TaskHubReader.from_settings(hub.name, task_hub.settings) as reader:
        assert reader.get_status("i", Any).instance_id == "i"
    with TaskHubReader(hub.name, **urls, credential=credential, timeout=10) as reader:
        assert reader.get_status("i", Any).instance_id == "i"
    with TaskHubReader.from_settings("Hub", {"AzureWebJobsStorage__accountName": "orders"}) as reader:
        assert repr(reader) == "TaskHubReader('Hub', table_url='https://orders.table.core.windows.net')"


def test_an_offloaded_status_is_read_from_its_blob_and_one_that_is_gone_ends_no_list(hub: Hub) -> None:
    text = json.dumps({"packed": ["lamp"] * 2_000})
    offloaded = Offloaded.of(text, datetime(2026, 1, 2, tzinfo=UTC))
    for instance_id in ("a", "b"):
        hub.put(instance_id, CustomStatus=json.dumps(offloaded.to_json()))
    hub.put("c")
    hub.put_blob(f"a/{offloaded.reference}", gzip.compress(text.encode()))

    statuses = hub.reads.list_statuses(dict[str, list[str]])

    assert [status.instance_id for status in statuses] == ["a", "b", "c"]
    assert statuses[0].custom_status == {"packed": ["lamp"] * 2_000}
    with pytest.raises(PayloadMissingError, match="there is no blob b/status-"):
        _ = statuses[1].custom_status
    full = hub.reads.wait_for_status("a", dict[str, list[str]], lambda status: bool(status.custom_status), 5)
    assert full.custom_status == hub.reads.get_status("a", Any).custom_status


def test_no_name_leads_out_of_the_container(hub: Hub) -> None:
    secret = f"{hub.name.lower()}-leases"
    with ContainerClient.from_connection_string(hub.connection_string, secret) as container:
        container.upload_blob("secret.json.gz", gzip.compress(b'"secret"'))
        account = container.url.removesuffix(secret)
    ways = [f"a/{up}/{secret}/secret.json.gz" for up in ("../..", "%2e%2e/%2E.", "..\\..")]
    for number, way in enumerate(ways):
        hub.put(f"t{number}", RuntimeStatus="Terminated", Output=f"{account}{hub.name.lower()}-largemessages/{way}")
    hub.put("u", RuntimeStatus="Pending", Input="", InputBlobName=ways[0])

    statuses = hub.reads.list_statuses(Any, show_output=True, show_input=True)

    assert "secret" not in [value for status in statuses for value in (status.output, status.input)]


@pytest.mark.parametrize("instance_id", ["a b", "a%2Fb", "\u00e9+&=", "o'clock", "x^y"])
def test_a_blob_of_an_odd_id_is_found(task_hub: FreshTaskHub, instance_id: str) -> None:
    hub = Hub("sync", task_hub)
    name = property_blob_name(escape_key(instance_id), history_row_key(6), "ExecutionCompleted", "Result", "00000000")
    hub.put(instance_id, RuntimeStatus="Completed", Output=hub.put_blob(name, gzip.compress(b'"found"')))

    assert hub.reads.get_status(instance_id, Any).output == "found"


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"credential": "managedidentity"},
        {"credential": "managedidentity", "clientId": "4f1d"},
        {"tenantId": "9c5b", "clientId": "4f1d", "clientSecret": "secret"},
    ],
)
def test_an_identity_is_opened_and_closed_again(settings: dict[str, str]) -> None:
    members = {f"Orders__{name}": value for name, value in ({"accountName": "orders"} | settings).items()}

    async def main() -> str:
        async with AsyncTaskHubReader.from_settings("Hub", members, connection="Orders") as reader:
            return repr(reader)

    with TaskHubReader.from_settings("Hub", members, connection="Orders") as reader:
        assert repr(reader) == "TaskHubReader('Hub', table_url='https://orders.table.core.windows.net')"
    assert asyncio.run(main()) == "AsyncTaskHubReader('Hub', table_url='https://orders.table.core.windows.net')"
