"""What a hub holds when our host stops in the middle: what the recorded one held there. Another host finishes it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from azure.storage.queue import QueueServiceClient

from durable_status.local_host.storage.provider import ActivityWork, EpisodeCommit, OrchestrationWork, StorageProvider
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.hub_differences import find_differences
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
from tests.recorded_hubs import recording

_CUT = ("hello", "failed-by-activity", "failed-orchestrator", "sub-orchestration", "timer", "cancelled-timer")
_CUT_LARGE = ("large-result-70000", "large-activity-input")
_CUTS = [cut for name in (*_CUT, *_CUT_LARGE) for cut in cuts(name) if cut.left]


class StopsAfter:
    """A provider that hands out nothing more after some commits."""

    def __init__(self, storage: StorageProvider, commits: int) -> None:
        self._storage = storage
        self._commits_left = commits
        self.stopped = asyncio.Event()
        """Is set when the last of the commits is done."""
        if commits == 0:
            self.stopped.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    async def next_orchestration(self) -> OrchestrationWork:
        """The next work, or none any more."""
        work = await self._storage.next_orchestration()
        await self._stay_after_last_commit()
        return work

    async def next_activity(self) -> ActivityWork:
        """The next call, or none any more."""
        work = await self._storage.next_activity()
        await self._stay_after_last_commit()
        return work

    async def commit(self, work: OrchestrationWork, commit: EpisodeCommit) -> None:
        """Commit, and count."""
        self._commits_left -= 1  # before, as what it puts can be had before it is done
        await self._storage.commit(work, commit)
        if self._commits_left == 0:
            self.stopped.set()

    async def _stay_after_last_commit(self) -> None:
        if self._commits_left == 0:
            await asyncio.Event().wait()


def _messages_left(hub: FreshTaskHub) -> Counter[str]:
    """How many messages there are to instances and to workers; a child's partition is another in every run."""
    counts: Counter[str] = Counter()
    with QueueServiceClient.from_connection_string(hub.connection_string) as queues:
        for queue in queues.list_queues(f"{hub.name.lower()}-"):
            properties = queues.get_queue_client(queue).get_queue_properties()
            counts[_kind_of(queue.name)] += properties.approximate_message_count
    return +counts


def _kind_of(queue: str) -> str:
    return queue.split("-")[1]


def _pending(name: str, input_columns: dict[str, str]) -> Record:
    """What was in the hub of a recorded instance with a large input before its first commit."""
    recorded = recording(name)
    (row,) = recorded["instances"]
    kept = ("PartitionKey", "RowKey", "Name", "Version", "TaskHubName", "ExecutionId", "Generation", "Tags")
    created = {"CreatedTime": row["CreatedTime"], "LastUpdatedTime": row["CreatedTime"]}
    types = {f"{column}@odata.type": "Edm.DateTime" for column in created}
    pending = {column: row[column] for column in kept} | created | types | input_columns | {"RuntimeStatus": "Pending"}
    blobs = [blob for blob in recorded["blobs"] if any(blob["name"] in text for text in input_columns.values())]
    return {"instances": [pending], "history": [], "messages": recorded["messages"][:1], "blobs": blobs}


def _blob(name: str, part: str) -> str:
    (found,) = (blob["name"] for blob in recording(name)["blobs"] if part in blob["name"])
    return str(found)


_IN_COLUMN = {"Input": "", "InputBlobName": _blob("large-input-31000", "/history--Input-")}
_CONTAINER = "http://127.0.0.1:10000/devstoreaccount1/storagehub-largemessages"
_IN_MESSAGE = {"Input": f"{_CONTAINER}/{_blob('large-input-70000', '/message-')}"}


@pytest.mark.conforms("S0-1")
@pytest.mark.parametrize(
    ("name", "input_columns"), [("large-input-31000", _IN_COLUMN), ("large-input-70000", _IN_MESSAGE)]
)
def test_a_start_with_a_large_input_leaves_it_in_a_blob(
    name: str, input_columns: dict[str, str], task_hub: FreshTaskHub
) -> None:
    async def main() -> Record:
        async with recording_proxy(task_hub.connection_string) as proxy:
            storage = StopsAfter(azure_storage(task_hub, connection_string=proxy.connection_string), 0)
            async with host_on(task_hub, storage) as host:
                rerun = Rerun(host, task_hub, proxy)
                await rerun.start(recording(name), client_events(recording(name))[0]["Input"])
            return rerun.record(recording(name))

    expected = renamed(_pending(name, input_columns), task_hub.name)
    assert [str(one) for one in find_differences(expected, asyncio.run(main()))] == []


@pytest.mark.conforms("S0-1", "S0-4")
@pytest.mark.parametrize("cut", _CUTS, ids=lambda cut: f"{cut.name}-{cut.number}")
def test_a_hub_on_which_we_stop_after_a_commit_is_as_recorded_and_is_finished(cut: Cut, task_hub: FreshTaskHub) -> None:
    recorded = recording(cut.name)
    (start,) = client_events(recorded)

    async def stop() -> Record:
        async with recording_proxy(task_hub.connection_string) as proxy:
            storage = StopsAfter(azure_storage(task_hub, connection_string=proxy.connection_string), cut.number)
            async with host_on(task_hub, storage) as host:
                rerun = Rerun(host, task_hub, proxy)
                await rerun.start(recorded, start["Input"])
                await asyncio.wait_for(storage.stopped.wait(), 60)
            return rerun.record(recorded)

    async def finish() -> Record:
        async with recording_proxy(task_hub.connection_string) as proxy:
            storage = azure_storage(task_hub, connection_string=proxy.connection_string)
            async with host_on(task_hub, storage) as host:
                rerun = Rerun(host, task_hub, proxy)
                await rerun.until_as_far(recorded)
            return rerun.record(recorded)

    stopped, left, finished = asyncio.run(stop()), _messages_left(task_hub), asyncio.run(finish())

    at_cut = renamed({**cut.hub, "messages": cut.put, "left": cut.left}, task_hub.name)
    assert [str(one) for one in find_differences(at_cut, stopped)] == []
    assert left == Counter(_kind_of(put["queue"]) for put in at_cut["left"])
    at_end = renamed({**recorded, "messages": cut.to_come}, task_hub.name)
    assert [str(one) for one in find_differences(at_end, finished)] == []
