"""Raise event, terminate, suspend and resume: what the recordings do not show."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.provider import StorageProvider
from tests.durable_status.local_host.management import with_host, with_storage
from tests.hosts import CLIENT_CALLS, RunningHost
from tests.quiet_storage import QuietStorage

MakeStorage = Callable[[Clock], StorageProvider]


@pytest.mark.conforms("H1.5-2", "H1.5-3", "H1.5-4", "H1.5-5", "H1.7-2")
@pytest.mark.parametrize(
    ("instance_id", "content_type", "body", "status"),
    [
        ("none", "text/plain", "{", 404),
        ("ended", "text/plain", "{", 410),
        ("live", "", "1", 400),
        ("live", "text/json", "1", 400),
        ("live", "application/problem+json", "1", 400),
        ("live", "APPLICATION/JSON; charset=utf-8", "1", 202),
        ("live", "application/json; charset=nonsense", "1", 500),
        ("live", "application/json", "", 400),
        ("live", "application/json", "  ", 400),
        ("live", "application/json", "[1,2", 400),
        ("live", "application/json", "1x", 400),
        ("live", "application/json", "truely", 400),
        ("live", "application/json", "2024-01-02", 400),
        ("live", "application/json", "42 is enough", 202),
        ("live", "application/json", '"a"b', 202),
        ("live", "application/json", "nonsense", 400),
        ("live", "application/json", '{"a":1} and more', 202),
    ],
)
def test_an_event_is_checked_in_order(instance_id: str, content_type: str, body: str, status: int) -> None:
    async def test(host: RunningHost) -> int:
        await host.start("WaitGo", "live")
        await host.start("Greet", "ended", "x")
        await host.until_status("ended", "Completed")
        answer = await host.request(
            "POST",
            f"/durabletask/instances/{instance_id}/raiseEvent/other",
            body,
            headers={"Content-Type": content_type},
            rpc=True,
        )
        return answer.status

    assert with_host(test) == status


@pytest.mark.conforms("H1.5-6", "H1.5-7")
def test_event_names_are_decoded_and_compared_exactly() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("WaitGo", "i")
        for name in ("GO", "a%20b%2Fc"):
            await host.raise_event("i", name, 1)
        await host.manage("POST", "instances/i/suspend")
        await host.until_status("i", "Suspended")
        await host.raise_event("i", "go", 2)
        await host.manage("POST", "instances/i/resume")
        assert (await host.until_status("i", "Completed"))["output"] == {"got": 2}
        events = (await host.manage("GET", "instances/i?showHistory=true")).json["historyEvents"]
        assert [item["Name"] for item in events if item["EventType"] == "EventRaised"] == ["GO", "a b%2Fc", "go"]

    with_host(test)


_STATES = ("pending", "running", "suspended", "completed", "terminated", "failed", "none")
_BY_STATE = {
    "POST orchestrators/WaitGo/{id}": (500, 500, 500, 202, 202, 202, 202),
    "POST instances/{id}/restart?restartWithNewInstanceId=false": (500, 500, 500, 202, 202, 202, 400),
    "POST instances/{id}/restart": (202, 202, 202, 202, 202, 202, 400),
    "POST instances/{id}/terminate": (202, 202, 202, 410, 410, 410, 404),
    "POST instances/{id}/suspend": (202, 202, 500, 410, 410, 410, 404),
    "POST instances/{id}/resume": (500, 500, 202, 410, 410, 410, 404),
    "POST instances/{id}/rewind": (500, 500, 500, 410, 410, 202, 404),
    "POST instances/{id}/raiseEvent/go": (202, 202, 202, 410, 410, 410, 404),
    "DELETE instances/{id}": (200, 200, 200, 200, 200, 200, 404),
}


@pytest.mark.conforms("H1.6-2", "H1.6-3", "H1.6-4", "H1.6-5", "H1.6-6", "H1.7-3", "H1.9-3", "R3.9-4")
@pytest.mark.parametrize("request_line", _BY_STATE)
def test_operations_are_answered_by_the_state_of_the_instance(request_line: str, make_storage: MakeStorage) -> None:
    async def test(host: RunningHost, storage: QuietStorage) -> list[int]:
        await _reach_all_states(host, storage)
        method, _, path = request_line.partition(" ")
        return [
            (await host.manage(method, path.replace("{id}", state), "1" if "Event" in path else None)).status
            for state in _STATES
        ]

    assert with_storage(test, make_storage) == list(_BY_STATE[request_line])


async def _reach_all_states(host: RunningHost, storage: QuietStorage) -> None:
    for state in ("running", "suspended", "terminated"):
        await host.start("WaitGo", state)
    await host.start("Greet", "completed", "x")
    await host.start("FailNow", "failed")
    await storage.until_quiet()
    await host.manage("POST", "instances/suspended/suspend")
    await host.manage("POST", "instances/terminated/terminate")
    await storage.until_quiet()
    storage.stop_worker()
    await host.start("WaitGo", "pending")


async def _in_one_batch(host: RunningHost, storage: QuietStorage, requests: list[tuple[str, str | None]]) -> None:
    """Send requests to instance ``i`` that its next episode gets together."""
    storage.stop_worker()
    for path, body in requests:
        assert (await host.manage("POST", path, body)).status == 202
    storage.start_worker()
    await storage.until_quiet()


@pytest.mark.conforms("R3.9-5")
def test_an_instance_that_is_terminated_before_it_ran_runs_once(make_storage: MakeStorage) -> None:
    async def test(host: RunningHost, storage: QuietStorage) -> None:
        requests = [("orchestrators/WaitGo/i", None), ("instances/i/terminate?reason=no", None)]
        await _in_one_batch(host, storage, requests)
        document = await host.status("i")
        assert (document["runtimeStatus"], document["output"]) == ("Terminated", "no")
        assert document["customStatus"] == {"waiting": "go"}

    with_storage(test, make_storage)


@pytest.mark.conforms("R3.9-6")
@pytest.mark.parametrize("terminates_first", [True, False])
def test_a_termination_beats_a_completion_in_the_same_batch(terminates_first: bool, make_storage: MakeStorage) -> None:
    async def test(host: RunningHost, storage: QuietStorage) -> None:
        await host.start("WaitGo", "i")
        await storage.until_quiet()
        requests: list[tuple[str, str | None]] = [
            ("instances/i/terminate?reason=no", None),
            ("instances/i/raiseEvent/go", "1"),
        ]
        await _in_one_batch(host, storage, requests if terminates_first else requests[::-1])
        document = await host.status("i")
        assert (document["runtimeStatus"], document["output"]) == ("Terminated", "no")

    with_storage(test, make_storage)


@pytest.mark.conforms("R3.9-7", "R3.9-8", "R3.9-9")
def test_a_suspended_instance_holds_its_events_until_it_is_resumed(make_storage: MakeStorage) -> None:
    async def test(host: RunningHost, storage: QuietStorage) -> None:
        await host.start("ContinueWithEvents", "i")
        await storage.until_quiet()
        await host.manage("POST", "instances/i/suspend?reason=hold")
        await storage.until_quiet()
        await host.raise_event("i", "go", 1)
        await storage.until_quiet()
        held = await host.status("i")
        assert (held["runtimeStatus"], held["output"], held["input"]) == ("Suspended", "hold", None)
        await host.manage("POST", "instances/i/resume?reason=on")
        await storage.until_quiet()
        resumed = await host.status("i")
        assert (resumed["runtimeStatus"], resumed["input"]) == ("Running", "1"), "the event came through"

    with_storage(test, make_storage)


@pytest.mark.conforms("R3.9-9")
def test_the_resume_reason_is_the_output_until_the_end(make_storage: MakeStorage) -> None:
    async def test(host: RunningHost, storage: QuietStorage) -> None:
        await host.start("WaitGo", "i")
        for path in ("suspend?reason=hold", "resume?reason=on"):
            await storage.until_quiet()
            await host.manage("POST", f"instances/i/{path}")
        await storage.until_quiet()
        assert (await host.status("i"))["output"] == "on"
        await host.raise_event("i", "go", 1)
        assert (await host.until_status("i", "Completed"))["output"] == {"got": 1}

    with_storage(test, make_storage)


@pytest.mark.conforms("H1.2-16")
def test_the_output_of_a_live_instance_is_the_last_reason_that_was_given(make_storage: MakeStorage) -> None:
    async def test(host: RunningHost, storage: QuietStorage) -> list[object]:
        await host.start("WaitGo", "i")
        outputs = []
        for path in (
            "suspend?reason=hold",
            "resume",
            "suspend?reason=",
            "resume?reason=42+is+enough",
            "suspend?reason",
        ):
            await storage.until_quiet()
            assert (await host.manage("POST", f"instances/i/{path}")).status == 202
            await storage.until_quiet()
            outputs.append((await host.status("i"))["output"])
        return outputs

    assert with_storage(test, make_storage) == ["hold", "hold", "", 42, 42]


@pytest.mark.conforms("R3.8-4")
def test_what_is_done_to_a_parent_or_a_child_is_not_done_to_the_other() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("Parent", "p", "Waits")
        await host.until_status("p-child", "Running")
        await host.manage("POST", "instances/p-child/suspend?reason=rest")
        await host.until_status("p-child", "Suspended")
        assert (await host.status("p"))["runtimeStatus"] == "Running"
        await host.manage("POST", "instances/p/terminate?reason=enough")
        await host.until_status("p", "Terminated")
        await host.manage("POST", "instances/p-child/resume")
        await host.raise_event("p-child", "go", 1)
        await host.until_status("p-child", "Completed")
        assert (await host.status("p"))["output"] == "enough"

    with_host(test, folder=CLIENT_CALLS)
