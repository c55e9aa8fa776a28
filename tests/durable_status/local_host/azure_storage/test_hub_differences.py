"""The comparison of hubs: nothing to say of the same, one line for every kind of field that is not as recorded."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from durable_status.task_hub.names import DEFAULT_PARTITION_COUNT, HubNames
from tests.durable_status.local_host.azure_storage.hub_differences import find_differences
from tests.recorded_hubs import NAMES, RECORDED_HUB, recording

Change = Callable[[Any], Any]


def _as_ours(name: str) -> dict[str, Any]:
    """A recording as our recorder would write it: with the whole texts of blobs, as far as their ends tell."""
    record = recording(name)
    for blob in record["blobs"]:
        filler = blob["uncompressed_chars"] - len(blob["head"]) - len(blob["tail"])
        blob["text"] = blob["head"] + blob["head"][-1] * filler + blob["tail"]
    return record


def _told(name: str, change: Change) -> list[str]:
    ours = _as_ours(name)
    change(ours)
    return [str(difference) for difference in find_differences(recording(name), ours)]


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_as_recorded(name: str) -> None:
    assert find_differences(recording(name), _as_ours(name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_another_run_of_the_same_is_as_recorded(name: str) -> None:
    """Ids, random parts, times, numbers, addresses and what was imitated are others, all in their places."""
    text = json.dumps(_as_ours(name))
    text = re.sub(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", _another_id, text)
    text = re.sub(r"(?<=-)[0-9A-F]{8}(?=-\w+\.json)", lambda found: found[0][::-1], text)
    text = re.sub(r"2026-11-22T11:3(\d)", r"2027-01-02T03:4\1", text)
    text = text.replace("http://127.0.0.1:10000", "http://127.0.0.1:54321").replace(
        "RpcException, RealHost", "Rpc, Ours"
    )
    ours = json.loads(text.replace("/app/bridge.py", "/home/ours.py"))
    for put in ours["messages"]:
        put["query"] = put["query"] if "visibility" in put["query"] else "visibilitytimeout=30&messagettl=-1"
        put["body"]["SequenceNumber"] *= 3
        if "control" in put["queue"] and put["body"]["TaskMessage"] is not None:
            instance_id = put["body"]["TaskMessage"]["OrchestrationInstance"]["InstanceId"]
            put["queue"] = HubNames(RECORDED_HUB).control_queue_of(instance_id, DEFAULT_PARTITION_COUNT)
    for row in ours["history"]:
        row.pop("ClientSpanId", None)

    assert [*map(str, find_differences(recording(name), ours))] == []


def _another_id(found: re.Match[str]) -> str:
    """An id of the same version, with hyphens where they were; that of all zeros is a value like any other."""
    digits = found[0].replace("-", "")
    if not digits.strip("0"):
        return found[0]
    another = list(hashlib.md5(digits.encode()).hexdigest())
    another[12] = digits[12]
    return "".join("-" if one == "-" else another.pop(0) for one in found[0])


def _swap(items: list[Any], one: int, other: int) -> None:
    items[one], items[other] = items[other], items[one]


def _event(record: dict[str, Any], number: int) -> dict[str, Any]:
    event: dict[str, Any] = record["messages"][number]["body"]["TaskMessage"]["Event"]
    return event


def _reordered(members: dict[str, Any]) -> None:
    first = next(iter(members))
    members[first] = members.pop(first)


_HELLO: list[tuple[str, Change]] = [
    (
        "instances[0].CustomStatus: recorded '\"London\"', ours 'null'",
        lambda it: it["instances"][0].update(CustomStatus="null"),
    ),
    ("instances[0].Tags: recorded 'null', ours 'nothing'", lambda it: it["instances"][0].pop("Tags")),
    ("instances[0].Output2: recorded 'nothing', ours ''", lambda it: it["instances"][0].update(Output2="")),
    ("instances[0].Generation: recorded 0, ours '0'", lambda it: it["instances"][0].update(Generation="0")),
    ("instances.length: recorded 1, ours 0", lambda it: it["instances"].pop()),
    (
        "instances[0].CreatedTime@odata.type: recorded 'Edm.DateTime', ours 'nothing'",
        lambda it: it["instances"][0].pop("CreatedTime@odata.type"),
    ),
    (
        "instances[0].CreatedTime: recorded '<time>Z', ours '<time with 6 digits>Z'",
        lambda it: it["instances"][0].update(CreatedTime="2026-11-22T11:30:46.106982Z"),
    ),
    (
        "history[1]._Timestamp: recorded '2026-11-22T11:30:46.1069824Z', ours '2026-11-22T11:30:46.1069825Z' (the time",
        lambda it: it["history"][1].update(_Timestamp="2026-11-22T11:30:46.1069825Z"),
    ),
    ("history[2].EventId: recorded 0, ours 1", lambda it: it["history"][2].update(EventId=1)),
    ("history[2].EventId: recorded 0, ours False", lambda it: it["history"][2].update(EventId=False)),
    ("history[5].IsPlayed: recorded True, ours False", lambda it: it["history"][5].update(IsPlayed=False)),
    ("history[2].RowKey: recorded", lambda it: _swap(it["history"], 2, 3)),
    ("history.length: recorded 17, ours 16", lambda it: it["history"].pop()),
    (
        "(the id 6f22ce3db9324c64a4bc23565521a5d0 is 6f22ce3db9324c64a4bc23565521a5d0 elsewhere, and 0f22ce",
        lambda it: it["history"][7].update(ExecutionId="0f22ce3db9324c64a4bc23565521a5d0"),
    ),
    (
        "history[1].OrchestrationInstance: recorded",
        lambda it: it["history"][1].update(
            OrchestrationInstance=it["history"][1]["OrchestrationInstance"].replace(",", ", ")
        ),
    ),
    (
        "history[16].IsCheckpointComplete: recorded True, ours 'nothing'",
        lambda it: it["history"][16].pop("IsCheckpointComplete"),
    ),
    ("messages[0].queue: recorded", lambda it: it["messages"][0].update(queue="storagehub-control-00")),
    ("messages[0].encoding: recorded 'base64', ours 'json'", lambda it: it["messages"][0].update(encoding="json")),
    (
        "messages[0].query.messagettl: recorded '-1', ours 'nothing'",
        lambda it: it["messages"][0].update(query="visibilitytimeout=0"),
    ),
    (
        "messages[0].query.visibilitytimeout: recorded 0, ours 300",
        lambda it: it["messages"][0].update(query="messagettl=-1&visibilitytimeout=300"),
    ),
    (
        "messages[1].body.TaskMessage.Event.$type: recorded",
        lambda it: _event(it, 1).update({"$type": "DurableTask.Core.History.TaskScheduled"}),
    ),
    ("messages[1].body.TaskMessage.Event.Input: recorded", lambda it: _event(it, 1).update(Input='["Tokyo"]')),
    (
        "messages[1].body.TaskMessage.Event.ParentTraceContext: recorded None, ours 'nothing'",
        lambda it: _event(it, 1).pop("ParentTraceContext"),
    ),
    ("messages[1].body.TaskMessage.Event.(order of members): recorded", lambda it: _reordered(_event(it, 1))),
    ("messages[2].body.(order of members): recorded", lambda it: _reordered(it["messages"][2]["body"])),
    ("messages[1].body.Episode: recorded 1, ours 2", lambda it: it["messages"][1]["body"].update(Episode=2)),
    ("messages[0].body.Sender: recorded {", lambda it: it["messages"][0]["body"].update(Sender=None)),
    (
        "messages[1].body.TaskMessage.Event.Timestamp: recorded '<time>Z', ours '<time with 7 digits>Z'",
        lambda it: _event(it, 1).update(Timestamp="2026-11-22T11:30:46.4904020Z"),
    ),
    (
        "messages[0].body.ActivityId: recorded '<id of version 4 with hyphens>', ours '<id of version 4>'",
        lambda it: it["messages"][0]["body"].update(ActivityId="167755dd316a41239b51fd5dd0eec2f5"),
    ),
    (
        "messages.(order of SequenceNumber): recorded [1, 2, 3, 4, 5, 6, 7], ours [1, 3, 2, 4, 5, 6, 7]",
        lambda it: _swap(it["messages"], 1, 2),
    ),
    ("messages[1].queue: recorded 'storagehub-workitems'", lambda it: _swap(it["messages"], 1, 2)),
]


@pytest.mark.parametrize(("told", "change"), _HELLO, ids=[told[:60] for told, _ in _HELLO])
def test_one_field_that_is_not_as_recorded_is_told(told: str, change: Change) -> None:
    assert [line for line in _told("hello", change) if told in line]


_OTHERS: list[tuple[str, str, Change]] = [
    (
        "timer",
        "messages[1].query.visibilitytimeout: recorded 2, ours 3",
        lambda it: it["messages"][1].update(query="messagettl=-1&visibilitytimeout=3"),
    ),
    (
        "timer",
        "history[5].TimerId: recorded 0, ours 'nothing'",
        lambda it: next(row for row in it["history"] if row.get("EventType") == "TimerFired").pop("TimerId"),
    ),
    (
        "large-result-70000",
        "blobs[0].uncompressed_chars: recorded 70002, ours 70001",
        lambda it: it["blobs"][0].update(text=it["blobs"][0]["text"].replace("rr", "r", 1)),
    ),
    (
        "large-result-70000",
        "blobs[2].tail: recorded",
        lambda it: it["blobs"][2].update(text=it["blobs"][2]["text"].replace('"Episode":1,', '"Episode":2,')),
    ),
    (
        "large-result-70000",
        "blobs[0].content_type: recorded 'application/octet-stream', ours 'application/json'",
        lambda it: it["blobs"][0].update(content_type="application/json"),
    ),
    (
        "large-result-70000",
        "blobs[0].name: recorded",
        lambda it: it["blobs"][0].update(name=it["blobs"][0]["name"].replace("-5CD45B49-", "-5cd45b49-")),
    ),
    ("large-result-70000", "blobs.length: recorded 3, ours 2", lambda it: it["blobs"].pop()),
    (
        "large-input-70000",
        "instances[0].Input: recorded '<address>/",
        lambda it: it["instances"][0].update(Input="http://elsewhere/x.json.gz"),
    ),
    (
        "failed-by-activity",
        "history[5].Details: recorded",
        lambda it: it["history"][5].update(Details=it["history"][5]["Details"].replace('"ValueError: boom x"', '""')),
    ),
    (
        "failed-by-activity",
        "instances[0].Output: recorded",
        lambda it: it["instances"][0].update(Output=it["instances"][0]["Output"].replace("boom x", "boom y")),
    ),
    (
        "sub-orchestration",
        "instances[1].PartitionKey: recorded",
        lambda it: it["instances"][1].update(PartitionKey="a200f5991f3747409feb3d4dea1caaeb:0"),
    ),
]


@pytest.mark.parametrize(("name", "told", "change"), _OTHERS, ids=[f"{name} {told[:40]}" for name, told, _ in _OTHERS])
def test_one_field_of_a_rarer_kind_is_told_as_well(name: str, told: str, change: Change) -> None:
    assert [line for line in _told(name, change) if told in line]
