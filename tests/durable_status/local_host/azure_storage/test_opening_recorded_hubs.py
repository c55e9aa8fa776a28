"""Our host on hubs that the real extension left: what had ended reads the same, what had not goes on as there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from azure.storage.queue import QueueClient

from durable_status.local_host.management.documents import HistoryView, history_document, status_document
from durable_status.local_host.storage.provider import InstanceRow
from durable_status.replay.event_json import event_from_members
from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.ticks import parse_ticks
from durable_status.task_hub.history import current_rows, read_event_row, with_texts
from durable_status.task_hub.tables import read_row
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.hub_differences import find_differences
from tests.durable_status.local_host.azure_storage.hub_recorder import record_instance
from tests.durable_status.local_host.azure_storage.recorded_cuts import Cut, cuts
from tests.durable_status.local_host.azure_storage.recorded_runs import (
    Record,
    Rerun,
    azure_storage,
    client_events,
    host_on,
    renamed,
)
from tests.durable_status.local_host.azure_storage.recording_proxy import recording_proxy
from tests.hosts import RunningHost
from tests.paths import GOLDENS
from tests.recorded_hubs import LATEST, SNAPSHOTS, put_hub, put_instances, rebuilt, recording
from tests.zones import time_zone

_CUT = ("hello", "failed-by-activity", "failed-orchestrator", "sub-orchestration", "timer", "cancelled-timer")
_CUT_LARGE = ("large-result-70000", "large-activity-input")  # of which one message, in a blob, cannot be rebuilt
_CUTS = [cut for name in (*_CUT, *_CUT_LARGE) for cut in cuts(name) if cut.left]


def _on(hub: FreshTaskHub, use: Callable[[Rerun, RunningHost], Awaitable[None]]) -> list[dict[str, Any]]:
    """Open a hub with a host, use it, stop the host; returns what was put into the queues."""

    async def main() -> list[dict[str, Any]]:
        async with recording_proxy(hub.connection_string) as proxy:
            async with host_on(hub, azure_storage(hub, connection_string=proxy.connection_string)) as host:
                await use(Rerun(host, hub, proxy), host)
            return proxy.puts

    return asyncio.run(main())


def _texts(recorded: Record) -> dict[str, str]:
    return {blob["name"]: text for blob in recorded["blobs"] if (text := rebuilt(blob)) is not None}


def _text(row: Mapping[str, Any], column: str, texts: Mapping[str, str]) -> str | None:
    """A column of the Instances table, with what an address stands for."""
    stored = row.get(column)
    return next((text for name, text in texts.items() if stored and stored.endswith(f"/{name}")), stored)


def _document(recorded: Record, row: Mapping[str, Any]) -> dict[str, Any]:
    """The status document of a recorded row, with its history."""
    texts = _texts(recorded)
    rows = [read_row(event) for event in recorded["history"] if event["PartitionKey"] == row["PartitionKey"]]
    members = [read_event_row(event) for event in current_rows(rows)]
    instance = InstanceRow(
        instance_id=row["PartitionKey"],
        execution_id=row["ExecutionId"],
        name=row["Name"],
        input=_text(row, "Input", texts),
        runtime_status=OrchestrationStatus(row["RuntimeStatus"]),
        custom_status=row["CustomStatus"],
        output=_text(row, "Output", texts),
        created_time=parse_ticks(row["CreatedTime"]),
        last_updated_time=parse_ticks(row["LastUpdatedTime"]),
    )
    document = status_document(instance, show_input=True)
    history = [event_from_members(with_texts(event, texts)) for event in members]
    document["historyEvents"] = history_document(history, HistoryView(inputs=True, outputs=True))
    return dict(json.loads(json.dumps(document)))


@pytest.mark.conforms("S0-3")
def test_instances_read_as_they_were_recorded_and_stay_as_they_are(task_hub: FreshTaskHub) -> None:
    put_hub(task_hub.connection_string, hub=task_hub.name)

    def all_records() -> dict[str, Record]:
        return {
            name: record_instance(
                task_hub.connection_string, task_hub.name, recording(name)["instances"][0]["PartitionKey"], []
            )
            for name in LATEST
        }

    before, documents = all_records(), {}

    async def read(_: Rerun, host: RunningHost) -> None:
        for name in LATEST:
            for row in recording(name)["instances"]:
                path = f"instances/{row['PartitionKey']}?showInput=true&showHistory=true&showHistoryOutput=true"
                answer = await host.manage("GET", path)
                assert answer.status == (202 if row["RuntimeStatus"] == "Running" else 200), answer.text
                documents[name, row["PartitionKey"]] = answer.json

    with time_zone("UTC0"):
        puts = _on(task_hub, read)
        expected = {
            (name, row["PartitionKey"]): _document(recording(name), row)
            for name in LATEST
            for row in recording(name)["instances"]
        }

    assert documents == expected
    assert puts == []
    assert all_records() == before


@pytest.mark.conforms("S0-3")
def test_rows_of_the_extension_give_the_documents_that_it_gave_of_them(task_hub: FreshTaskHub) -> None:
    """With the recordings of the replay, which have rows and the answer to the status query, but no messages."""
    finals = {}
    for path in sorted((GOLDENS / "replay").glob("*-*.json")):
        for instance in json.loads(path.read_text())["instances"]:
            finals[instance["id"]] = instance["final"]
    rows = {
        "instances": [final["instance"] for final in finals.values()],
        "history": [row for final in finals.values() for row in final["history"]],
        "blobs": [],
    }
    put_hub(task_hub.connection_string, [], hub=task_hub.name)
    put_instances(task_hub.connection_string, rows, [], hub=task_hub.name)
    different: dict[str, Any] = {}

    async def read(_: Rerun, host: RunningHost) -> None:
        for instance_id, final in finals.items():
            path = f"instances/{quote(instance_id)}?showInput=true&showHistory=true&showHistoryOutput=true"
            answer = await host.manage("GET", path)
            ours, recorded = [
                (status, body | {"StackTrace": ""} if "StackTrace" in body else body)  # .NET's is not imitated
                for status, body in ((answer.status, answer.json), (final["http"]["status"], final["http"]["body"]))
            ]
            if ours != recorded:
                different[instance_id] = ours, recorded

    with time_zone("UTC0"):
        puts = _on(task_hub, read)

    assert len(finals) > 150
    assert different == {}
    assert puts == []


@pytest.mark.conforms("S0-4")
@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_waiting_instance_goes_on_to_the_recorded_end(name: str, task_hub: FreshTaskHub) -> None:
    later = recording(next(other for other in LATEST if other.startswith(name[: name.index("-1")] + "-2")))
    put_hub(task_hub.connection_string, [name], hub=task_hub.name)

    async def go_on(rerun: Rerun, host: RunningHost) -> None:
        document = await host.status(later["instances"][0]["PartitionKey"])
        assert document["runtimeStatus"] == recording(name)["instances"][0]["RuntimeStatus"]
        await rerun.tell(later, client_events(later)[-1])
        await rerun.until_as_far(later)

    puts = _on(task_hub, go_on)

    assert _differences(task_hub, later | {"messages": later["messages"][-1:]}, puts) == []


@pytest.mark.conforms("S0-4")
@pytest.mark.parametrize("cut", _CUTS, ids=lambda cut: f"{cut.name}-{cut.number}")
def test_a_hub_that_was_stopped_after_any_commit_goes_on_to_the_recorded_end(cut: Cut, task_hub: FreshTaskHub) -> None:
    recorded = recording(cut.name)
    put_hub(task_hub.connection_string, [], hub=task_hub.name)
    put_instances(task_hub.connection_string, cut.hub, cut.left, hub=task_hub.name)

    puts = _on(task_hub, lambda rerun, _: rerun.until_as_far(recorded))

    assert _differences(task_hub, recorded | {"messages": cut.to_come}, puts) == []


def _differences(hub: FreshTaskHub, recorded: Record, puts: list[dict[str, Any]]) -> list[str]:
    instance_id = recorded["instances"][0]["PartitionKey"]
    ours = record_instance(hub.connection_string, hub.name, instance_id, puts)
    return [str(difference) for difference in find_differences(renamed(recorded, hub.name), ours)]


@pytest.mark.conforms("S0-4")
def test_an_instance_with_the_longest_status_goes_on(task_hub: FreshTaskHub) -> None:
    put_hub(task_hub.connection_string, ["status-near-limit"], hub=task_hub.name)
    (row,) = recording("status-near-limit")["instances"]

    async def go_on(_: Rerun, host: RunningHost) -> None:
        await host.raise_event(row["PartitionKey"], "go", [1])
        document = await host.until_status(row["PartitionKey"], "Completed")
        assert (document["customStatus"], document["output"]) == ("x" * 8_150, [1])

    _on(task_hub, go_on)


@pytest.mark.conforms("S0-4")
def test_an_entity_answers_and_keeps_its_state(task_hub: FreshTaskHub) -> None:
    put_hub(task_hub.connection_string, ["entity-call"], hub=task_hub.name)

    async def use(_: Rerun, host: RunningHost) -> None:
        assert (await host.manage("GET", "entities/Counter/one")).json == 5
        await host.start("CallEntity", "another")
        document = await host.until_status("another", "Completed")
        assert document["output"] == 5 + 2 + 3
        assert (await host.manage("GET", "entities/Counter/one")).json == 10

    _on(task_hub, use)


@pytest.mark.conforms("S0-5")
def test_a_message_that_comes_too_late_is_thrown_away(task_hub: FreshTaskHub) -> None:
    """The timer that an ended instance did not use stays in its queue until it is due."""
    recorded = renamed(recording("cancelled-timer"), task_hub.name)
    (late,) = (put for put in recorded["messages"] if "visibilitytimeout" in put["query"])
    put_hub(task_hub.connection_string, [], hub=task_hub.name)
    put_instances(task_hub.connection_string, recording("cancelled-timer"), [late | {"query": ""}], hub=task_hub.name)

    async def wait(*_: object) -> None:
        with QueueClient.from_connection_string(task_hub.connection_string, late["queue"]) as queue:
            async with asyncio.timeout(60):
                while queue.get_queue_properties().approximate_message_count:
                    await asyncio.sleep(0.05)

    puts = _on(task_hub, wait)

    assert _differences(task_hub, recording("cancelled-timer") | {"messages": []}, puts) == []
