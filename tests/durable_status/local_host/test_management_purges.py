"""Purge: what the recordings do not show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13
from tests.durable_status.local_host.management import with_host
from tests.hosts import TRANSCRIPTS, Answer, RunningHost, running_host
from tests.quiet_storage import QuietStorage


@pytest.mark.conforms("H1.4-2", "H1.4-3", "R3.9-12")
def test_purging_by_id_works_in_any_state_and_frees_the_id() -> None:
    async def test(host: RunningHost) -> None:
        assert (await host.manage("DELETE", "instances/none")).status == 404
        await host.start("WaitGo", "i")
        await host.until_status("i", "Running")
        purged = await host.manage("DELETE", "instances/i")
        assert (purged.status, purged.text) == (200, '{"instancesDeleted":1}')
        assert (await host.manage("POST", "instances/i/raiseEvent/go", "1")).status == 404
        await host.start("WaitGo", "i")

    with_host(test)


@pytest.mark.conforms("H1.4-4", "R3.9-12")
def test_an_instance_that_was_purged_while_pending_comes_back(
    make_storage: Callable[[Clock], StorageProvider],
) -> None:
    async def main() -> None:
        storage: QuietStorage | None = None

        def make(clock: Clock) -> Any:
            nonlocal storage
            storage = QuietStorage(make_storage(clock))
            storage.stop_worker()
            return storage

        async with running_host(TRANSCRIPTS, storage=make, profile=PROFILE_2_13) as host:
            assert storage is not None
            await host.start("WaitGo", "i")
            assert (await host.manage("DELETE", "instances/i")).status == 200
            assert (await host.manage("GET", "instances/i")).status == 404
            storage.start_worker()
            await host.until_status("i", "Running")

    asyncio.run(main())


_PURGES = [
    ("createdTimeFrom=2000-01-01", 200, 3),
    ("createdTimeFrom=2000-01-01&runtimeStatus=Running", 200, 3),
    ("createdTimeFrom=2000-01-01&runtimeStatus=completed", 200, 3),
    ("createdTimeFrom=2000-01-01&runtimeStatus=Unknown", 200, 3),
    ("createdTimeFrom=2000-01-01&runtimeStatus=-1", 200, 3),
    ("createdTimeFrom=2000-01-01&runtimeStatus=Completed,Running", 200, 1),
    ("createdTimeFrom=2000-01-01&runtimeStatus=Unknown&runtimeStatus=1", 200, 1),
    ("createdTimeFrom=2000-01-01&runtimeStatus=Failed,Completed&instanceIdPrefix=f&top=1&showInput=false", 200, 2),
    ("createdTimeFrom=2000-01-01&createdTimeTo=2500-01-01&runtimeStatus=Failed", 200, 1),
    ("createdTimeFrom=2000-01-01T00:00:00+05:00", 400, 0),  # the plus is a blank
    ("createdTimeFrom=2000-01-01&createdTimeFrom=2000-01-01", 400, 0),
    ("createdTimeFrom=2000-01-01&runtimeStatus=Canceled", 404, 0),
    ("createdTimeFrom=2999-01-01", 404, 0),
    ("createdTimeFrom=nonsense", 400, 0),
    ("createdTimeFrom=1-01-01T00:00:00.000000Z", 400, 0),  # what Python makes of datetime.min
    ("createdTimeFrom=0001-01-01T00:00:00Z", 400, 0),
    ("createdTimeFrom=1/1/20", 400, 0),
    ("createdTimeFrom=2000-01-01&createdTimeTo=1/1/20", 400, 0),
    ("createdTimeFrom=2000-01-01&createdTimeTo=2001-01-01", 404, 0),
    ("runtimeStatus=Completed", 400, 0),
]


@pytest.mark.conforms("H1.4-5", "H1.4-6", "H1.4-7", "R3.9-13")
@pytest.mark.parametrize(("query", "status", "deleted"), _PURGES)
def test_a_purge_by_filter_is_restricted_by_terminal_statuses_only(
    query: str, status: int, deleted: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer, left = with_host(_purge_of(query))

    assert (answer.status, 3 - left) == (status, deleted)
    has_trap = deleted == 3 or "2999" in query or "2001" in query
    assert any("deletes every instance" in message for message in caplog.messages) == has_trap


@pytest.mark.conforms("H1.4-8")
def test_a_strict_host_refuses_a_purge_that_nothing_restricts() -> None:
    for query, _, deleted in _PURGES[2:7]:
        answer, left = with_host(_purge_of(query), strict=True)

        if deleted == 3:
            assert (answer.status, left) == (400, 3)
            assert "runtimeStatus=Completed,Failed,Terminated" in answer.json["Message"]
        else:
            assert (answer.status, left) == (200, 2)


def _purge_of(query: str) -> Callable[[RunningHost], Any]:
    async def test(host: RunningHost) -> tuple[Answer, int]:
        await host.start("Greet", "completed", "x")
        await host.start("FailNow", "failed")
        await host.start("WaitGo", "live")
        await host.until_status("completed", "Completed")
        await host.until_status("failed", "Failed")
        await host.until_status("live", "Running")
        answer = await host.manage("DELETE", f"instances?{query}")
        return answer, len((await host.manage("GET", "instances")).json)

    return test
