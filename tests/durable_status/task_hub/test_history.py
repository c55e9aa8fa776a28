"""Rows of the History table and events, both ways, against every recorded row."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from durable_status.replay.event_json import event_from_members, event_members
from durable_status.replay.events import EventType, OrchestrationStatus
from durable_status.task_hub.history import (
    MAX_BATCH_ROWS,
    Execution,
    batches,
    current_rows,
    event_row,
    instance_id_of,
    read_event_row,
    sentinel_row,
    with_texts,
)
from durable_status.task_hub.large_values import InBlob
from durable_status.task_hub.names import history_row_key, unescape_key
from durable_status.task_hub.numbers import EVENT_TYPES, ORCHESTRATION_STATUSES
from durable_status.task_hub.tables import Row, row_json
from tests.durable_status.task_hub.recorded_hub import NAMES, as_put, document, history
from tests.paths import GOLDENS

_TIME = "2026-11-22T11:30:46.1069824Z"
_EXECUTION = Execution(instance_id="an/odd?id^", execution_id="e1")
_COMMON = {"EventId": -1, "IsPlayed": False, "Timestamp": _TIME}
_STARTED = {
    "OrchestrationInstance": {"InstanceId": "i", "ExecutionId": "e1"},
    "EventType": 0,
    "ParentInstance": None,
    "Name": "Order",
    "Version": "",
    "Input": '"book"',
    "Tags": {"team": "shop"},
    "Correlation": None,
    "ParentTraceContext": {"TraceParent": "00-1", "TraceState": None},
    "ScheduledStartTime": "2026-11-22T12:00:00Z",
    "Generation": 2,
    **_COMMON,
}


def _event_rows(name: str) -> Iterator[tuple[dict[str, Any], Row]]:
    for members, row in history(name):
        if row["RowKey"] != "sentinel":
            yield members, row


def _as_recorded(row: Row) -> Row:
    """The row that we write for the event in `row`, which is taken through the event classes on the way."""
    members = read_event_row(row)
    texts = {value.blob_name: "t" * 30_721 for value in members.values() if isinstance(value, InBlob)}
    event = event_from_members(with_texts(members, texts))
    of = Execution(instance_id=unescape_key(str(row["PartitionKey"])), execution_id=str(row["ExecutionId"]))
    suffix = next(iter(texts), "").rpartition("-")[0].rpartition("-")[2]
    stored = event_row(event_members(event), of, int(str(row["RowKey"]), 16), suffix=suffix)
    assert dict(stored.blobs) == texts
    return stored.row


@pytest.mark.conforms("S3.2-1", "S3.2-2", "S3.2-5", "S3.6-1", "S3.6-2")
@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_row_becomes_an_event_and_the_same_row_again(name: str) -> None:
    for members, row in _event_rows(name):
        assert row_json(_as_recorded(row)) == as_put(members)


@pytest.mark.conforms("S3.2-1", "S3.2-2")
def test_rows_of_every_event_type_that_was_recorded_are_held() -> None:
    """The recordings of the replay have rows, too: with them every kind of event is there that the extension writes."""
    kinds: dict[str, int] = defaultdict(int)
    for path in sorted((GOLDENS / "replay").glob("*-*.json")):
        for entry in json.loads(path.read_text())["instances"]:
            for members in entry["final"]["history"]:
                if members["RowKey"] == "sentinel":
                    continue
                row = {name: value for name, value in members.items() if "odata" not in name and name != "Timestamp"}
                read = read_event_row(row)
                assert event_row(read, _execution(row), int(row["RowKey"], 16), suffix="").row == row
                kinds[row["EventType"]] += 1

    assert set(kinds) >= {
        *("ExecutionStarted", "ExecutionCompleted", "ExecutionTerminated", "TaskScheduled", "TaskCompleted"),
        *("TaskFailed", "SubOrchestrationInstanceCreated", "SubOrchestrationInstanceCompleted"),
        *("SubOrchestrationInstanceFailed", "TimerCreated", "TimerFired", "OrchestratorStarted"),
        *("OrchestratorCompleted", "EventSent", "EventRaised", "ExecutionSuspended", "ExecutionResumed"),
    }


def _execution(row: Row) -> Execution:
    return Execution(instance_id=unescape_key(str(row["PartitionKey"])), execution_id=str(row["ExecutionId"]))


@pytest.mark.conforms("S3.2-1", "S3.2-2")
@pytest.mark.parametrize(
    ("members", "columns"),
    [
        (
            _STARTED,
            {
                "OrchestrationInstance": '{"InstanceId":"i","ExecutionId":"e1"}',
                "Tags": '{"team":"shop"}',
                "ParentTraceContext": '{"TraceParent":"00-1","TraceState":null}',
                "ScheduledStartTime": "2026-11-22T12:00:00.0000000Z",
                "Generation": 2,
                "Name": "Order",
                "Version": "",
                "Input": '"book"',
            },
        ),
        (
            {"EventType": 16, "OrchestrationStatus": 2, "Result": "1", "FailureDetails": None, **_COMMON},
            {"OrchestrationStatus": "ContinuedAsNew", "Result": "1"},
        ),
        (
            {
                "EventType": 9,
                "TaskScheduledId": 4,
                "Reason": "no",
                "Details": None,
                "FailureDetails": {"ErrorType": "E", "InnerFailure": None},
                **_COMMON,
            },
            {"TaskScheduledId": 4, "Reason": "no", "FailureDetails": '{"ErrorType":"E","InnerFailure":null}'},
        ),
        ({"EventType": 17, "Data": "gone", **_COMMON}, {"Data": "gone"}),
    ],
    ids=["ExecutionStarted", "ContinueAsNew", "SubOrchestrationInstanceFailed", "GenericEvent"],
)
def test_rows_of_events_that_were_not_recorded_follow_the_table(
    members: dict[str, Any], columns: dict[str, Any]
) -> None:
    row = event_row(members, _EXECUTION, 26, suffix="").row
    own = {name: value for name, value in row.items() if name not in ("EventId", "IsPlayed", "_Timestamp")}

    assert own == {
        "PartitionKey": "an^0odd^3id^^",
        "RowKey": "000000000000001A",
        "EventType": EVENT_TYPES.name_of(members["EventType"]),
        "ExecutionId": "e1",
        **columns,
    }
    assert read_event_row(row) == {name: value for name, value in members.items() if value is not None}


@pytest.mark.conforms("S3.2-2")
@pytest.mark.parametrize(
    "members",
    [
        {"EventType": 4, "Name": "Pay", "Version": "", "Input": "[1]", **_COMMON},
        {"EventType": 7, "Name": "Child", "Version": "", "InstanceId": "c", "Input": "[1]", **_COMMON},
    ],
    ids=["TaskScheduled", "SubOrchestrationInstanceCreated"],
)
def test_what_an_activity_or_a_child_is_called_with_is_not_in_the_history(members: dict[str, Any]) -> None:
    row = event_row(members, _EXECUTION, 0, suffix="").row

    assert "Input" not in row
    assert row["Name"] == members["Name"]


def test_the_numbers_are_those_of_the_replay_core() -> None:
    events = {EVENT_TYPES.name_of(kind): kind.name.title().replace("_", "") for kind in EventType}

    assert all(name == core for name, core in events.items())
    assert {status.value: status.number for status in OrchestrationStatus} == {
        name: ORCHESTRATION_STATUSES.number_of(name) for name in ORCHESTRATION_STATUSES.names
    }


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"EventType": "Surprise", "_Timestamp": _TIME}, "unknown event type: 'Surprise'"),
        ({"_Timestamp": _TIME}, "unknown event type: 'None'"),
        ({"EventType": "OrchestratorStarted", "RowKey": "0"}, "the History row '0' has no _Timestamp"),
        (
            {"EventType": "ExecutionCompleted", "OrchestrationStatus": "Odd", "_Timestamp": _TIME},
            "unknown runtime status: 'Odd'",
        ),
        ({"EventType": "ExecutionStarted", "Tags": "{", "_Timestamp": _TIME}, "Expecting property name"),
    ],
)
def test_a_row_that_is_no_event_says_why(row: Row, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_event_row(row)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"EventType": 99, **_COMMON}, "unknown event type: 99"),
        ({"EventType": 5, "Result": [1], **_COMMON}, r"the member Result of an event holds \[1\]"),
        ({"EventType": 10, "FireAt": "soon", **_COMMON}, "not a UTC time"),
    ],
)
def test_an_event_that_no_row_can_hold_says_why(members: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        event_row(members, _EXECUTION, 0, suffix="")


@pytest.mark.conforms("S3.6-1", "S3.6-2")
def test_a_large_text_leaves_its_row_and_comes_back_from_its_blob() -> None:
    inline, large = "é" * 30_720, "é" * 30_721
    completed = {"EventType": 5, "TaskScheduledId": 0, "Result": inline, **_COMMON}

    assert event_row(completed, _EXECUTION, 5, suffix="5cd45b49").blobs == {}

    stored = event_row(completed | {"Result": large}, _EXECUTION, 5, suffix="5cd45b49")
    name = "an^0odd^3id^^/history-0000000000000005-TaskCompleted-5CD45B49-Result.json.gz"
    assert stored.blobs == {name: large}
    assert (stored.row["Result"], stored.row["ResultBlobName"]) == ("", name)

    members = read_event_row(stored.row)
    assert members["Result"] == InBlob(name)
    assert with_texts(members, stored.blobs) == completed | {"Result": large}
    with pytest.raises(KeyError):
        with_texts(members, {})


@pytest.mark.conforms("S3.6-1")
@pytest.mark.parametrize(
    "member", ["Name", "Input", "Result", "Reason", "Details", "Correlation", "FailureDetails", "Tags"]
)
def test_each_of_these_columns_goes_to_a_blob_when_it_is_large(member: str) -> None:
    large: Any = "x" * 30_721 if member not in ("FailureDetails", "Tags") else {"text": "x" * 30_721}
    failed = {"EventType": 6, "TaskScheduledId": 0, member: large, **_COMMON}
    stored = event_row(failed, _EXECUTION, 0, suffix="0")

    (name,) = stored.blobs
    assert (stored.row[member], stored.row[f"{member}BlobName"]) == ("", name)
    assert name.endswith(f"-{member}.json.gz")
    assert with_texts(read_event_row(stored.row), stored.blobs) == failed


@pytest.mark.conforms("S3.6-3")
def test_objects_of_a_large_event_that_stay_in_its_row() -> None:
    parent = {"Name": "p" * 40_000, "OrchestrationInstance": {"InstanceId": "i", "ExecutionId": "e"}}
    stored = event_row(_STARTED | {"ParentInstance": parent}, _EXECUTION, 1, suffix="0")

    assert stored.blobs == {}
    assert len(str(stored.row["ParentInstance"])) > 40_000


@pytest.mark.conforms("S3.4-1")
@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_sentinel_is_written_as_it_was_read(name: str) -> None:
    for members, row in history(name):
        if row["RowKey"] == "sentinel":
            of, completed = _execution(row), row.get("CheckpointCompletedTimestamp")
            assert row_json(sentinel_row(of, checkpoint_completed=None if completed is None else str(completed))) == (
                as_put(members)
            )


@pytest.mark.conforms("S3.4-1", "S3.5-2")
def test_only_the_last_batch_of_an_episode_completes_its_checkpoint() -> None:
    before = sentinel_row(_EXECUTION, checkpoint_completed=None)

    assert before == {
        "PartitionKey": "an^0odd^3id^^",
        "RowKey": "sentinel",
        "ExecutionId": "e1",
        "IsCheckpointComplete": False,
    }


@pytest.mark.conforms("S2.4-2", "S3.4-2", "S3.5-3")
@pytest.mark.parametrize("name", NAMES)
def test_the_current_rows_are_those_of_the_execution_that_the_sentinel_names(name: str) -> None:
    by_instance: dict[Any, list[Row]] = defaultdict(list)
    for _, row in history(name):
        by_instance[row["PartitionKey"]].append(row)

    for rows in by_instance.values():
        end = len(rows) - 1
        leftovers = [rows[0] | {"RowKey": history_row_key(end + number), "ExecutionId": "old"} for number in range(3)]
        current = [row for row in rows[:-1] if row["ExecutionId"] == rows[-1]["ExecutionId"]]
        assert current_rows([*reversed(rows), *leftovers]) == current
        assert instance_id_of(rows) == unescape_key(str(rows[0]["PartitionKey"]))


@pytest.mark.conforms("S3.5-3")
def test_without_a_sentinel_the_first_row_names_the_execution() -> None:
    row: Row = {"PartitionKey": "i", "ExecutionId": "e1"}
    rows = [row | {"RowKey": "0"}, row | {"RowKey": "1"}, row | {"RowKey": "2", "ExecutionId": "old"}]

    assert current_rows(rows) == rows[:2]
    assert current_rows([*rows, row | {"RowKey": "3"}]) == rows[:2]
    assert current_rows([]) == []


@pytest.mark.conforms("S3.5-1")
def test_an_episode_is_cut_into_what_a_transaction_takes() -> None:
    rows: list[Row] = [{"RowKey": history_row_key(index)} for index in range(250)]

    cut = list(batches(rows))

    assert [len(batch) for batch in cut] == [MAX_BATCH_ROWS, MAX_BATCH_ROWS, 52]
    assert [row for batch in cut for row in batch] == rows
    assert list(batches([])) == []
    assert list(batches(rows[:99])) == [rows[:99]]


@pytest.mark.conforms("S3.5-1")
def test_a_batch_ends_above_three_mebibytes_of_texts() -> None:
    rows: list[Row] = [{"RowKey": history_row_key(index), "Result": "r" * 30_000} for index in range(60)]

    # 61,024 bytes each: the 52nd row is the first to exceed 3 MiB.
    assert [len(batch) for batch in batches(rows)] == [52, 8]


@pytest.mark.conforms("S3.5-1")
def test_a_batch_ends_above_three_mebibytes_of_utf_8_as_well() -> None:
    rows: list[Row] = [{"RowKey": history_row_key(index), "Result": "中" * 30_000} for index in range(60)]

    # 91,024 bytes each: the 35th row is the first to exceed 3 MiB.
    assert [len(batch) for batch in batches(rows)] == [35, 25]


def test_the_recordings_have_what_these_tests_need() -> None:
    stored_in_blobs = [row for name in NAMES for _, row in history(name) if any("BlobName" in column for column in row)]

    assert len(stored_in_blobs) == 4
    assert len({row["ExecutionId"] for _, row in history("continue-as-new-1-waiting")}) == 2
    assert any(row["PartitionKey"].startswith("@") for row in document("entity-call")["history"])
