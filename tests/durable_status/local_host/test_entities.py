"""Entities on the local host: calls, signals, order, failures and what happens around crashes."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from durable_status.cli.banner import banner
from durable_status.local_host.clock import Clock, SystemClock
from durable_status.local_host.host import HostOptions
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.provider import EpisodeCommit, Message, OrchestrationWork, StorageProvider
from durable_status.local_host.storage.sqlite import SqliteStorage
from durable_status.replay.entity_messages import Moment, RequestMessage
from durable_status.replay.events import EventRaised
from durable_status.replay.message_sorter import MessageSorter
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks
from tests.clock import ManualClock
from tests.hosts import RunningHost, running_host
from tests.paths import APPS

MakeStorage = Callable[[Clock], StorageProvider]

ENTITIES = APPS / "entities"
_WINDOW_MINUTES = 30


async def _state_becomes(host: RunningHost, entity: str, state: Any) -> None:
    """Read the state of an entity until it is this one."""

    async def poll() -> None:
        while True:
            answer = await host.manage("GET", f"entities/{entity}")
            if answer.status == 200 and answer.json == state:
                return
            await asyncio.sleep(0.005)

    await asyncio.wait_for(poll(), 20)


async def _signal(host: RunningHost, entity: str, operation: str, value: Any = None) -> None:
    body = None if value is None else json.dumps(json.dumps(value))
    answer = await host.manage("POST", f"entities/{entity}?op={operation}", body)
    assert answer.status == 202, answer.text


async def _logged(caplog: pytest.LogCaptureFixture, text: str) -> None:
    """Wait for a line in the log."""

    async def poll() -> None:
        while text not in caplog.text:
            await asyncio.sleep(0.005)

    await asyncio.wait_for(poll(), 20)


def _output(name: str, given: Any, make_storage: MakeStorage = MemoryStorage) -> Any:
    """The output of an orchestration."""

    async def main() -> Any:
        async with running_host(ENTITIES, storage=make_storage) as host:
            await host.start(name, "caller", given)
            return (await host.until_status("caller", "Completed"))["output"]

    return asyncio.run(main())


@pytest.mark.conforms("R3.7-33", "R3.7-52")
def test_an_orchestration_calls_and_signals_an_entity_in_order(make_storage: MakeStorage) -> None:
    assert _output("Tally", "k", make_storage) == 5


@pytest.mark.conforms("R3.7-52")
def test_many_signals_of_one_episode_run_in_the_order_they_were_sent(make_storage: MakeStorage) -> None:
    assert _output("SignalMany", "k", make_storage) == list(range(10))


@pytest.mark.conforms("R3.7-34")
def test_an_error_of_an_operation_reaches_the_caller_as_its_text_alone() -> None:
    assert _output("CatchFailure", "k") == "not today"


@pytest.mark.conforms("R3.7-43", "H1.8-21", "H1.8-22")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)
def test_the_instance_of_an_entity_looks_as_on_the_platform(profile: Profile, make_storage: MakeStorage) -> None:
    async def main() -> tuple[Any, Any, Any]:
        async with running_host(ENTITIES, storage=make_storage, profile=profile) as host:
            await host.start("Tally", "caller", "One")
            await host.until_status("caller", "Completed")
            shown = await host.manage("GET", "instances/@counter@One?showHistory=true")
            await _signal(host, "COUNTER/Two", "delete")
            await host.until("@counter@Two", lambda _: True)
            return shown.status, shown.json, await host.status("@counter@Two")

    status, live, deleted = asyncio.run(main())

    assert status == 202
    assert (live["name"], live["instanceId"], live["runtimeStatus"]) == ("@counter@One", "@counter@One", "Running")
    assert (live["customStatus"], live["output"]) == ({"entityExists": True}, None)
    assert (live["input"]["exists"], live["input"]["state"]) == (True, "5")
    assert list(live["input"]) == ["exists", "state", "sorter"]
    assert list(live["input"]["sorter"]["ReceivedFromInstance"]["caller"]) == ["Last", "ExecutionId"]
    (started,) = live["historyEvents"]
    assert (started["EventType"], started["FunctionName"]) == ("ExecutionStarted", "@counter@One")
    assert started["Generation"] is None
    assert (deleted["input"], deleted["customStatus"]) == ({"state": "null", "sorter": {}}, {})


@pytest.mark.conforms("H1.8-22")
def test_every_batch_is_a_new_generation(make_storage: MakeStorage) -> None:
    clock = ManualClock()
    storage = make_storage(clock)

    async def main() -> list[tuple[str, Ticks]]:
        generations = []
        async with running_host(ENTITIES, storage=lambda _: storage, clock=clock) as host:
            for total in (1, 2):
                await _signal(host, "Counter/k", "add", 1)
                await _state_becomes(host, "Counter/k", total)
                row = await storage.read_instance("@counter@k")
                assert row is not None
                generations.append((row.execution_id, row.created_time))
                clock.advance(1)
        return generations

    (first_id, first_created), (second_id, second_created) = asyncio.run(main())

    assert first_id != second_id
    assert second_created >= first_created + PER_SECOND


@pytest.mark.conforms("R3.7-53")
def test_after_a_key_a_key_that_differs_only_in_case_hangs_until_the_window_has_passed() -> None:
    async def main() -> tuple[Any, Any]:
        clock = ManualClock()
        async with running_host(ENTITIES, clock=clock) as host:
            await host.start("TwoCases", "two")
            await host.until("@counter@k", lambda _: True)
            waiting, entity = await host.status("two"), await host.status("@counter@k")
            clock.advance(_WINDOW_MINUTES * 60 + 60)
            await host.start("Tally", "other", "k")
            await host.until_status("two", "Completed")
            return waiting, entity

    waiting, entity = asyncio.run(main())

    assert waiting["runtimeStatus"] == "Running"
    assert len(entity["input"]["sorter"]["ReceivedFromInstance"]["two"]["Buffered"]) == 1


@pytest.mark.conforms("R3.7-39")
def test_a_batch_that_fails_as_a_whole_runs_again_with_doubling_delay_and_the_caller_waits(
    make_storage: MakeStorage, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    key = tmp_path.name  # the app counts failures by key, and both providers share it

    async def main() -> tuple[Any, Any]:
        clock = ManualClock()
        async with running_host(ENTITIES, storage=make_storage, clock=clock) as host:
            await host.start("CallFragile", "caller", {"key": key, "failures": 3})
            for seconds in (2, 4, 8):
                await _logged(caplog, f"runs again in {seconds} s")
                waiting = await host.status("caller")
                await _signal(host, "Counter/other", "add", 1)  # nobody else has to wait
                await _state_becomes(host, "Counter/other", {2: 1, 4: 2, 8: 3}[seconds])
                clock.advance(seconds)
            return waiting, await host.until_status("caller", "Completed")

    waiting, ended = asyncio.run(main())

    assert waiting["runtimeStatus"] == "Running"
    assert ended["output"] == "done"


def _to_entity(operation: str, number: int) -> Sequence[Message]:
    """`number` calls of one orchestration, in order."""
    sorter = MessageSorter(Ticks(_WINDOW_MINUTES * 60 * PER_SECOND))
    now = ManualClock().now()
    requests = [
        sorter.label(
            RequestMessage(
                operation=operation,
                is_signal=True,
                input=json.dumps(json.dumps(value)),
                id="",
                parent_instance_id="sender",
            ),
            "@counter@k",
            now,
        )
        for value in range(number)
    ]
    return [
        Message(
            instance_id="@counter@k",
            event=EventRaised(timestamp=now, name=request.event_name, input=request.text),
        )
        for request in requests
    ]


@pytest.mark.conforms("R3.7-44", "R3.7-45")
def test_messages_that_arrive_out_of_order_and_twice_run_once_in_the_order_sent(make_storage: MakeStorage) -> None:
    clock = ManualClock()
    storage = make_storage(clock)
    first, second, third = _to_entity("append", 3)

    async def main() -> None:
        async with running_host(ENTITIES, storage=lambda _: storage, clock=clock) as host:
            for message in (third, second, second, first, first):
                await storage.send(message)
                await host.until("@counter@k", lambda _: True)
            await _state_becomes(host, "Counter/k", [0, 1, 2])
            await storage.send(third)
            await _signal(host, "Counter/k", "append", "last")
            await _state_becomes(host, "Counter/k", [0, 1, 2, "last"])

    asyncio.run(main())


@pytest.mark.conforms("R3.7-54")
def test_a_batch_that_ran_but_was_not_committed_before_a_crash_runs_again(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    reached = asyncio.Event()

    def never_committing(clock: Clock) -> StorageProvider:
        storage = SqliteStorage(path, clock)

        async def commit(work: OrchestrationWork, commit: EpisodeCommit) -> None:
            assert json.loads(commit.row.input if commit.row and commit.row.input else "{}")["state"] == "5"
            assert work.instance_id == "@counter@k"
            reached.set()
            await asyncio.Event().wait()

        storage.commit = commit  # type: ignore[method-assign]
        return storage

    async def main() -> None:
        async with running_host(ENTITIES, storage=never_committing) as host:
            await _signal(host, "Counter/k", "add", 5)
            await reached.wait()
            assert (await host.manage("GET", "entities/Counter/k")).status == 404
        async with running_host(ENTITIES, storage=lambda clock: SqliteStorage(path, clock)) as host:
            await _state_becomes(host, "Counter/k", 5)

    asyncio.run(main())


@pytest.mark.conforms("R3.7-55")
def test_a_terminated_entity_runs_nothing_until_it_is_purged(make_storage: MakeStorage) -> None:
    async def main() -> tuple[Any, Any]:
        async with running_host(ENTITIES, storage=make_storage, profile=PROFILE_2_13) as host:
            await _signal(host, "Counter/k", "add", 5)
            await _state_becomes(host, "Counter/k", 5)
            await host.manage("POST", "instances/@counter@k/terminate?reason=enough")
            ended = await host.until_status("@counter@k", "Terminated")
            await _signal(host, "Counter/k", "add", 5)
            purged = await host.manage("DELETE", "instances/@counter@k")
            await _signal(host, "Counter/k", "add", 1)
            await _state_becomes(host, "Counter/k", 1)
            return ended, purged.json

    ended, purged = asyncio.run(main())

    assert ended["output"] == "enough"
    assert purged == {"instancesDeleted": 1}


@pytest.mark.conforms("R3.7-56")
def test_an_event_that_is_no_request_changes_nothing() -> None:
    async def main() -> None:
        async with running_host(ENTITIES) as host:
            await _signal(host, "Counter/k", "add", 5)
            await _state_becomes(host, "Counter/k", 5)
            await host.raise_event("@counter@k", "hello", 1)
            await _signal(host, "Counter/k", "add", 1)
            await _state_becomes(host, "Counter/k", 6)

    asyncio.run(main())


@pytest.mark.conforms("R3.7-60")
def test_suspending_an_entity_has_no_effect_and_is_said_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(ENTITIES) as host:
            await _signal(host, "Counter/k", "add", 5)
            await _state_becomes(host, "Counter/k", 5)
            answer = await host.manage("POST", "instances/@counter@k/suspend")
            assert answer.status == 202
            await _signal(host, "Counter/k", "add", 1)
            await _state_becomes(host, "Counter/k", 6)

    asyncio.run(main())

    assert "Entity '@counter@k': ExecutionSuspended has no effect on an entity." in caplog.text


_GONE = Message(
    instance_id="@gone@k",
    event=EventRaised(
        timestamp=Ticks(0),
        name="op",
        input=RequestMessage(
            operation="add",
            id="7c2f0a34-0f5e-5d2b-9c53-3a9a3b6f3c11",
            parent_instance_id="caller",
            timestamp=Moment(parse_ticks("2026-11-22T11:30:00Z")),
        ).text,
    ),
)


@pytest.mark.conforms("R3.7-57")
def test_operations_of_an_entity_that_the_app_no_longer_has_fail_in_3x(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> Any:
        storage = MemoryStorage(SystemClock())
        async with running_host(ENTITIES, storage=lambda _: storage) as host:
            await storage.send(_GONE)
            return await host.until("@gone@k", lambda _: True)

    assert asyncio.run(main())["customStatus"] == {}
    assert "Function 'gone (Entity)' failed 'add' operation" in caplog.text
    assert "The function 'gone' doesn't exist" in caplog.text


@pytest.mark.conforms("R3.7-57")
def test_operations_of_an_entity_that_the_app_no_longer_has_are_tried_for_ever_in_2_13(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        storage = MemoryStorage(SystemClock())
        async with running_host(ENTITIES, storage=lambda _: storage, profile=PROFILE_2_13):
            await storage.send(_GONE)
            await _logged(caplog, "runs again in 2 s: The function 'gone' doesn't exist")

    asyncio.run(main())


@pytest.mark.conforms("R3.7-41")
def test_more_operations_than_the_batch_size_of_host_json_run_in_several_batches_in_order() -> None:
    async def main() -> Any:
        async with running_host(ENTITIES, settings={"max_entity_batch_size": 3}) as host:
            await host.start("SignalMany", "caller", "k")
            return (await host.until_status("caller", "Completed"))["output"]

    assert asyncio.run(main()) == list(range(10))


@pytest.mark.conforms("R3.7-58")
@pytest.mark.parametrize(("limit", "patience", "outcome"), [(1, 0.2, "alone"), (2, 10, "met")])
def test_no_more_entities_run_at_once_than_host_json_allows(limit: int, patience: float, outcome: str) -> None:
    async def main() -> None:
        async with running_host(ENTITIES, settings={"max_concurrent_entities": limit}) as host:
            for key in ("a", "b"):
                await _signal(host, f"Meeting/{key}", "meet", patience)
            for key in ("a", "b"):
                await _state_becomes(host, f"Meeting/{key}", outcome)

    asyncio.run(main())


@pytest.mark.conforms("H1.8-23", "H1.8-24")
def test_the_client_of_the_sdk_reads_and_signals(make_storage: MakeStorage) -> None:
    async def main() -> list[Any]:
        async with running_host(ENTITIES, storage=make_storage) as host:
            missing = (await host.request("GET", "/api/ask/k")).json
            await host.request("GET", "/api/ask/k?add=5")
            await _state_becomes(host, "Counter/k", 5)
            present = (await host.request("GET", "/api/ask/k")).json
            await _signal(host, "Counter/k", "delete")
            await _state_becomes(host, "Counter/k", None)
            return [missing, present, (await host.request("GET", "/api/ask/k")).json]

    assert asyncio.run(main()) == [
        {"exists": False, "state": None},
        {"exists": True, "state": 5},
        {"exists": True, "state": ""},
    ]


@pytest.mark.conforms("H1.8-24")
@pytest.mark.parametrize(
    ("entity", "said"),
    [
        ("Counter/k", "null"),
        ("Nobody/k", "The operation failed with an unexpected status code 400"),
        ("Counter/a%5Cb", "The operation failed with an unexpected status code 400"),
    ],
)
def test_what_signal_entity_of_the_sdk_says(entity: str, said: str) -> None:
    async def main() -> str:
        async with running_host(ENTITIES) as host:
            return (await host.request("GET", f"/api/signal/{entity}")).text

    assert asyncio.run(main()) == said


@pytest.mark.conforms("R3.6-1", "R3.6-6")
def test_an_orchestration_gets_the_answer_of_call_http() -> None:
    async def main() -> Any:
        async with running_host(ENTITIES) as host:
            uri = f"{host.host.base_url}/runtime/webhooks/durabletask/instances/none"
            await host.start("Fetch", "caller", {"method": "GET", "uri": uri})
            return await host.until_status("caller", "Completed")

    output = asyncio.run(main())["output"]

    assert (output["statusCode"], output["content"]) == (404, "")
    assert list(output) == ["statusCode", "headers", "content"]


@pytest.mark.conforms("R3.6-1", "R3.6-2")
def test_content_of_call_http_is_sent_as_json_unless_it_is_raw() -> None:
    async def main() -> list[Any]:
        async with running_host(ENTITIES) as host:
            base = f"{host.host.base_url}/runtime/webhooks/durabletask/orchestrators/Tally"
            for name, raw in (("quoted", False), ("raw", True)):
                request = {"method": "POST", "uri": f"{base}/{name}", "content": "k\u00f6", "is_raw_str": raw}
                await host.start("Fetch", f"fetch-{name}", request)
            fetched = [await host.until_status(f"fetch-{name}", "Completed") for name in ("quoted", "raw")]
            return [document["output"]["statusCode"] for document in fetched] + [(await host.status("quoted"))["input"]]

    assert asyncio.run(main()) == [202, 400, "k\u00f6"]


@pytest.mark.conforms("R3.6-13")
def test_a_method_that_is_none_fails_the_orchestration_and_not_the_call() -> None:
    async def main() -> Any:
        async with running_host(ENTITIES) as host:
            await host.start("FetchAndCatch", "caller", {"method": "GE T", "uri": "http://127.0.0.1/"})
            return await host.until_status("caller", "Failed")

    assert "The format of the HTTP method is invalid." in asyncio.run(main())["output"]


@pytest.mark.conforms("R3.6-11", "R3.6-12")
def test_user_code_sees_the_bare_message_of_a_call_that_failed() -> None:
    message, details = _output("FetchAndCatch", {"method": "GET", "uri": "/relative"})

    assert message.startswith("An invalid request URI was provided.")
    assert details.startswith("Unhandled exception while executing task: ")


def test_the_banner_lists_the_entities() -> None:
    async def main() -> str:
        async with running_host(ENTITIES) as host:
            return banner(host.host, HostOptions(port=0, rpc_port=0, profile=PROFILE_3), "memory")

    assert "  entities: Counter, Fragile, Meeting\n" in asyncio.run(main())


@pytest.fixture(autouse=True)
def _log_of_the_host(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "durable_status")
