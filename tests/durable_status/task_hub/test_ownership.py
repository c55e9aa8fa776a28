"""Who reads which queue, against the recorded blobs of a hub after a clean stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from durable_status.task_hub.ownership import (
    APP_LEASE_UNHELD,
    CONFIG_BLOB,
    HubConfig,
    PartitionLease,
    PartitionRow,
    app_lease_id,
    app_lease_text,
    intent_blob,
    ownership_blob,
)
from durable_status.task_hub.tables import read_row, row_json
from tests.durable_status.task_hub.recorded_hub import HUB, PARTITION_COUNT, STORAGE

_CONTAINERS = json.loads((STORAGE / "hub.json").read_text())["containers"]
_LEASES: dict[str, Any] = _CONTAINERS[HUB.leases_container]


@pytest.mark.conforms("S1-8")
def test_the_recorded_configuration_is_written_as_it_was_read() -> None:
    text = _LEASES[CONFIG_BLOB]["text"]
    config = HubConfig.from_text(text)

    assert config == HubConfig(hub="StorageHub", created_at="2026-11-22T11:30:34.5439566Z", partition_count=4)
    assert config.text() == text


@pytest.mark.conforms("S1-9", "S1-10")
@pytest.mark.parametrize("blob_of", [intent_blob, ownership_blob])
def test_every_control_queue_has_two_blobs_that_a_clean_stop_clears(blob_of: Callable[[str], str]) -> None:
    assert intent_blob("q") == "intent/q"
    assert ownership_blob("q") == "ownership/q"
    for queue in HUB.control_queues(PARTITION_COUNT):
        text = _LEASES[blob_of(queue)]["text"]
        lease = PartitionLease.from_text(text)

        assert lease == PartitionLease(control_queue=queue, owner=None, token=None, epoch=1)
        assert lease.text() == text


@pytest.mark.conforms("S1-9")
def test_a_held_partition_names_its_machine_and_lease() -> None:
    lease = PartitionLease(control_queue="h-control-00", owner="pc", token="0f-1", epoch=2)

    assert lease.text() == '{"PartitionId":"h-control-00","Owner":"pc","Token":"0f-1","Epoch":2}'
    assert PartitionLease.from_text(lease.text()) == lease


@pytest.mark.conforms("S1-12")
def test_the_app_lease_is_held_under_the_hash_of_the_apps_name() -> None:
    recorded = _CONTAINERS[HUB.app_lease_container][HUB.app_lease_blob]["text"]

    assert app_lease_id("") == "811c9dc5-0000-0000-0000-000000000000"
    assert app_lease_text(app_lease_id("")) == recorded
    assert app_lease_id("abc") == "1a47e90b-0000-0000-0000-000000000000"
    assert json.loads(APP_LEASE_UNHELD) == {}


@pytest.mark.conforms("S1-11")
def test_a_row_of_the_partitions_table_begins_empty() -> None:
    row = PartitionRow(control_queue="h-control-00")

    assert row.row() == {"PartitionKey": "", "RowKey": "h-control-00", "IsDraining": False}
    assert PartitionRow.from_row(row.row()) == row


@pytest.mark.conforms("S1-11")
def test_a_claimed_row_of_the_partitions_table_is_read_as_it_was_written() -> None:
    claimed = PartitionRow(
        control_queue="h-control-00",
        current_owner="a",
        next_owner="b",
        owned_since="2026-11-22T11:30:34.0000000Z",
        last_renewal="2026-11-22T11:30:35.0000000Z",
        expires_at="2026-11-22T11:31:35.0000000Z",
        is_draining=True,
    )
    stored = row_json(claimed.row())

    assert stored["ExpiresAt@odata.type"] == "Edm.DateTime"
    assert stored["IsDraining"] is True
    assert PartitionRow.from_row(read_row(stored)) == claimed


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"TaskHubName":"H","CreatedAt":"x"}', '{"PartitionCount":"4"}'])
def test_a_configuration_that_is_none_says_what_is_missing(text: str) -> None:
    with pytest.raises(ValueError, match=r"taskhub.json (is no JSON|has no (TaskHubName|PartitionCount))"):
        HubConfig.from_text(text)


@pytest.mark.parametrize("text", ["", "null", '{"PartitionId":"q"}', '{"PartitionId":"q","Epoch":true}'])
def test_a_lease_that_is_none_says_what_is_missing(text: str) -> None:
    with pytest.raises(ValueError, match=r"a lease of a partition (is no JSON|has no (PartitionId|Epoch))"):
        PartitionLease.from_text(text)
