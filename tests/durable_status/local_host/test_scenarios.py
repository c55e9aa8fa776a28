"""The scenarios on the local host: what is committed equals what a poller of the real extension saw."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.management.documents import status_document
from durable_status.local_host.storage.provider import (
    EpisodeCommit,
    InstanceRow,
    OrchestrationWork,
    StorageProvider,
)
from durable_status.replay.events import ExecutionStarted
from tests.clock import ManualClock
from tests.hosts import RunningHost, running_host
from tests.paths import GOLDENS

_RECORDED = json.loads((GOLDENS / "scenarios.json").read_text())["answers"]

MakeStorage = Callable[[Clock], StorageProvider]
Play = Callable[[RunningHost, ManualClock, str], Awaitable[None]]


class _Committed:
    """Notes every instance row that a provider commits."""

    def __init__(self) -> None:
        self.rows: list[InstanceRow] = []

    def watch(self, storage: StorageProvider) -> StorageProvider:
        create_instance, commit = storage.create_instance, storage.commit

        async def noting_create(row: InstanceRow, started: ExecutionStarted, *, replace_live: bool) -> None:
            await create_instance(row, started, replace_live=replace_live)
            self.rows.append(row)

        async def noting_commit(work: OrchestrationWork, changes: EpisodeCommit) -> None:
            await commit(work, changes)
            if changes.row is not None:
                self.rows.append(changes.row)

        storage.create_instance = noting_create  # type: ignore[method-assign]
        storage.commit = noting_commit  # type: ignore[method-assign]
        return storage

    def distinct_documents(self) -> list[dict[str, Any]]:
        documents = [_without_times(status_document(row, show_input=True)) for row in self.rows]
        return [document for index, document in enumerate(documents) if document not in documents[:index]]


def _without_times(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if not name.endswith("Time")}


async def _s1(host: RunningHost, _clock: ManualClock, instance_id: str) -> None:
    await host.start("E1_HelloSequence", instance_id)


async def _s5(host: RunningHost, clock: ManualClock, instance_id: str) -> None:
    await host.start("SetStatusTest", instance_id)
    await host.until(instance_id, lambda document: document["customStatus"] is not None)
    clock.advance(30)


def _s3(choice: int, city: str) -> Play:
    async def play(host: RunningHost, _clock: ManualClock, instance_id: str) -> None:
        await host.start("CityRecommender", instance_id, choice)
        await host.until(instance_id, lambda document: document["customStatus"] is not None)
        await host.raise_event(instance_id, "CitySelected", city)

    return play


def _s4(finish: Callable[[RunningHost, ManualClock, str], Awaitable[None]]) -> Play:
    async def play(host: RunningHost, clock: ManualClock, instance_id: str) -> None:
        await host.start("ReserveTicket", instance_id, "u1")
        await host.until(instance_id, lambda document: "discount" in (document["customStatus"] or {}))
        await finish(host, clock, instance_id)

    return play


async def _confirm(host: RunningHost, _clock: ManualClock, instance_id: str) -> None:
    await host.raise_event(instance_id, "BookingConfirmed", True)


async def _let_time_pass(_host: RunningHost, clock: ManualClock, _instance_id: str) -> None:
    clock.advance(60)


_PLAYS: dict[str, Play] = {
    "S1": _s1,
    "S5_S6": _s5,
    "S3_1": _s3(1, "Seattle"),
    "S3_2": _s3(2, "Seattle"),
    "S3_3": _s3(3, "Tokyo"),
    "S4_confirmed": _s4(_confirm),
    "S4_timed_out": _s4(_let_time_pass),
}


def test_every_recorded_scenario_is_played() -> None:
    assert set(_RECORDED) == set(_PLAYS)


@pytest.mark.parametrize("scenario", sorted(_PLAYS))
def test_the_committed_rows_are_the_recorded_documents(scenario: str, make_storage: MakeStorage) -> None:
    recorded = [json.loads(answer["body"]) for answer in _RECORDED[scenario]]
    committed = _Committed()

    async def main() -> None:
        clock = ManualClock()
        storage = committed.watch(make_storage(clock))
        async with running_host(storage=lambda _: storage, clock=clock) as host:
            instance_id = recorded[0]["instanceId"]
            await _PLAYS[scenario](host, clock, instance_id)
            await host.until_status(instance_id, "Completed")

    asyncio.run(main())

    assert committed.distinct_documents() == [_without_times(document) for document in recorded]


def test_s6_the_status_over_http_has_the_recorded_shape() -> None:
    recorded = _RECORDED["S5_S6"][1]

    async def main() -> None:
        clock = ManualClock()
        async with running_host(clock=clock) as host:
            answer = await host.manage("POST", "orchestrators/SetStatusTest/instance123")
            assert answer.status == 202
            await host.until("instance123", lambda document: document["customStatus"] is not None)
            answer = await host.manage("GET", "instances/instance123")

            assert (answer.status, answer.headers["Retry-After"]) == (recorded["status"], recorded["retryAfter"])
            assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
            assert (
                answer.headers["Location"] == f"{host.host.base_url}/runtime/webhooks/durabletask/instances/instance123"
            )
            assert list(answer.json.items())[:6] == list(json.loads(recorded["body"]).items())[:6]
            assert answer.text == json.dumps(answer.json, ensure_ascii=False, separators=(",", ":"))

    asyncio.run(main())


def test_s2_the_waiting_starter_answers_when_the_status_is_reached() -> None:
    async def main() -> None:
        async with running_host() as host:
            answer = await host.request("POST", "/api/orchestrators/E1_HelloSequence/wait?status=London&timeout=10")

            assert answer.status == 200
            assert (answer.json["runtimeStatus"], answer.json["customStatus"]) == ("Completed", "London")

    asyncio.run(main())


def test_s2_the_waiting_starter_answers_202_at_its_deadline_and_500_after_another_end() -> None:
    async def main() -> None:
        async with running_host() as host:
            late = await host.request("POST", "/api/orchestrators/SetStatusTest/wait?status=Never&timeout=0")
            ended = await host.request("POST", "/api/orchestrators/E1_HelloSequence/wait?status=Paris&timeout=10")

            assert (late.status, "statusQueryGetUri" in late.json) == (202, True)
            assert (ended.status, ended.json["customStatus"]) == (500, "London")

    asyncio.run(main())


def test_s3_ignores_what_was_not_on_offer_and_understands_the_sdks_own_way_of_sending() -> None:
    async def main() -> None:
        async with running_host() as host:
            await host.start("CityRecommender", "c", 1)
            await host.until("c", lambda document: document["customStatus"] is not None)
            for payload in ("London", 7, {"city": "Tokyo"}, None, '"Paris"'):
                await host.raise_event("c", "CitySelected", payload)
            await host.raise_event("c", "CitySelected", '"Tokyo"')

            document = await host.until_status("c", "Completed")
            assert (document["output"], document["customStatus"]["recommendedCities"]) == ("Tokyo", ["Tokyo"])

    asyncio.run(main())


def test_s7_an_oversized_status_fails_in_the_writers_words(make_storage: MakeStorage) -> None:
    from tests.paths import APPS

    async def main() -> None:
        async with running_host(APPS / "too_large", storage=make_storage) as host:
            await host.start("Grow", "g")

            document = await host.until_status("g", "Failed")
            assert document["output"].startswith(
                "Orchestrator function 'Grow' failed: This str takes 20,004 bytes as a custom status, the limit is "
            )

    asyncio.run(main())
