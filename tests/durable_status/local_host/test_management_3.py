"""What the management API does otherwise under extension 3.x."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest

from durable_status.local_host.clock import SystemClock
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.replay.events import ExecutionStarted, SubOrchestrationInstanceCompleted
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3
from tests.hosts import CLIENT_CALLS, TRANSCRIPTS, RunningHost, running_host

_PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _with_host(test: Callable[[RunningHost, MemoryStorage], Any], **options: Any) -> Any:
    """Run `test` on a host of profile 3 and with its storage."""

    async def main() -> Any:
        storage = MemoryStorage(SystemClock())
        folder = options.pop("folder", TRANSCRIPTS)
        async with running_host(folder, storage=lambda _: storage, **{"profile": PROFILE_3, **options}) as host:
            return await test(host, storage)

    return asyncio.run(main())


async def _started(storage: MemoryStorage, instance_id: str) -> ExecutionStarted:
    history = await storage.read_history(instance_id)
    return next(event for event in history if isinstance(event, ExecutionStarted))


@pytest.mark.conforms("XH-3")
def test_an_input_is_stored_as_the_text_that_was_sent() -> None:
    async def test(host: RunningHost, storage: MemoryStorage) -> None:
        await host.manage("POST", "orchestrators/WaitGo/i", '{"b": 1, "b" : [1.50]}')
        row = await storage.read_instance("i")
        assert row is not None
        assert row.input == '{"b": 1, "b" : [1.50]}'
        assert (await host.manage("POST", "orchestrators/WaitGo/j", "nonsense")).status == 400
        assert (await host.manage("GET", "instances/j")).status == 404

    _with_host(test)


@pytest.mark.conforms("XH-4")
def test_a_start_takes_a_version_else_the_default_one() -> None:
    async def test(host: RunningHost, storage: MemoryStorage) -> list[str]:
        for path in ("asked?version=1.2", "default"):
            await host.manage("POST", f"orchestrators/WaitGo/{path}")
        for name in ("asked", "default"):
            await host.until_status(name, "Running")
        return [(await _started(storage, name)).version for name in ("asked", "default")]

    assert _with_host(test, settings={"default_version": "9"}) == ["1.2", "9"]
    assert _with_host(test, settings={"default_version": "9"}, profile=PROFILE_2_13) == ["", ""]


@pytest.mark.conforms("XH-5", "XH-20")
def test_trace_headers_become_the_parent_of_the_trace() -> None:
    async def test(host: RunningHost, storage: MemoryStorage) -> list[Any]:
        for name, parent in (("good", _PARENT), ("bad", "nonsense")):
            headers = {"traceparent": parent, "tracestate": "a=b"}
            await host.manage("POST", f"orchestrators/WaitGo/{name}", headers=headers)
            await host.until_status(name, "Running")
        assert (await _started(storage, "good")).generate_new_trace in (False, None)
        return [(await _started(storage, name)).parent_trace_context for name in ("good", "bad")]

    assert _with_host(test) == [{"TraceParent": _PARENT, "TraceState": "a=b"}, None]
    assert _with_host(test, profile=PROFILE_2_13) == [None, None]


@pytest.mark.conforms("XH-6", "H1.1-14")
def test_execution_ids_of_starts_have_dashes() -> None:
    async def test(host: RunningHost, storage: MemoryStorage) -> str:
        await host.start("WaitGo", "i")
        row = await storage.read_instance("i")
        assert row is not None
        return row.execution_id

    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", _with_host(test))
    assert re.fullmatch("[0-9a-f]{32}", _with_host(test, profile=PROFILE_2_13))


@pytest.mark.conforms("XH-7", "XH-8")
def test_live_instances_are_not_purged_by_id_except_entities() -> None:
    async def test(host: RunningHost, _: MemoryStorage) -> None:
        for name in ("live", "@box@one", "@x"):
            await host.manage("POST", f"orchestrators/WaitGo/{name}")
            await host.until_status(name, "Running")
        refused = await host.manage("DELETE", "instances/live")
        assert refused.status == 412
        assert refused.json == {
            "Message": "Only orchestrations in a terminal state can be purged, but the orchestration with "
            "instance ID live has status Running"
        }
        assert (await host.manage("DELETE", "instances/@x")).status == 412
        assert (await host.manage("DELETE", "instances/@box@one")).status == 200
        by_filter = await host.manage("DELETE", "instances?createdTimeFrom=2000-01-01")
        assert by_filter.json == {"instancesDeleted": 2}, "unchanged"

    _with_host(test)


@pytest.mark.conforms("XH-1", "XH-9", "XH-26")
def test_duplicates_and_restarts_of_live_instances_conflict() -> None:
    async def test(host: RunningHost, _: MemoryStorage) -> None:
        await host.start("WaitGo", "live")
        await host.until_status("live", "Running")
        duplicate = await host.manage("POST", "orchestrators/WaitGo/live")
        assert (duplicate.status, duplicate.json) == (
            409,
            {"Message": "An Orchestration instance with the status Running already exists."},
        )
        restart = await host.manage("POST", "instances/live/restart?restartWithNewInstanceId=false")
        assert (restart.status, restart.json) == (
            409,
            {"Message": "A non-terminal instance with this instance ID already exists."},
        )
        unknown = await host.manage("POST", "instances/none/restart")
        assert unknown.status == 400
        assert unknown.json["ExceptionMessage"] == ("No instance with ID 'none' was found. (Parameter 'instanceId')")

    _with_host(test)


@pytest.mark.conforms("XH-11", "XH-12")
def test_wrong_rewinds_are_explained() -> None:
    async def test(host: RunningHost, _: MemoryStorage) -> None:
        await host.start("Greet", "done", "x")
        await host.until_status("done", "Completed")
        unknown = await host.manage("POST", "instances/none/rewind")
        assert (unknown.status, unknown.json) == (
            404,
            {"Message": 'No orchestration with instance ID "$none" found.'},
        )
        ended = await host.manage("POST", "instances/done/rewind")
        assert (ended.status, ended.json) == (
            412,
            {
                "Message": "This orchestration has status Completed, "
                'but only orchestrations in the "Failed" state can be rewound.'
            },
        )

    _with_host(test)


@pytest.mark.conforms("XH-14")
def test_paths_are_decoded_before_they_are_matched() -> None:
    async def test(host: RunningHost, _: MemoryStorage) -> None:
        assert (await host.manage("POST", "orchestrators/WaitGo/x%2Fy")).status == 404
        started = await host.manage("POST", "orchestrators/WaitGo/a%20b@c")
        link = started.json["statusQueryGetUri"]
        async with host.session.get(link) as shown:
            assert (await shown.json())["instanceId"] == "a b@c"

    _with_host(test)


@pytest.mark.conforms("XH-15")
def test_forwarded_hosts_count_if_host_json_says_so_and_both_headers_are_there() -> None:
    async def test(host: RunningHost, _: MemoryStorage) -> list[str]:
        origins = []
        for headers in (
            {"X-Forwarded-Host": "outside.example", "X-Forwarded-Proto": "https"},
            {"X-Forwarded-Host": "outside.example"},
        ):
            answer = await host.manage("POST", "orchestrators/WaitGo", headers=headers)
            origin = answer.json["statusQueryGetUri"].partition("/runtime")[0]
            origins.append("own" if origin == host.host.base_url else origin)
        return origins

    assert _with_host(test, settings={"uses_forwarded_host": True}) == ["https://outside.example", "own"]
    assert _with_host(test) == ["own", "own"]
    assert _with_host(test, settings={"uses_forwarded_host": True}, profile=PROFILE_2_13) == ["own", "own"]


@pytest.mark.conforms("XH-16")
def test_the_invocation_that_calls_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def test(host: RunningHost, _: MemoryStorage) -> None:
        headers = {"X-Azure-Functions-InvocationId": "11111111-2222-3333-4444-555555555555"}
        await host.manage("GET", "instances", headers=headers)

    with caplog.at_level(logging.DEBUG, "durable_status"):
        _with_host(test)

    said = "Operation list_instances of function invocation 11111111-2222-3333-4444-555555555555."
    assert said in caplog.messages


@pytest.mark.conforms("XH-17", "XH-19", "XH-20")
def test_histories_and_triggers_carry_the_newer_members() -> None:
    async def test(host: RunningHost, storage: MemoryStorage) -> None:
        await host.start("Parent", "p", "Calls")
        await host.until_status("p", "Completed")
        copy = await host.manage(
            "POST", "instances/p/restart?timeout=9&pollingInterval=0.01&restartWithNewInstanceId=true"
        )
        assert copy.status == 200
        ids = [item["instanceId"] for item in (await host.manage("GET", "instances")).json]
        (copied,) = [name for name in ids if len(name) == 32]
        assert (await _started(storage, copied)).source_instance_id == "p"
        assert (await _started(storage, "p")).source_instance_id is None
        (answered,) = [
            event for event in await storage.read_history("p") if isinstance(event, SubOrchestrationInstanceCompleted)
        ]
        assert answered.instance_id == "p-child"
        items = (await host.manage("GET", f"instances/{copied}?showHistory=true")).json["historyEvents"]
        assert items[0]["GenerateNewTrace"] is False
        assert "SourceInstanceId" not in items[0]
        (child,) = [item for item in items if item["EventType"] == "SubOrchestrationInstanceCompleted"]
        assert child["InstanceId"] == f"{copied}-child"

    _with_host(test, folder=CLIENT_CALLS)


@pytest.mark.conforms("XH-18")
def test_the_text_of_a_failed_activity_has_one_blank() -> None:
    async def test(host: RunningHost, _: MemoryStorage) -> str:
        await host.start("FailingUncaught", "i")
        output: str = (await host.until_status("i", "Failed"))["output"]
        return output.partition("boom")[0]

    assert _with_host(test).endswith("'Boom' failed: ValueError: ")
    assert _with_host(test, profile=PROFILE_2_13).endswith("'Boom' failed:  ValueError: ")


@pytest.mark.conforms("XH-21", "XH-22", "XH-23")
@pytest.mark.parametrize(
    ("query", "token", "status", "text"),
    [
        ("top=0", "", 200, "[]"),
        ("top=-1", "", 500, '"ExceptionType":"DurableTask.AzureStorage.Storage.DurableTaskStorageException"'),
        ("top=-1", "", 500, '"ExceptionMessage":"An error occurred while communicating with Azure Storage"'),
        ("", "no token!", 200, "[]"),
    ],
)
def test_pages_that_make_no_sense_are_empty_except_negative_ones(
    query: str, token: str, status: int, text: str
) -> None:
    async def test(host: RunningHost, _: MemoryStorage) -> None:
        await host.start("WaitGo", "i")
        page = await host.manage("GET", f"instances?{query}", headers={"x-ms-continuation-token": token})
        assert page.status == status
        assert text in page.text

    _with_host(test)


@pytest.mark.conforms("XH-25")
def test_times_to_wait_that_make_no_sense_are_refused_with_a_message_only() -> None:
    async def test(host: RunningHost, _: MemoryStorage) -> None:
        for query, text in (
            ("timeout=1&pollingInterval=5", "Total timeout 1 should be bigger than retry timeout 5"),
            ("timeout=NaN&pollingInterval=1", "TimeSpan does not accept floating point Not-a-Number values."),
        ):
            answer = await host.manage("POST", f"orchestrators/WaitGo?{query}")
            assert (answer.status, answer.json) == (400, {"Message": text})

    _with_host(test)


@pytest.mark.conforms("XH-2", "XH-30")
def test_names_and_ids_are_not_checked_and_json_errors_keep_their_body() -> None:
    async def test(host: RunningHost, _: MemoryStorage) -> None:
        assert (await host.manage("POST", "orchestrators/Nope/n")).status == 202
        document = await host.until_status("n", "Failed")
        assert document["output"].startswith("Orchestrator function 'Nope' failed: ")
        assert (await host.manage("POST", "orchestrators/@counter@k/plain")).status == 202
        document = await host.until_status("plain", "Failed")
        assert "The function '@counter@k' doesn't exist" in document["output"]
        for instance_id in ("a%5Cb", "@x", "y" * 300):
            assert (await host.manage("POST", f"orchestrators/WaitGo/{instance_id}")).status == 202
        wrong = await host.manage("POST", "orchestrators/WaitGo", "{")
        assert list(json.loads(wrong.text)) == ["Message", "ExceptionMessage", "ExceptionType", "StackTrace"]

    _with_host(test)
