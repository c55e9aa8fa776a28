"""`azure_storage.hub`: hubs that are made, opened and refused, on Azurite."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.storage.blob import AccountSasPermissions, ResourceTypes, generate_account_sas
from azure.storage.blob import Services as SasServices

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.endpoint import Endpoint
from durable_status.local_host.storage.azure_storage.hub import open_hub
from durable_status.local_host.storage.azure_storage.refusals import Answer
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.task_hub.connection import AccountKey, read_connection
from durable_status.task_hub.names import HubNames
from durable_status.task_hub.ownership import CONFIG_BLOB
from durable_status.testing.azurite import Azurite
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.clock import ManualClock
from tests.durable_status.local_host.azure_storage.accounts import run, with_member
from tests.durable_status.local_host.azure_storage.hubs import content, open_now, put_blob, put_row
from tests.durable_status.task_hub.recorded_hub import STORAGE

_RECORDED = json.loads((STORAGE / "hub.json").read_text())
_FAR = datetime(2100, 1, 1, tzinfo=UTC)
_EMPTY: dict[str, Any] = {"containers": {}, "queues": [], "tables": []}
_WRITES = ("PUT", "POST", "PATCH", "DELETE", "MERGE")

_Change = Callable[[str, HubNames], None]


def _open(connection_string: str, hub: str, partition_count: int | None = 2) -> None:
    async def story(services: Services) -> None:
        await open_now(services, hub, partition_count=partition_count)

    run(connection_string, story)


def _refusal(connection_string: str, hub: str) -> str:
    """Why the hub is not opened, which has to be one line."""
    with pytest.raises(StorageError) as refusal:
        _open(connection_string, hub)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def _of_recording(hub: str) -> dict[str, Any]:
    """What the recorded hub had, under another name, before a host owned it."""
    text = json.dumps(_RECORDED).replace("StorageHub", hub).replace("storagehub", hub.lower())
    found: dict[str, Any] = json.loads(text.replace('\\"Epoch\\":1', '\\"Epoch\\":0'))
    del found["what"]
    containers = found["containers"]
    app_lease = HubNames(hub).app_lease_container
    del containers[HubNames(hub).large_messages_container]  # made when it is needed
    containers[app_lease] = {
        "(container lease)": "available",
        HubNames(hub).app_lease_blob: {"text": "{}", "lease": "available"},
    }
    config = json.loads(containers[HubNames(hub).leases_container][CONFIG_BLOB]["text"])
    config["CreatedAt"] = "2026-11-22T11:30:00.0000001Z"
    containers[HubNames(hub).leases_container][CONFIG_BLOB]["text"] = json.dumps(config, separators=(",", ":"))
    return found


@pytest.mark.conforms("S1-13")
def test_a_new_hub_has_what_the_extension_leaves_and_no_more(task_hub: FreshTaskHub) -> None:
    _open(task_hub.connection_string, task_hub.name, None)

    made = content(task_hub.connection_string, task_hub.name)
    config = made["containers"][HubNames(task_hub.name).leases_container][CONFIG_BLOB]
    config["text"] = config["text"].replace(json.loads(config["text"])["CreatedAt"], "2026-11-22T11:30:00.0000001Z")
    assert made == _of_recording(task_hub.name)


def test_an_open_hub_is_opened_again_as_it_is(task_hub: FreshTaskHub) -> None:
    _open(task_hub.connection_string, task_hub.name)
    made = content(task_hub.connection_string, task_hub.name)
    _open(task_hub.connection_string, task_hub.name)

    assert content(task_hub.connection_string, task_hub.name) == made


@pytest.mark.conforms("S1-14")
def test_an_existing_hub_keeps_its_partitions_and_says_so(
    task_hub: FreshTaskHub, caplog: pytest.LogCaptureFixture
) -> None:
    _open(task_hub.connection_string, task_hub.name, 3)
    made = content(task_hub.connection_string, task_hub.name)

    async def story(services: Services) -> None:
        for count, warnings in ((8, 1), (3, 0), (None, 0)):
            caplog.clear()
            config = await open_now(services, task_hub.name, partition_count=count)
            assert config.partition_count == 3
            assert len(caplog.messages) == warnings

        assert "was made with 3 partitions and keeps them; the 8 in host.json" in await _warned(services)

    async def _warned(services: Services) -> str:
        await open_now(services, task_hub.name, partition_count=8)
        return caplog.text

    run(task_hub.connection_string, story)
    assert content(task_hub.connection_string, task_hub.name) == made


def test_a_hub_is_found_under_another_spelling_of_its_name(task_hub: FreshTaskHub) -> None:
    _open(task_hub.connection_string, task_hub.name)

    async def story(services: Services) -> None:
        config = await open_now(services, task_hub.name.upper(), partition_count=None)
        assert (config.hub, config.partition_count) == (task_hub.name, 2)

    run(task_hub.connection_string, story)


class _Killed(Exception):
    """The host ends in the middle of making a hub."""


def _watch(monkeypatch: pytest.MonkeyPatch, hub: str, stop_after: int | None = None) -> list[str]:
    """Note the requests that make something of the hub, and end the host instead of one of them."""
    made: list[str] = []
    send = Endpoint.send

    async def noted(endpoint: Endpoint, method: str, path: str, **rest: Any) -> Answer:
        target = str(rest["body"], "utf-8") if path == "/Tables" and "body" in rest else path
        if method in _WRITES and hub.lower() in target.lower() and "nowhere" not in target:
            if len(made) == stop_after:
                raise _Killed
            made.append(target)
        return await send(endpoint, method, path, **rest)

    monkeypatch.setattr(Endpoint, "send", noted)
    return made


@pytest.mark.conforms("S1-13")
def test_a_hub_is_made_in_the_platforms_order(task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch) -> None:
    names = HubNames(task_hub.name)
    made = _watch(monkeypatch, task_hub.name)
    _open(task_hub.connection_string, task_hub.name)

    assert made[:4] == [
        f"/{names.app_lease_container}",
        f"/{names.app_lease_container}/{names.app_lease_blob}",
        f"/{names.leases_container}",
        f"/{names.leases_container}/{CONFIG_BLOB}",
    ]
    assert [table in text for table, text in zip(("Instances", "History"), made[4:6], strict=True)] == [True, True]
    assert sorted(made[6:]) == sorted(
        [f"/{names.work_item_queue}", *(f"/{queue}" for queue in names.control_queues(2))]
        + [
            f"/{names.leases_container}/{kind}/{queue}"
            for kind in ("intent", "ownership")
            for queue in names.control_queues(2)
        ]
    )


def test_a_hub_whose_making_was_cut_short_is_completed(azurite: Azurite) -> None:
    for stop_after in range(13):
        hub = FreshTaskHub(azurite.connection_string)
        with pytest.MonkeyPatch.context() as patched:
            _watch(patched, hub.name, stop_after)
            with pytest.raises(_Killed):
                _open(hub.connection_string, hub.name, None)
        _open(hub.connection_string, hub.name, None)

        made = content(hub.connection_string, hub.name)
        expected = _of_recording(hub.name)
        del made["containers"][HubNames(hub.name).leases_container][CONFIG_BLOB]
        del expected["containers"][HubNames(hub.name).leases_container][CONFIG_BLOB]
        assert made == expected
        hub.delete()


def _row(hub: HubNames, **columns: Any) -> dict[str, Any]:
    return {"PartitionKey": "", "RowKey": hub.control_queue(0), "IsDraining": False, **columns}


def _claimed(hub: HubNames, expires_at: datetime) -> dict[str, Any]:
    return _row(hub, CurrentOwner="elsewhere", ExpiresAt=expires_at)


@pytest.mark.conforms("S1-15")
def test_nothing_is_made_beside_a_host_of_extension_3(task_hub: FreshTaskHub) -> None:
    names = HubNames(task_hub.name)
    put_row(task_hub.connection_string, names.partitions_table, _claimed(names, _FAR))

    refusal = _refusal(task_hub.connection_string, task_hub.name)
    assert refusal.startswith(
        f"a Functions host of extension 3.x on elsewhere runs the task hub '{task_hub.name}'; stop"
    )
    assert content(task_hub.connection_string, task_hub.name) == {**_EMPTY, "tables": [names.partitions_table]}


@pytest.mark.conforms("S1-15")
def test_a_hub_of_extension_3_that_nobody_runs_keeps_its_partitions(task_hub: FreshTaskHub) -> None:
    names = HubNames(task_hub.name)
    for number in range(5):
        row = _claimed(names, datetime(2026, 11, 22, 11, 29, 59, tzinfo=UTC))
        put_row(task_hub.connection_string, names.partitions_table, row | {"RowKey": names.control_queue(number)})

    async def story(services: Services) -> None:
        assert (await open_now(services, task_hub.name, partition_count=2)).partition_count == 5

    run(task_hub.connection_string, story)
    assert names.control_queue(4) in content(task_hub.connection_string, task_hub.name)["queues"]


def test_a_hub_is_opened_as_soon_as_the_host_of_extension_3_is_gone(
    task_hub: FreshTaskHub, caplog: pytest.LogCaptureFixture
) -> None:
    names, clock = HubNames(task_hub.name), ManualClock()
    put_row(
        task_hub.connection_string,
        names.partitions_table,
        _claimed(names, datetime(2026, 11, 22, 11, 30, 3, tzinfo=UTC)),
    )

    async def story(services: Services) -> None:
        waited = iter(range(100))
        wait_until = clock.wait_until

        async def advancing(moment: Any) -> None:
            next(waited)
            clock.advance(1)
            await wait_until(moment)

        clock.wait_until = advancing  # type: ignore[method-assign]
        await open_hub(services, names, partition_count=1, clock=clock, wait=True)
        assert next(waited) == 3

    run(task_hub.connection_string, story)
    assert caplog.text.count("waiting until it is gone") == 1


def _config_of(**changes: Any) -> _Change:
    def change(connection_string: str, names: HubNames) -> None:
        members = {"TaskHubName": names.hub, "CreatedAt": "2026-11-22T11:30:00Z", "PartitionCount": 2}
        put_blob(connection_string, names.leases_container, CONFIG_BLOB, json.dumps(members | changes))

    return change


def _blob(name: str, text: str) -> _Change:
    return lambda connection_string, names: put_blob(
        connection_string, names.leases_container, name, text.replace("QUEUE", names.control_queue(0))
    )


def _in_table(table: Callable[[HubNames], str], **columns: Any) -> _Change:
    row = {"PartitionKey": "a", "RowKey": ""} | columns
    return lambda connection_string, names: put_row(connection_string, table(names), row)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (_config_of(Version=2), "the member Version in taskhub.json"),
        (_config_of(PartitionCount="2"), "taskhub.json has no PartitionCount, or not as a task hub writes it"),
        (_config_of(PartitionCount=17), "a task hub has 1 to 16 partitions, not 17"),
        (_config_of(TaskHubName="Another"), "taskhub.json is of another hub, 'Another'"),
        (_config_of(CreatedAt="yesterday"), "not a UTC time"),
        (_blob(CONFIG_BLOB, "<hub/>"), "taskhub.json is no JSON"),
        (_blob("shards/0", "{}"), "the blob shards/0 in "),
        (
            _blob("intent/q", '{"PartitionId":"q","Owner":null,"Token":null,"Epoch":1,"Zone":1}'),
            "the member Zone in intent/q",
        ),
        (_blob("ownership/q", "[]"), "a lease of a partition has no PartitionId"),
        (_in_table(lambda names: names.partitions_table, Shard="1"), "the column Shard in "),
        (
            _in_table(lambda names: names.instances_table, ExecutionId="1", Name="n", RuntimeStatus="Paused"),
            "Paused",
        ),
        (_in_table(lambda names: names.history_table, EventId="one"), "the column EventId holds a 32-bit number"),
    ],
)
def test_a_hub_that_is_not_understood_is_left_as_it_was(
    task_hub: FreshTaskHub, change: _Change, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    names = HubNames(task_hub.name)
    change(task_hub.connection_string, names)
    before = content(task_hub.connection_string, task_hub.name)

    refusal = _refusal(task_hub.connection_string, task_hub.name)
    assert refusal.startswith(f"the task hub '{task_hub.name}' holds what this version does not know: ")
    assert what in refusal
    assert "update durable-status, else choose another hub name" in refusal
    assert content(task_hub.connection_string, task_hub.name) == before
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["", "ab", "1ab", "a-b", "a_b", "aé", "a" * 51, "a/b", "a'b"])
def test_a_name_that_no_hub_can_have_is_refused_before_anything_is_asked(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a task hub; use ASCII letters and digits only"):
        HubNames(name)


def _limited(connection_string: str, services: str = "bqt", permission: str = "rwdlacup") -> str:
    """A connection string with a shared access signature."""
    credential = read_connection("X", {"X": connection_string}).credential
    assert isinstance(credential, AccountKey)
    signature = generate_account_sas(
        credential.name,
        credential.key,
        ResourceTypes.from_string("sco"),
        AccountSasPermissions.from_string(permission),
        datetime.now(UTC) + timedelta(hours=1),
        services=SasServices.from_string(services),
    )
    endpoints = [part for part in connection_string.split(";") if "Endpoint=" in part]
    return ";".join([*endpoints, f"SharedAccessSignature={signature}"])


def test_a_signature_for_everything_is_enough(task_hub: FreshTaskHub) -> None:
    _open(_limited(task_hub.connection_string), task_hub.name)

    assert content(task_hub.connection_string, task_hub.name)["queues"] != []


@pytest.mark.parametrize(
    ("services", "permission", "service"),
    [
        ("bqt", "rl", "table"),
        ("bqt", "rlp", "table"),
        ("qt", "rwdlacup", "blob"),
        ("bt", "rwdlacup", "queue"),
        ("bq", "rwdlacup", "table"),
    ],
)
def test_without_permission_nothing_is_made(
    task_hub: FreshTaskHub, services: str, permission: str, service: str
) -> None:
    refusal = _refusal(_limited(task_hub.connection_string, services, permission), task_hub.name)

    assert "the shared access signature in AzureWebJobsStorage does not allow a request to the " + service in refusal
    assert "; make one for blobs, queues and tables" in refusal
    assert content(task_hub.connection_string, task_hub.name) == _EMPTY


def test_with_a_wrong_key_nothing_is_made(task_hub: FreshTaskHub) -> None:
    wrong = with_member(task_hub.connection_string, AccountKey="d3Jvbmc=")

    assert "does not accept the key of the account 'devstoreaccount1'" in _refusal(wrong, task_hub.name)
    assert content(task_hub.connection_string, task_hub.name) == _EMPTY


@pytest.mark.parametrize("service", ["Blob", "Queue", "Table"])
def test_when_a_service_cannot_be_reached_nothing_is_made(task_hub: FreshTaskHub, service: str) -> None:
    nobody = with_member(task_hub.connection_string, **{f"{service}Endpoint": "http://127.0.0.1:1/devstoreaccount1"})

    refusal = _refusal(nobody, task_hub.name)
    assert f"the {service.lower()} service at http://127.0.0.1:1/devstoreaccount1 cannot be reached" in refusal
    assert "start it, or correct the address in AzureWebJobsStorage" in refusal
    assert content(task_hub.connection_string, task_hub.name) == _EMPTY
