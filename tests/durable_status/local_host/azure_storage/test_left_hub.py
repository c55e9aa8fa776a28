"""What our host leaves in a hub when it does again what was recorded: the same, field by field."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from durable_status.testing.azurite import Azurite
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.hub_differences import find_differences, find_hub_differences
from tests.durable_status.local_host.azure_storage.hub_recorder import record_hub
from tests.durable_status.local_host.azure_storage.recorded_runs import Record, Rerun, azure_storage, host_on, renamed
from tests.durable_status.local_host.azure_storage.recording_proxy import recording_proxy
from tests.paths import GOLDENS
from tests.recorded_hubs import LATEST, NAMES, RECORDED_HUB, SNAPSHOTS, STORAGE, recording

_KINDS = sorted({row["EventType"] for name in LATEST for row in recording(name)["history"] if "EventType" in row})


@dataclass(frozen=True)
class LeftHub:
    """The hub after a clean stop of our host."""

    name: str
    records: dict[str, Record]
    """By the name of the recording."""
    surroundings: dict[str, Any]

    def differences(self, recorded: Record, ours: Record) -> list[str]:
        """Where ours differs from what was recorded in another hub, for people."""
        return [str(difference) for difference in find_differences(renamed(recorded, self.name), ours)]


@pytest.fixture(scope="module")
def left(azurite: Azurite) -> Iterator[LeftHub]:
    """All that was recorded, done again by one host."""
    hub = FreshTaskHub(azurite.connection_string)
    yield asyncio.run(_do_again(hub))
    hub.delete()


async def _do_again(hub: FreshTaskHub) -> LeftHub:
    async with recording_proxy(hub.connection_string) as proxy:
        async with host_on(hub, azure_storage(hub, connection_string=proxy.connection_string)) as host:
            rerun = Rerun(host, hub, proxy)
            await rerun.run_all()
            await rerun.start(_failed_child(), None)
            await rerun.until_as_far(_failed_child())
        records = rerun.snapshots | {name: rerun.record(recording(name)) for name in LATEST}
        records["failed-child"] = rerun.record(_failed_child())
    return LeftHub(hub.name, records, record_hub(hub.connection_string, hub.name))


def _failed_child() -> Record:
    """The recordings of the replay have a kind of event that the recorded hub lacks; their messages are not known."""
    text = (GOLDENS / "replay" / "h01-15-ParentOfFailure.json").read_text()
    recorded = json.loads(text.replace("FuzzHub", RECORDED_HUB))
    finals = [instance["final"] for instance in recorded["instances"]]
    return {
        "instances": [final["instance"] for final in finals],
        "history": [row for final in finals for row in final["history"]],
        "messages": [],
        "blobs": [],
    }


def _recorded(name: str) -> Record:
    """A recording; of a snapshot, without the message that its clients put afterwards."""
    recorded = recording(name)
    return recorded | {"messages": recorded["messages"][:-1]} if name in SNAPSHOTS else recorded


def _only(record: Record, kind: str) -> Record:
    """The rows and messages of one type of event."""
    return {
        "instances": [],
        "history": [row for row in record["history"] if row.get("EventType") == kind],
        "messages": [put for put in record["messages"] if _kind(put) == kind],
        "blobs": [blob for blob in record["blobs"] if f"-{kind}" in blob["name"]],
    }


def _kind(put: dict[str, Any]) -> str:
    task = put["body"]["TaskMessage"]
    if task is None:
        return str(put["body"]["CompressedBlobName"]).rpartition("-")[2].removesuffix(".json.gz")
    return str(task["Event"]["$type"]).rpartition(".")[2].removesuffix("Event")


@pytest.mark.conforms("S0-1", "S4-7")
@pytest.mark.parametrize("name", NAMES)
def test_rows_messages_and_blobs_are_as_recorded(name: str, left: LeftHub) -> None:
    assert left.differences(_recorded(name), left.records[name]) == []


@pytest.mark.conforms("S0-1")
@pytest.mark.parametrize("kind", _KINDS)
def test_rows_messages_and_blobs_of_an_event_type_are_as_recorded(kind: str, left: LeftHub) -> None:
    told = [
        f"{name}: {line}"
        for name in LATEST
        for line in left.differences(_only(recording(name), kind), _only(left.records[name], kind))
    ]

    assert told == []


@pytest.mark.conforms("S0-1")
def test_rows_of_a_parent_and_its_failed_child_are_as_recorded(left: LeftHub) -> None:
    recorded, ours = _failed_child(), left.records["failed-child"]

    assert "SubOrchestrationInstanceFailed" in [row.get("EventType") for row in recorded["history"]]
    assert left.differences(recorded, ours | {"messages": []}) == []


def test_every_event_type_that_the_extension_wrote_is_among_them() -> None:
    assert set(_KINDS) == {
        *("ExecutionStarted", "ExecutionCompleted", "ExecutionTerminated", "ExecutionSuspended", "ExecutionResumed"),
        *("TaskScheduled", "TaskCompleted", "TaskFailed", "TimerCreated", "TimerFired", "EventSent", "EventRaised"),
        *("SubOrchestrationInstanceCreated", "SubOrchestrationInstanceCompleted"),
        *("OrchestratorStarted", "OrchestratorCompleted"),
    }


@pytest.mark.conforms("S0-2")
def test_containers_leases_queues_and_tables_are_as_recorded(left: LeftHub) -> None:
    """But for the app lease, which a host that is no Functions host must not hold: a real one would idle."""
    recorded = json.loads((STORAGE / "hub.json").read_text())
    recorded["containers"]["storagehub-applease"] = {
        "storagehub-appleaseinfo": {"text": "{}", "lease": "available"},
        "(container lease)": "available",
    }
    del recorded["what"]

    told = [str(one) for one in find_hub_differences(renamed(recorded, left.name), left.surroundings)]

    assert told == []
