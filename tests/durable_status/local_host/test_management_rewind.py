"""Restart and rewind: what the recordings do not show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.clock import ManualClock
from tests.durable_status.local_host.management import with_host
from tests.hosts import CLIENT_CALLS, TRANSCRIPTS, RunningHost, running_host
from tests.quiet_storage import QuietStorage


@pytest.mark.conforms("H1.6-7", "H1.6-8", "R3.9-14")
def test_a_restart_takes_function_and_input_over() -> None:
    async def test(host: RunningHost) -> None:
        large = "x" * 100_000
        await host.start("EchoInput", "i", large)
        first = await host.until_status("i", "Completed")
        copy = (await host.manage("POST", "instances/i/restart")).json["id"]
        assert len(copy) == 32
        assert (await host.until_status(copy, "Completed"))["output"] == large
        waited = await host.manage(
            "POST", "instances/i/restart?restartWithNewInstanceId=false&timeout=9&pollingInterval=0.01"
        )
        assert (waited.status, waited.json) == (200, large)
        assert (await host.status("i"))["createdTime"] >= first["createdTime"]
        too_short = await host.manage("POST", "instances/i/restart?timeout=1&pollingInterval=2")
        assert too_short.status == 400
        assert too_short.json["Message"] == "InstanceId does not match a valid orchestration instance."
        assert len((await host.manage("GET", "instances")).json) == 3, "started all the same"

    with_host(test)


@pytest.mark.conforms("H1.6-10")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)
def test_a_restart_without_input_starts_with_the_json_null(profile: Profile) -> None:
    async def test(host: RunningHost) -> None:
        await host.start("EchoInput", "i")
        await host.until_status("i", "Completed")
        copy = (await host.manage("POST", "instances/i/restart")).json["id"]
        await host.until_status(copy, "Completed")
        shown = [(await host.manage("GET", f"instances/{name}?showHistory=true")).json for name in ("i", copy)]
        assert [document["input"] for document in shown] == [None, None]
        assert [document["historyEvents"][0]["Input"] for document in shown] == [None, "null"]

    with_host(test, profile=profile)


@pytest.mark.conforms("H1.6-9", "R3.9-20", "R3.9-24")
def test_a_rewound_instance_tries_again_what_failed(make_storage: Callable[[Clock], StorageProvider]) -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS, storage=make_storage, profile=PROFILE_2_13) as host:
            await host.request("POST", "/api/failures/1")
            await host.start("CallsFlaky", "i")
            failed = await host.until_status("i", "Failed")
            assert (await host.manage("POST", "instances/i/rewind?reason=again")).status == 202
            done = await host.until_status("i", "Completed")
            assert (done["output"], done["createdTime"]) == ("done", failed["createdTime"])

    asyncio.run(main())


@pytest.mark.conforms("R3.9-24")
def test_a_rewound_instance_is_pending_and_keeps_output_and_status_until_it_runs() -> None:
    async def main() -> None:
        storage = QuietStorage(MemoryStorage(ManualClock()))
        async with running_host(TRANSCRIPTS, storage=lambda _: storage, profile=PROFILE_2_13) as host:
            await host.start("FailNow", "i")
            await host.until_status("i", "Failed")
            await storage.until_quiet()
            storage.stop_worker()
            await host.manage("POST", "instances/i/rewind")
            shown = await host.status("i")
            assert shown["runtimeStatus"] == "Pending"
            assert (shown["output"], shown["customStatus"]) == (
                "Orchestrator function 'FailNow' failed: bad luck",
                "about to fail",
            )
            storage.start_worker()
            await host.until_status("i", "Failed")

    asyncio.run(main())


@pytest.mark.conforms("R3.9-21")
def test_rewinding_a_parent_rewinds_the_children_that_failed(
    make_storage: Callable[[Clock], StorageProvider],
) -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS, storage=make_storage, profile=PROFILE_2_13) as host:
            await host.request("POST", "/api/failures/1")
            await host.start("Parent", "p", "CallsFlaky")
            await host.until_status("p", "Failed")
            await host.manage("POST", "instances/p/rewind")
            assert (await host.until_status("p", "Completed"))["output"] == "done"
            assert (await host.status("p-child"))["runtimeStatus"] == "Completed"

    asyncio.run(main())


@pytest.mark.conforms("R3.9-25")
def test_a_child_that_was_purged_cannot_be_rewound_and_nothing_changes() -> None:
    async def test(host: RunningHost) -> None:
        await host.request("POST", "/api/failures/1")
        await host.start("Parent", "p", "CallsFlaky")
        before = await host.until_status("p", "Failed")
        await host.manage("DELETE", "instances/p-child")
        answer = await host.manage("POST", "instances/p/rewind")
        assert answer.status == 500
        assert "p-child was purged" in answer.json["ExceptionMessage"]
        assert await host.status("p") == before

    with_host(test, folder=CLIENT_CALLS)


@pytest.mark.conforms("R3.9-22", "R3.9-30")
@pytest.mark.parametrize("name", ["RetriesFlaky", "CatchesFlaky"])
def test_rewinding_retries_and_caught_failures_ends_in_non_determinism(name: str) -> None:
    async def test(host: RunningHost) -> None:
        await host.request("POST", "/api/failures/9")
        await host.start(name, "i")
        await host.until_status("i", "Failed")
        await host.manage("POST", "instances/i/rewind")
        again = await host.until("i", lambda shown: "Non-Deterministic" in str(shown["output"]))
        assert again["runtimeStatus"] == "Failed"

    with_host(test, folder=CLIENT_CALLS)


@pytest.mark.conforms("R3.9-23", "R3.9-26")
def test_rewinding_a_parent_of_a_terminated_child_leaves_both_pending() -> None:
    async def main() -> None:
        storage: list[QuietStorage] = []

        def make(clock: Clock) -> Any:
            storage.append(QuietStorage(MemoryStorage(clock)))
            return storage[0]

        async with running_host(CLIENT_CALLS, storage=make, profile=PROFILE_2_13) as host:
            await host.start("Parent", "p", "Waits")
            await host.until_status("p-child", "Running")
            await host.manage("POST", "instances/p-child/terminate")
            await host.until_status("p", "Failed")
            await host.manage("POST", "instances/p/rewind")
            await storage[0].until_quiet()
            assert [(await host.status(name))["runtimeStatus"] for name in ("p", "p-child")] == ["Pending"] * 2
            assert (await host.manage("POST", "instances/p-child/terminate")).status == 202
            await storage[0].until_quiet()
            assert (await host.status("p-child"))["runtimeStatus"] == "Pending", "without effect"
            assert (await host.manage("POST", "orchestrators/Waits/p-child")).status == 500
            restart = "instances/p-child/restart?restartWithNewInstanceId=false"
            assert (await host.manage("POST", restart)).status == 500
            await host.manage("POST", "instances/p/terminate")
            await host.until_status("p", "Terminated")
            assert (await host.manage("DELETE", "instances/p-child")).status == 200

    asyncio.run(main())
