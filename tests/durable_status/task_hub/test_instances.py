"""Rows of the Instances table against the recorded ones, and the whole way of a row from its start to its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from durable_status.instance_status import RuntimeStatus
from durable_status.task_hub.history import Execution, StoredRow, current_rows, event_row
from durable_status.task_hub.instances import (
    StoredInstance,
    episode_columns,
    instance_row,
    pending_row,
    read_instance,
)
from durable_status.task_hub.large_values import InBlob
from durable_status.task_hub.names import HubNames
from durable_status.task_hub.tables import Row, row_json
from tests.durable_status.task_hub.recorded_hub import CONTAINER_URL, HUB, NAMES, as_put, history, instances, messages

_CONTAINER = HUB.large_messages_container
_TIME = "2026-11-22T11:30:46.1069824Z"
_EXECUTION = Execution(instance_id="i", execution_id="e1")
_STARTED_BY_CLIENT = StoredInstance(
    instance_id="an/id",
    execution_id="e1",
    name="Order",
    input='"book"',
    runtime_status=RuntimeStatus.PENDING,
    created_time="2026-11-22T11:30:46.1Z",
    last_updated_time="2026-11-22T11:30:47Z",
    task_hub_name="StorageHub",
    generation=0,
)


@pytest.mark.conforms("S2.1-1", "S2.2-1", "S2.2-2", "S2.5-1", "S2.6-2")
@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_row_becomes_an_instance_and_the_same_row_again(name: str) -> None:
    for members, row in instances(name):
        again = row_json(instance_row(read_instance(row, _CONTAINER), CONTAINER_URL))
        recorded = as_put(members)
        recorded.pop("InputBlobName", None)  # what the first episode left behind of the Pending row
        assert again == recorded


@pytest.mark.conforms(
    "S2.3-1", "S2.3-3", "S2.3-4", "S2.3-5", "S2.3-6", "S2.3-7", "S2.3-9", "S2.4-1", "S2.5-1", "S2.6-2"
)
@pytest.mark.parametrize("name", NAMES)
def test_the_start_and_the_episodes_of_a_recording_end_in_the_recorded_row(name: str) -> None:
    for _, recorded in instances(name):
        row = _pending(name, recorded)
        own = [found for _, found in history(name) if found["PartitionKey"] == recorded["PartitionKey"]]
        for episode in _episodes(current_rows(own)):
            row |= episode_columns(
                episode,
                Execution(instance_id=str(recorded["PartitionKey"]), execution_id=str(recorded["ExecutionId"])),
                custom_status=str(recorded["CustomStatus"]),
                completed_time=str(recorded.get("CompletedTime", _TIME)),
                container_url=CONTAINER_URL,
            )
        assert row == recorded


def _pending(name: str, recorded: Row) -> Row:
    """The row as a client made it; none for children and entities."""
    if "Generation" not in recorded:
        return {}
    start = messages(name)[0]["body"]
    started = start["TaskMessage"]["Event"] if start["TaskMessage"] else None
    instance = read_instance(recorded, _CONTAINER)
    pending = replace(
        instance,
        runtime_status=RuntimeStatus.PENDING,
        input=started["Input"] if started else InBlob(start["CompressedBlobName"]),
        custom_status=None,
        output=None,
        completed_time=None,
        last_updated_time=instance.created_time,
    )
    suffix = str(recorded.get("InputBlobName", "")).rpartition("-")[0].rpartition("-")[2]
    row = pending_row(pending, CONTAINER_URL, suffix=suffix).row
    assert not {"CustomStatus", "Output", "CompletedTime"} & set(row)
    return row


def _episodes(rows: list[Row]) -> list[list[Row]]:
    episodes: list[list[Row]] = [[]]
    for row in rows:
        episodes[-1].append(row)
        if row["EventType"] == "OrchestratorCompleted":
            episodes.append([])
    return [episode for episode in episodes if episode]


@pytest.mark.conforms("S2.3-1", "S2.3-2")
def test_a_start_writes_the_whole_row_without_a_custom_status() -> None:
    stored = pending_row(_STARTED_BY_CLIENT, CONTAINER_URL, suffix="")

    assert stored == StoredRow(
        {
            "PartitionKey": "an^0id",
            "RowKey": "",
            "Input": '"book"',
            "CreatedTime": "2026-11-22T11:30:46.1000000Z",
            "Name": "Order",
            "Version": "",
            "RuntimeStatus": "Pending",
            "LastUpdatedTime": "2026-11-22T11:30:47.0000000Z",
            "TaskHubName": "StorageHub",
            "ExecutionId": "e1",
            "Generation": 0,
            "Tags": "null",
        },
        {},
    )


@pytest.mark.conforms("S2.2-2")
def test_tags_and_a_scheduled_start_have_columns() -> None:
    instance = replace(
        _STARTED_BY_CLIENT, tags={"team": "shop"}, scheduled_start_time="2026-11-22T12:00:00Z", input=None
    )
    row = instance_row(instance, CONTAINER_URL)

    assert row["Tags"] == '{"team":"shop"}'
    assert row["ScheduledStartTime"] == "2026-11-22T12:00:00.0000000Z"
    assert "Input" not in row
    assert read_instance(row, _CONTAINER) == replace(
        instance,
        scheduled_start_time="2026-11-22T12:00:00.0000000Z",
        created_time="2026-11-22T11:30:46.1000000Z",
        last_updated_time="2026-11-22T11:30:47.0000000Z",
    )


@pytest.mark.conforms("S2.6-1", "S2.6-4")
def test_a_large_input_of_a_pending_row_is_in_a_blob_of_its_own() -> None:
    inline = pending_row(replace(_STARTED_BY_CLIENT, input="x" * 30_720), CONTAINER_URL, suffix="07f4cca9")
    stored = pending_row(replace(_STARTED_BY_CLIENT, input="x" * 30_721), CONTAINER_URL, suffix="07f4cca9")
    name = "an^0id/history--Input-07F4CCA9-Input.json.gz"

    assert (inline.row["Input"], inline.blobs) == ("x" * 30_720, {})
    assert (stored.row["Input"], stored.row["InputBlobName"], stored.blobs) == ("", name, {name: "x" * 30_721})
    assert read_instance(stored.row, _CONTAINER).input == InBlob(name)


@pytest.mark.conforms("S2.6-3")
def test_the_input_of_a_large_start_message_is_in_the_message() -> None:
    blob = InBlob("an/id/message-00ff-ExecutionStarted.json.gz")
    stored = pending_row(replace(_STARTED_BY_CLIENT, input=blob), CONTAINER_URL, suffix="")

    assert stored.row["Input"] == f"{CONTAINER_URL}/an/id/message-00ff-ExecutionStarted.json.gz"
    assert read_instance(stored.row, _CONTAINER).input == blob
    assert blob.is_message


@pytest.mark.conforms("S2.6-5")
@pytest.mark.parametrize(
    "reason",
    [
        "http://example.com/x",
        "https://example.com/other-container/i/history-1-TaskCompleted-0-Result.json.gz",
        "http://[broken/storagehub-largemessages/i/x.json.gz",
        "see storagehub-largemessages/i/x.json.gz",
    ],
)
def test_a_reason_that_is_an_address_is_a_reason(reason: str) -> None:
    row = instance_row(replace(_STARTED_BY_CLIENT, output=reason), CONTAINER_URL)

    assert read_instance(row, _CONTAINER).output == reason


@pytest.mark.conforms("S2.3-4", "S2.3-8", "S2.5-1")
def test_an_ordinary_episode_leaves_the_runtime_status_alone_and_rewrites_the_custom_status() -> None:
    rows: list[Row] = [
        {"EventType": "EventRaised", "_Timestamp": "t1", "Input": "1", "Name": "go"},
        {"EventType": "OrchestratorCompleted", "_Timestamp": "t2"},
    ]
    columns = episode_columns(rows, _EXECUTION, custom_status=None, completed_time=_TIME, container_url=CONTAINER_URL)

    assert columns == {
        "PartitionKey": "i",
        "RowKey": "",
        "CustomStatus": "null",
        "ExecutionId": "e1",
        "LastUpdatedTime": "t2",
    }


@pytest.mark.conforms("S2.3-7", "S2.3-9")
@pytest.mark.parametrize(
    ("kind", "column", "status", "has_ended"),
    [
        ("ExecutionTerminated", "Input", "Terminated", True),
        ("ExecutionSuspended", "Reason", "Suspended", False),
        ("ExecutionResumed", "Reason", "Running", False),
    ],
)
def test_control_shows_its_reason_as_the_output(kind: str, column: str, status: str, has_ended: bool) -> None:
    rows: list[Row] = [{"EventType": kind, "_Timestamp": _TIME, column: "because"}]
    columns = episode_columns(rows, _EXECUTION, custom_status=None, completed_time=_TIME, container_url=CONTAINER_URL)

    assert (columns["RuntimeStatus"], columns["Output"]) == (status, "because")
    assert ("CompletedTime" in columns) is has_ended


@pytest.mark.conforms("S2.3-6", "S2.6-2")
def test_a_large_output_is_shown_as_the_address_of_the_history_blob() -> None:
    completed = {"EventType": 1, "EventId": 1, "IsPlayed": False, "Timestamp": _TIME, "OrchestrationStatus": 1}
    stored = event_row(completed | {"Result": "r" * 40_000}, _EXECUTION, 6, suffix="69D743D3")
    columns = episode_columns(
        [stored.row], _EXECUTION, custom_status='"done"', completed_time=_TIME, container_url=CONTAINER_URL
    )

    (name,) = stored.blobs
    assert columns["Output"] == f"{CONTAINER_URL}/{name}"
    assert columns["RuntimeStatus"] == "Completed"
    assert read_instance(_STARTED | columns, _CONTAINER).output == InBlob(name)


_STARTED = instance_row(_STARTED_BY_CLIENT, CONTAINER_URL)


@pytest.mark.conforms("S2.5-2")
@pytest.mark.parametrize(("stored", "read"), [("null", None), (None, None), ('{"a": 1}', '{"a": 1}'), ('""', '""')])
def test_no_custom_status_and_a_status_of_null_read_alike(stored: str | None, read: str | None) -> None:
    row = _STARTED if stored is None else _STARTED | {"CustomStatus": stored}

    assert read_instance(row, _CONTAINER).custom_status == read


@pytest.mark.conforms("S2.5-3")
def test_a_custom_status_is_never_in_a_blob() -> None:
    status = f'"{"x" * 31_000}"'
    columns = episode_columns(
        [_STARTED | {"EventType": "OrchestratorCompleted", "_Timestamp": _TIME}],
        _EXECUTION,
        custom_status=status,
        completed_time=_TIME,
        container_url=CONTAINER_URL,
    )

    assert columns["CustomStatus"] == status
    assert read_instance(_STARTED | columns, _CONTAINER).custom_status == status


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"RuntimeStatus": "Odd"}, "has the runtime status 'Odd', which this version does not know"),
        ({"Name": None}, "the Instances row 'an^0id' has no Name: this is no row of a task hub"),
        ({"ExecutionId": None}, "has no ExecutionId"),
        ({"Tags": "{"}, "Expecting property name"),
    ],
)
def test_a_row_that_is_no_instance_says_why(change: dict[str, Any], told: str) -> None:
    row = {name: value for name, value in (_STARTED | change).items() if value is not None}

    with pytest.raises(ValueError, match=told.replace("^", r"\^")):
        read_instance(row, _CONTAINER)


def test_another_hubs_blobs_are_not_this_hubs() -> None:
    row = instance_row(replace(_STARTED_BY_CLIENT, output=InBlob("i/a.json.gz")), CONTAINER_URL)
    other = HubNames("OtherHub").large_messages_container

    assert read_instance(row, other).output == row["Output"]
