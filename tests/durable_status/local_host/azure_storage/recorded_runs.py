"""Lets a host do again what was recorded: the same orchestrations with the same inputs, told the same by their clients.

What clients did is in a recording's messages: those without a sender. The first starts the instance; each other one is
sent when the instance has come as far as the recorded one had.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from durable_status.app.host_settings import AzureStorageSettings
from durable_status.local_host.clock import SystemClock
from durable_status.local_host.storage.azure_storage.provider import AzureStorage
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13
from durable_status.task_hub.connection import read_connection
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.hub_recorder import record_instance, record_rows
from tests.durable_status.local_host.azure_storage.recording_proxy import RecordingProxy
from tests.hosts import RunningHost, running_host
from tests.paths import APPS
from tests.recorded_hubs import LATEST, RECORDED_HUB, SNAPSHOTS, rebuilt, recording

_PATIENCE_SECONDS = 60.0
_PAUSE_SECONDS = 0.05
_CONTROLS = {"ExecutionSuspended": "suspend", "ExecutionResumed": "resume", "ExecutionTerminated": "terminate"}

RECORDED = APPS / "recorded"

Record = dict[str, Any]


def azure_storage(hub: FreshTaskHub, *, connection_string: str | None = None) -> StorageProvider:
    """The provider of a hub; `connection_string`, if its account is to be reached by another way."""
    settings = {"AzureWebJobsStorage": connection_string or hub.connection_string}
    connection = read_connection("AzureWebJobsStorage", settings)
    return AzureStorage(connection, hub.name, AzureStorageSettings(), SystemClock(), wait=False)


@asynccontextmanager
async def host_on(
    hub: FreshTaskHub, storage: StorageProvider | None = None, folder: Path = RECORDED, **options: Any
) -> AsyncIterator[RunningHost]:
    """A host of the recorded line on a hub, with the app that was recorded."""
    used = storage or azure_storage(hub)
    settings = {"hub_name": hub.name}
    async with running_host(folder, storage=lambda _: used, profile=PROFILE_2_13, settings=settings, **options) as host:
        yield host


class Rerun:
    """A host on a hub of its own, and what it is seen to leave there."""

    def __init__(self, host: RunningHost, hub: FreshTaskHub, proxy: RecordingProxy) -> None:
        self._host = host
        self._hub = hub
        self._proxy = proxy
        self.snapshots: dict[str, Record] = {}
        """By the name of the recording that was taken at the same point."""

    async def run_all(self) -> None:
        """Do again all that was recorded, at once."""
        await asyncio.gather(*(self.run(name) for name in LATEST))

    async def run(self, name: str) -> None:
        """Do again what is in a recording; of an instance that was recorded twice, the later one's name."""
        recorded = recording(name)
        start, *others = client_events(recorded)
        await self.start(recorded, start["Input"])
        for number, event in enumerate(others):
            await self.until_as_far(recorded, before=event["Timestamp"])
            if number == len(others) - 1 and (snapshot := _snapshot_of(name)):
                self.snapshots[snapshot] = self.record(recorded)
            await self.tell(recorded, event)
        await self.until_as_far(recorded)

    async def start(self, recorded: Mapping[str, Any], input_text: str | None) -> None:
        """Start the instance as its client did."""
        row = recorded["instances"][0]
        path = f"orchestrators/{row['Name']}/{row['PartitionKey']}"
        answer = await self._host.manage("POST", path, input_text)
        assert answer.status == 202, answer.text

    async def tell(self, recorded: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        """Send what a client sent."""
        path, body = f"instances/{recorded['instances'][0]['PartitionKey']}", None
        kind = event["$type"].rpartition(".")[2].removesuffix("Event")
        if kind == "EventRaised":
            path, body = f"{path}/raiseEvent/{event['Name']}", event["Input"]
        else:
            path += f"/{_CONTROLS[kind]}?reason={quote(event.get('Reason') or event['Input'])}"
        answer = await self._host.manage("POST", path, body)
        assert answer.status == 202, answer.text

    def record(self, recorded: Mapping[str, Any]) -> Record:
        """What is in the hub now of the recorded instance."""
        instance_id = recorded["instances"][0]["PartitionKey"]
        return record_instance(self._hub.connection_string, self._hub.name, instance_id, self._proxy.puts)

    def _rows(self, recorded: Mapping[str, Any]) -> Record:
        instance_id = recorded["instances"][0]["PartitionKey"]
        return record_rows(self._hub.connection_string, self._hub.name, instance_id)

    async def until_as_far(self, recorded: Record, before: str = "9999") -> None:
        """Wait until the instance has the events that the recorded one had before a time, and its row tells of them.

        One that does not come there in time has other events; the comparison is to say which.
        """
        expected = _events_before(recorded, before)

        async def poll() -> None:
            while not _is_as_far(await asyncio.to_thread(self._rows, recorded), expected):
                await asyncio.sleep(_PAUSE_SECONDS)

        with suppress(TimeoutError):
            await asyncio.wait_for(poll(), _PATIENCE_SECONDS)


def renamed(recorded: Mapping[str, Any], hub: str) -> Record:
    """What was recorded, in a hub of another name."""
    text = json.dumps(recorded).replace(RECORDED_HUB, hub).replace(RECORDED_HUB.lower(), hub.lower())
    return dict(json.loads(text))


def client_events(recorded: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events that clients sent, in order; of a start that went to a blob, what its history tells."""
    events: list[dict[str, Any]] = []
    for put in recorded["messages"]:
        body = put["body"]
        if body["TaskMessage"] is not None and body["Sender"]["InstanceId"] == "":
            events.append(body["TaskMessage"]["Event"])
        elif body["TaskMessage"] is None and "-ExecutionStarted." in body["CompressedBlobName"]:
            events.append({"Input": _input_in_blob(recorded)})
    return events


def _input_in_blob(recorded: Mapping[str, Any]) -> str | None:
    (text,) = (rebuilt(blob) for blob in recorded["blobs"] if blob["name"].endswith("-Input.json.gz"))
    return text


def _snapshot_of(name: str) -> str | None:
    return next((other for other in SNAPSHOTS if other.startswith(f"{name.partition('-2')[0]}-1")), None)


def _events_before(recorded: Record, time: str) -> list[str]:
    time = f"{time.removesuffix('Z'):0<27}Z"  # a message's time may have fewer digits than a row's
    return [row["EventType"] for row in _current_rows(recorded) if row["_Timestamp"] < time]


def _is_as_far(record: Record, expected: list[str]) -> bool:
    if not record["instances"]:
        return False
    rows = _current_rows(record)
    is_told = bool(rows) and record["instances"][0]["LastUpdatedTime"] == rows[-1]["_Timestamp"]
    return is_told and [row["EventType"] for row in rows] == expected


def _current_rows(record: Record) -> list[dict[str, Any]]:
    """The events of the current execution of the first instance."""
    keys = ("PartitionKey", "ExecutionId")
    current = [record["instances"][0][key] for key in keys]
    return [row for row in record["history"] if "EventType" in row and [row[key] for key in keys] == current]
