"""kill -9: whatever was acknowledged goes on at the next start, and nothing is done to an instance twice."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from durable_status.local_host.clock import SystemClock
from durable_status.local_host.storage.sqlite import SqliteStorage
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionCompleted,
    ExecutionStarted,
    OrchestrationStatus,
    OrchestratorCompleted,
    OrchestratorStarted,
    TaskCompleted,
    TaskScheduled,
)
from tests.host_process import HostProcess, host_process
from tests.paths import ROOT

_INSTANCES = 200
_MOST_ROUNDS = 10
_GREETINGS = '["Hello Tokyo!","Hello Seattle!","Hello London!"]'
_FAST = {"HELLO_SECONDS": "0"}


def _completed(path: Path) -> dict[str, tuple[object, ...]]:
    """The rows of completed instances as they stand in the file, by id."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT * FROM instances WHERE runtime_status = 'Completed'").fetchall()
    connection.close()
    return {row[0]: row for row in rows}


async def _start_many(host: HostProcess, ids: Sequence[str], acknowledged: set[str]) -> None:
    """Start S1 under each id and note which starts were answered; the host may die meanwhile."""

    async def start(instance_id: str) -> None:
        answer = await host.manage("POST", f"orchestrators/E1_HelloSequence/{instance_id}")
        assert answer.status == 202
        acknowledged.add(instance_id)

    outcomes = await asyncio.gather(*map(start, ids), return_exceptions=True)
    assert [error for error in outcomes if error and not isinstance(error, aiohttp.ClientError)] == []


async def _kill_when_some_are_complete(host: HostProcess, done_before: int) -> None:
    """Kill the host at the first sight of progress."""
    while True:
        answer = await host.manage("GET", "instances?runtimeStatus=Completed&top=100000")
        if len(answer.json) > done_before:
            await host.kill()
            return


async def _until_all_complete(host: HostProcess, ids: set[str]) -> None:
    async def poll() -> None:
        while True:
            answer = await host.manage("GET", "instances?runtimeStatus=Completed&top=100000")
            if {document["instanceId"] for document in answer.json} >= ids:
                return
            await asyncio.sleep(0.02)

    await asyncio.wait_for(poll(), 180)


async def _histories(path: Path) -> Mapping[str, Sequence[Event]]:
    storage = SqliteStorage(path, SystemClock())
    await storage.open()
    try:
        return {instance_id: await storage.read_history(instance_id) for instance_id in _completed(path)}
    finally:
        await storage.close()


def _flaws(history: Sequence[Event]) -> list[str]:
    """What is wrong with the history of a finished S1; the rules hold for every orchestration."""
    kinds = Counter(type(event) for event in history)
    scheduled = [event.event_id for event in history if isinstance(event, TaskScheduled)]
    completed = [event.task_scheduled_id for event in history if isinstance(event, TaskCompleted)]
    flaws = []
    depth = 0
    for event in history:
        depth += isinstance(event, OrchestratorStarted) - isinstance(event, OrchestratorCompleted)
        if depth not in (0, 1):
            flaws.append("episodes overlap")
    if depth:
        flaws.append("an episode has no end")
    if not isinstance(history[0], OrchestratorStarted) or not isinstance(history[-1], OrchestratorCompleted):
        flaws.append("it does not begin or end with an episode")
    if kinds[ExecutionStarted] != 1 or kinds[ExecutionCompleted] != 1:
        flaws.append(f"it starts {kinds[ExecutionStarted]} times and completes {kinds[ExecutionCompleted]} times")
    if len(set(scheduled)) != 3 or sorted(completed) != sorted(scheduled):
        flaws.append(f"scheduled {scheduled}, completed {completed}")
    return flaws


@pytest.mark.parametrize("moment", ["while starts come in", "after all were started"])
def test_after_kill_9_every_acknowledged_instance_completes_exactly_once(tmp_path: Path, moment: str) -> None:
    path = tmp_path / "hub.sqlite3"
    acknowledged: set[str] = set()
    completed_before: dict[str, Any] = {}

    async def round_that_is_killed(number: int) -> None:
        ids = [f"round{number}-{index}" for index in range(_INSTANCES)]
        async with host_process(ROOT, "--storage", f"sqlite:{path}", environment=_FAST) as host:
            if moment == "while starts come in":
                kill = asyncio.create_task(_kill_when_some_are_complete(host, len(completed_before)))
                await _start_many(host, ids, acknowledged)
                await kill
            else:
                await _start_many(host, ids, acknowledged)
                await _kill_when_some_are_complete(host, len(completed_before))
        completed_before.update(_completed(path))

    async def main() -> None:
        for number in range(_MOST_ROUNDS):  # one, unless the machine finishes all before the kill gets through
            await round_that_is_killed(number)
            if acknowledged - set(completed_before):
                break
        async with host_process(ROOT, "--storage", f"sqlite:{path}", environment=_FAST) as host:
            await _until_all_complete(host, acknowledged)
            assert await host.stop() == 0

    asyncio.run(main())
    rows = _completed(path)
    histories = asyncio.run(_histories(path))
    flaws = {instance_id: found for instance_id, events in histories.items() if (found := _flaws(events))}

    assert completed_before, "the host was killed in the middle"
    assert acknowledged - set(completed_before), "the host was killed in the middle"
    assert acknowledged <= set(rows)
    assert {instance_id: rows[instance_id] for instance_id in completed_before} == completed_before
    assert {row[7] for row in rows.values()} == {_GREETINGS}
    assert flaws == {}


def test_after_kill_9_what_waits_still_waits_and_takes_its_event(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"

    async def main() -> None:
        async with host_process(ROOT, "--storage", f"sqlite:{path}", environment=_FAST) as host:
            await host.start("CityRecommender", "choice", 1)
            await host.start("ReserveTicket", "ticket", "u1")
            await host.start("CityRecommender", "held", 2)
            for instance_id in ("choice", "ticket", "held"):
                await host.until(instance_id, lambda document: document["customStatus"] is not None)
            assert (await host.manage("POST", "instances/held/suspend?reason=wait")).status == 202
            await host.until_status("held", "Suspended")
            before = [await host.status(instance_id) for instance_id in ("choice", "ticket", "held")]
            await host.raise_event("held", "CitySelected", "London")  # kept until it is resumed
            await host.kill()
        async with host_process(ROOT, "--storage", f"sqlite:{path}", environment=_FAST) as host:
            after = [await host.status(instance_id) for instance_id in ("choice", "ticket")]
            assert after == before[:2]
            await host.raise_event("choice", "CitySelected", "Tokyo")
            await host.raise_event("ticket", "BookingConfirmed", True)
            assert (await host.manage("POST", "instances/held/resume")).status == 202

            outputs = [
                (await host.until_status(instance_id, "Completed"))["output"]
                for instance_id in ("choice", "ticket", "held")
            ]
            assert outputs == ["Tokyo", True, "London"]
            assert await host.stop() == 0
        held = (await _histories(path))["held"]
        assert len([event for event in held if isinstance(event, EventRaised)]) == 1

    asyncio.run(main())
    assert {row[5] for row in _completed(path).values()} == {OrchestrationStatus.COMPLETED.value}
