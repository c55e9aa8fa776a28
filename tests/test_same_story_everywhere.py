"""Every scenario tells the same story in the harness, on the local host with every storage, and on the real host."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.local_host.storage.sqlite import SqliteStorage
from durable_status.stored_text import read_stored
from durable_status.testing.bench import DurableBench
from durable_status.testing.fresh_task_hub import FreshTaskHub
from durable_status.testing.run import OrchestrationRun
from tests.azure_hubs import azure_storage
from tests.clock import ManualClock
from tests.durable_status.local_host.test_scenarios import _PLAYS as HOST_PLAYS
from tests.durable_status.local_host.test_scenarios import _Committed
from tests.hosts import running_host
from tests.paths import GOLDENS

_RECORDED = json.loads((GOLDENS / "scenarios.json").read_text())["answers"]
_TOLD = ("name", "instanceId", "runtimeStatus", "input", "customStatus", "output")

Story = list[dict[str, Any]]

_PLAYS: dict[str, tuple[Any, Callable[[OrchestrationRun], object]]] = {
    "S1": (None, lambda run: run),
    "S3_1": (1, lambda run: run.raise_event("CitySelected", "Seattle")),
    "S3_2": (2, lambda run: run.raise_event("CitySelected", "Seattle")),
    "S3_3": (3, lambda run: run.raise_event("CitySelected", "Tokyo")),
    "S4_confirmed": ("u1", lambda run: run.raise_event("BookingConfirmed", True)),
    "S4_timed_out": ("u1", lambda run: run.advance(seconds=60)),
    "S5_S6": (None, lambda run: run.advance(seconds=30)),
}


def _recorded(scenario: str) -> Story:
    """What a poller of the real extension saw."""
    documents = [json.loads(answer["body"]) for answer in _RECORDED[scenario]]
    return [{key: document[key] for key in _TOLD} for document in documents]


def _in_harness(durable: DurableBench, scenario: str) -> Story:
    first = _recorded(scenario)[0]
    input_value, play = _PLAYS[scenario]
    run = durable.start(first["name"], input_value, instance_id=first["instanceId"])
    play(run)
    members = {"name": run.name, "instanceId": run.instance_id, "input": read_stored(run.started_input)}
    return [
        members | {"runtimeStatus": seen.runtime_status, "customStatus": seen.status, "output": seen.output}
        for seen in run.timeline
    ]


def _on_host(scenario: str, make_storage: Callable[[Clock], StorageProvider]) -> Story:
    committed = _Committed()
    instance_id = _recorded(scenario)[0]["instanceId"]

    async def main() -> None:
        clock = ManualClock()
        storage = committed.watch(make_storage(clock))
        async with running_host(storage=lambda _: storage, clock=clock) as host:
            await HOST_PLAYS[scenario](host, clock, instance_id)
            await host.until_status(instance_id, "Completed")

    asyncio.run(main())
    return committed.distinct_documents()


def test_the_same_scenarios_are_played_everywhere() -> None:
    assert set(_PLAYS) == set(HOST_PLAYS) == set(_RECORDED)


@pytest.mark.parametrize("scenario", sorted(_PLAYS))
def test_every_teller_tells_the_recorded_story(durable: DurableBench, scenario: str, tmp_path: Path) -> None:
    recorded = _recorded(scenario)

    assert _in_harness(durable, scenario) == recorded
    assert _on_host(scenario, MemoryStorage) == recorded
    assert _on_host(scenario, lambda clock: SqliteStorage(tmp_path / "hub.sqlite3", clock)) == recorded


@pytest.mark.parametrize("scenario", sorted(_PLAYS))
def test_a_host_on_azurite_tells_it_too(scenario: str, task_hub: FreshTaskHub) -> None:
    assert _on_host(scenario, lambda clock: azure_storage(task_hub, clock)) == _recorded(scenario)
