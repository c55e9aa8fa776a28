"""What the operations of the management API do, beyond the recordings; profile 2.13 unless a test says otherwise."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13
from tests.clock import ManualClock
from tests.hosts import CLIENT_CALLS, TRANSCRIPTS, Answer, RunningHost, running_host
from tests.quiet_storage import QuietStorage


def _with_host(test: Callable[[RunningHost], Any], **options: Any) -> Any:
    """Run `test` on a host of the recordings' app."""

    async def main() -> Any:
        async with running_host(options.pop("folder", TRANSCRIPTS), **{"profile": PROFILE_2_13, **options}) as host:
            return await test(host)

    return asyncio.run(main())


async def _start(host: RunningHost, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
    return await host.request("POST", f"/durabletask/orchestrators/{path}", body, headers=dict(headers), rpc=True)


# Start


@pytest.mark.conforms("H1.1-2", "H1.1-3", "H1.1-4", "H8-2")
@pytest.mark.parametrize(
    ("body", "stored"),
    [
        (None, None),
        ("", None),
        (" \t\n", None),
        ("null", None),
        ('{"b": 1, "a" : [1.50, null]}', '{"b":1,"a":[1.5,null]}'),
        ('{"a":1,"a":2}', '{"a":2}'),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ('"2024-01-02T03:04:05.000Z"', '"2024-01-02T03:04:05.000Z"'),
        ('{"$type":"X","$id":"1","a":{"$ref":"1"}}', '{"a":null}'),
        ("NaN", '"NaN"'),
        ("1e400", '"Infinity"'),
        ("\ufeff7", "7"),
    ],
)
def test_a_start_stores_its_body_as_compact_json(body: str | None, stored: str | None) -> None:
    async def test(host: RunningHost) -> Any:
        sent = None if body is None else body.encode()
        assert (await _start(host, "EchoInput/i", sent)).status == 202
        return (await host.status("i"))["input"]

    shown = _with_host(test)

    assert shown == (None if stored is None else json.loads(stored))


@pytest.mark.conforms("H1.1-5", "H1.1-6", "H8-3")
@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ('"open', "application/json", 400),
        ("TRUE", "application/json", 400),
        ("{'a':1}", "application/json", 400),
        ('{"a":1} x', "application/json", 400),
        ("[" * 65 + "]" * 65, "application/json", 400),
        ("[" * 64 + "]" * 64, "application/json", 202),
        ("[" * 100_000, "application/json", 400),
        ("1", "text/plain", 202),
        ("1", "nonsense", 202),
        ("1", "text/plain; charset=nonsense", 500),
        ("1", "text/plain; charset=base64", 500),
        ("1", "text/plain; charset=utf-16", 400),
        ("1", 'text/plain; charset="latin-1"', 202),
    ],
)
def test_a_start_refuses_what_is_no_json_and_creates_nothing(body: str, content_type: str, status: int) -> None:
    async def test(host: RunningHost) -> None:
        answer = await _start(host, "WaitGo/i", body, **{"Content-Type": content_type})
        assert answer.status == status
        assert ((await host.manage("GET", "instances/i")).status == 404) == (status != 202)
        if status == 400:
            assert answer.json["Message"] == "Invalid JSON content"
            assert answer.json["ExceptionType"] == "Newtonsoft.Json.JsonReaderException"

    _with_host(test)


@pytest.mark.conforms("H1.1-7", "H1.1-8", "H1.1-9", "H1.1-10", "H1.1-11")
def test_the_checks_of_a_start_come_in_their_order() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("WaitGo", "live")
        texts = []
        for path, body in (
            ("Nope/@x", "{"),
            ("Nope/@x", "1"),
            ("Echo/y", "1"),
            ("WaitGo/@live", "1"),
            ("WaitGo/a%5Cb", "1"),
            ("WaitGo/a%C2%85b", "1"),
            (f"WaitGo/{'x' * 257}", "1"),
            ("WaitGo/live?timeout=NaN&pollingInterval=1", "1"),
        ):
            answer = await _start(host, path, body)
            texts.append((answer.status, answer.json.get("ExceptionMessage", "")[:60]))
        assert texts == [
            (400, "The body is not valid JSON: Expecting property name enclosed"),
            (400, "The function 'Nope' doesn't exist, is disabled, or is not an"),
            (400, "The function 'Echo' doesn't exist, is disabled, or is not an"),
            (400, "instanceId (Parameter 'Orchestration instance ids must not s"),
            (400, "instanceId (Parameter 'Orchestration instance ids must not c"),
            (400, "instanceId (Parameter 'Orchestration instance ids must not c"),
            (400, "Instance ID lengths must not exceed 256 characters."),
            (500, "An Orchestration instance with the status Running already ex"),
        ]
        assert (await _start(host, "wAITgO/spelled")).status == 202
        assert (await host.status("spelled"))["name"] == "wAITgO"
        assert len((await _start(host, "WaitGo")).json["id"]) == 32

    _with_host(test)


@pytest.mark.conforms("H1.1-12", "R3.9-2")
def test_an_ended_instance_is_replaced_by_a_fresh_one() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("FailNow", "i")
        await host.until_status("i", "Failed")
        await host.start("WaitGo", "i")
        document = await host.until_status("i", "Running")
        assert (document["output"], document["name"]) == (None, "WaitGo")
        shown = (await host.manage("GET", "instances/i?showHistory=true")).json
        assert shown["historyEvents"][0]["Generation"] == 1

    _with_host(test)


@pytest.mark.conforms("H1.1-13", "R3.9-3")
def test_any_state_lets_a_start_replace_a_live_instance() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("WaitGo", "i", "old")
        await host.until_status("i", "Running")
        await host.start("WaitGo", "i", "new")
        document = await host.until("i", lambda shown: shown["runtimeStatus"] == "Running")
        assert document["input"] == '"new"'
        await host.raise_event("i", "go", 1)
        assert (await host.until_status("i", "Completed"))["output"] == {"got": 1}

    _with_host(test, settings={"replaces_live_instances": True})


@pytest.mark.conforms("H1.1-20", "H1.1-21", "H1.1-22", "H1.1-24")
@pytest.mark.parametrize(
    ("query", "status", "text"),
    [
        ("timeout=9&pollingInterval=0.01", 200, None),
        ("timeout=9", 202, None),
        ("pollingInterval=9", 202, None),
        ("timeout=x&pollingInterval=1", 202, None),
        ("timeout=1&pollingInterval=5", 400, "Total timeout 1 should be bigger than retry timeout 5"),
        ("timeout=NaN&pollingInterval=1", 400, "TimeSpan does not accept floating point Not-a-Number values."),
        ("timeout=1e30&pollingInterval=1", 500, "TimeSpan overflowed because the duration is too long."),
        ("timeout=Infinity&pollingInterval=1", 500, "TimeSpan overflowed because the duration is too long."),
    ],
)
def test_waiting_takes_two_numbers_that_make_sense_and_the_start_stands(
    query: str, status: int, text: str | None
) -> None:
    async def test(host: RunningHost) -> None:
        answer = await _start(host, f"NoYield/i?{query}")
        assert (answer.status, answer.json.get("ExceptionMessage")) == (status, text)
        assert (await host.until_status("i", "Completed"))["output"] == {"plain": True}
        if status == 200:
            assert answer.text == '{"plain":true}'
            assert "Location" not in answer.headers

    _with_host(test)


@pytest.mark.conforms("H1.1-23", "H1.1-25", "H1.1-26", "H1.1-27")
def test_waiting_for_a_live_instance_ends_at_the_time_out() -> None:
    async def test(host: RunningHost) -> None:
        once = await _start(host, "WaitGo/once?timeout=0&pollingInterval=0")
        assert (once.status, once.headers["Retry-After"]) == (202, "10")
        assert once.headers["Location"] == once.json["statusQueryGetUri"]
        waited = await _start(host, "WaitGo/waited?timeout=0.05&pollingInterval=0.01")
        assert waited.status == 202
        negative = await _start(host, "WaitGo/negative?timeout=9&pollingInterval=-1")
        assert negative.status == 400
        assert (await host.manage("GET", "instances/negative")).status == 202
        failed = await _start(host, "FailNow/f?timeout=9&pollingInterval=0.01&showInput=false&showHistory=true", "1")
        assert (failed.status, failed.json["runtimeStatus"], failed.json["input"]) == (200, "Failed", None)
        assert failed.json["historyEvents"][-1]["EventType"] == "ExecutionCompleted"

    _with_host(test)


@pytest.mark.conforms("H1.1-25")
def test_a_wait_looks_again_at_each_interval() -> None:
    clock = ManualClock()

    async def main() -> None:
        async with running_host(TRANSCRIPTS, profile=PROFILE_2_13, clock=clock) as host:
            waiting = asyncio.create_task(_start(host, "WaitGo/i?timeout=60&pollingInterval=30"))
            await host.until_status("i", "Running")
            await host.raise_event("i", "go", 1)
            await host.until_status("i", "Completed")
            assert not waiting.done()
            clock.advance(30)
            assert (await waiting).text == '{"got":1}'

    asyncio.run(main())


@pytest.mark.conforms("H1.1-31", "H1.1-32", "H1.1-33")
def test_the_check_status_payload_has_the_requests_origin_and_encoded_ids() -> None:
    async def test(host: RunningHost) -> None:
        forwarded = {"X-Forwarded-Host": "outside.example", "X-Forwarded-Proto": "https"}
        answer = await host.request(
            "POST", "/runtime/webhooks/durabletask/orchestrators/WaitGo/a%20b:c*.%25", headers=forwarded
        )
        links = answer.json
        assert list(links) == [
            "id",
            "statusQueryGetUri",
            "sendEventPostUri",
            "terminatePostUri",
            "purgeHistoryDeleteUri",
            "restartPostUri",
            "suspendPostUri",
            "resumePostUri",
        ]
        assert links["id"] == "a b:c*.%"
        base = f"{host.host.base_url}/runtime/webhooks/durabletask/instances/a+b%3Ac*.%25"
        query = links["statusQueryGetUri"].partition("?")[2]
        assert query.startswith("taskHub=TranscriptHub&connection=Storage&code=")
        assert links["statusQueryGetUri"] == links["purgeHistoryDeleteUri"] == f"{base}?{query}"
        assert links["sendEventPostUri"] == f"{base}/raiseEvent/{{eventName}}?{query}"
        assert links["terminatePostUri"] == f"{base}/terminate?reason={{text}}&{query}"
        assert links["restartPostUri"] == f"{base}/restart?{query}"

    _with_host(test)


# One instance


@pytest.mark.conforms("H1.2-2", "H1.2-3", "H1.2-4", "H1.2-5", "H1.2-6")
def test_a_status_answers_by_the_state_of_the_instance() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("WaitGo", "live")
        await host.until_status("live", "Running")
        shown = await host.manage("GET", 'instances/live?code=abc&x="')
        assert shown.status == 202
        assert shown.headers["Retry-After"] == "5"
        assert shown.headers["Location"].endswith("/instances/live?code=abc&x=%22")
        await host.start("FailNow", "failed")
        await host.until_status("failed", "Failed")
        assert (await host.manage("GET", "instances/failed")).status == 200
        as_500 = await host.manage("GET", "instances/failed?RETURNinternalServerErrorOnFailure=True")
        assert as_500.status == 500
        assert as_500.text == (await host.manage("GET", "instances/failed")).text
        assert "Location" not in as_500.headers
        assert (await host.manage("GET", "instances/none?showHistory=true")).status == 404

    _with_host(test)


@pytest.mark.conforms("H1.2-7")
def test_a_pending_instance_has_no_history_to_show() -> None:
    async def main() -> None:
        storage = QuietStorage(MemoryStorage(ManualClock()))
        storage.stop_worker()
        async with running_host(TRANSCRIPTS, storage=lambda _: storage, profile=PROFILE_2_13) as host:
            await host.start("WaitGo", "i")
            shown = await host.manage("GET", "instances/i?showHistory=true")
            assert (shown.status, shown.json["runtimeStatus"]) == (202, "Pending")
            assert "historyEvents" not in shown.json

    asyncio.run(main())


@pytest.mark.conforms("H1.2-10", "H1.2-11")
@pytest.mark.parametrize(
    ("reason", "output"),
    [
        (None, None),
        ("", ""),
        ("%20", ""),
        ("stop+it", "stop it"),
        ("42+is+enough", 42),
        ("true+story", True),
        ("%7B%22a%22:1%7D", {"a": 1}),
        ("[unfinished", "[unfinished"),
    ],
)
def test_a_reason_that_starts_like_json_is_cut_to_its_first_value(reason: str | None, output: Any) -> None:
    async def test(host: RunningHost) -> Any:
        await host.start("WaitGo", "i")
        await host.until_status("i", "Running")
        await host.manage("POST", "instances/i/terminate" + ("" if reason is None else f"?reason={reason}"))
        return (await host.until_status("i", "Terminated"))["output"]

    assert _with_host(test) == output


@pytest.mark.conforms("H1.2-12", "H1.2-13")
def test_returned_texts_and_custom_statuses_stay_texts() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("EchoInput", "text", "42 apples")
        assert (await host.until_status("text", "Completed"))["output"] == "42 apples"
        for number, status in enumerate(("5", "{}", "", 0, [], {}, [1], True)):
            await host.start("StatusThenWait", f"s{number}", status)
            shown = await host.until_status(f"s{number}", "Running")
            assert shown["customStatus"] == (status or None)

    _with_host(test)


@pytest.mark.conforms("H1.2-14", "H1.2-15")
def test_outputs_say_how_an_instance_failed() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("FailNow", "raised")
        assert (await host.until_status("raised", "Failed"))["output"] == (
            "Orchestrator function 'FailNow' failed: bad luck"
        )
        await host.start("FailingUncaught", "activity")
        assert (await host.until_status("activity", "Failed"))["output"].startswith(
            "Orchestrator function 'FailingUncaught' failed: Activity function 'Boom' failed:  ValueError: boom x \n {"
        )

    _with_host(test)


@pytest.mark.conforms("H1.2-21", "H1.2-22")
@pytest.mark.parametrize("stores_inputs", [False, True])
def test_completions_show_their_inputs_only_if_they_are_stored(stores_inputs: bool) -> None:
    async def test(host: RunningHost) -> list[Any]:
        await host.start("Parent", "p", "Calls")
        await host.until_status("p", "Completed")
        shown = [
            (await host.manage("GET", f"instances/{name}?showHistory=true")).json["historyEvents"]
            for name in ("p-child", "p")
        ]
        hidden = (await host.manage("GET", "instances/p?showHistory=true&showInput=false")).json
        assert all("Input" not in item for item in hidden["historyEvents"])
        return [
            item["Input"]
            for items in shown
            for item in items
            if item["EventType"].endswith("Completed") and "Input" in item
        ]

    inputs = _with_host(test, folder=CLIENT_CALLS, settings={"store_inputs_in_history": stores_inputs})

    assert inputs == (['["{\\"x\\": 1}"]', '"null"'] if stores_inputs else [None, None])


@pytest.mark.conforms("H1.2-23", "R3.9-30")
def test_a_history_with_two_schedules_of_one_id_cannot_be_shown() -> None:
    async def test(host: RunningHost) -> None:
        await host.request("POST", "/api/failures/9")
        await host.start("CatchesFlaky", "i")
        await host.until_status("i", "Failed")
        for _ in range(2):  # each time the cleared activity is scheduled once more
            assert (await host.manage("POST", "instances/i/rewind")).status == 202
            await host.until_status("i", "Failed")
        shown = await host.manage("GET", "instances/i?showHistory=true")
        assert shown.status == 400
        assert shown.json["ExceptionMessage"].startswith(
            "An item with the same key has already been added. Key: TaskScheduled_"
        )
        assert (await host.manage("GET", "instances/i")).status == 200

    _with_host(test, folder=CLIENT_CALLS)


# List


@pytest.mark.conforms("H1.3-2", "H1.3-3", "H1.3-4", "H1.3-5", "H1.3-6", "H1.3-7")
def test_lists_are_filtered_and_paged() -> None:
    async def test(host: RunningHost) -> None:
        for name in ("a1", "a2", "A3", "b1"):
            await host.start("Greet", name, "x")
            await host.until_status(name, "Completed")
        await host.start("WaitGo", "live")
        await host.until_status("live", "Running")

        async def ids(query: str) -> list[str]:
            return [item["instanceId"] for item in (await host.manage("GET", f"instances?{query}")).json]

        assert await ids("") == ["A3", "a1", "a2", "b1", "live"]
        assert await ids("instanceIdPrefix=a") == ["a1", "a2"]
        assert await ids("instanceIdPrefix=") == ["A3", "a1", "a2", "b1", "live"]
        assert await ids("runtimeStatus=0") == ["live"]
        assert await ids("runtimeStatus=99") == []
        assert await ids("runtimeStatus=running") == ["A3", "a1", "a2", "b1", "live"]
        assert await ids("createdTimeFrom=2999-01-01") == []
        assert await ids("createdTimeTo=2000-01-01") == []
        assert await ids("createdTimeFrom=nonsense&top=2") == ["A3", "a1"]
        assert (await host.manage("GET", "instances?runtimeStatus=-1")).status == 400
        assert (await host.manage("GET", "instances?top=-1")).status == 400
        hidden = (await host.manage("GET", "instances?showInput=false&instanceIdPrefix=a")).json
        assert [item["input"] for item in hidden] == [None, None]
        shown = (await host.manage("GET", "instances?showInput=false&top=1")).json
        assert shown[0]["input"] is not None
        assert "historyEvents" not in shown[0]

    _with_host(test)


@pytest.mark.conforms("H1.3-8", "H1.3-9")
def test_continuation_tokens_lead_through_all_pages() -> None:
    async def test(host: RunningHost) -> None:
        for number in range(5):
            await host.start("WaitGo", f"i{number}")
        seen, token = [], ""
        while True:
            page = await host.manage("GET", "instances?top=2", headers={"x-ms-continuation-token": token})
            seen += [item["instanceId"] for item in page.json]
            token = page.headers["x-ms-continuation-token"]
            if not token:
                break
        assert seen == [f"i{number}" for number in range(5)]
        bad = await host.manage("GET", "instances", headers={"x-ms-continuation-token": "no token!"})
        assert bad.status == 500

    _with_host(test)


@pytest.mark.conforms("H1.3-2")
def test_creation_times_are_compared_with_all_digits() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with running_host(TRANSCRIPTS, profile=PROFILE_2_13, clock=clock) as host:
            clock.advance(0.5)
            await host.start("WaitGo", "i")
            shown = (await host.manage("GET", "instances")).json[0]["createdTime"]
            assert (await host.manage("GET", f"instances?createdTimeFrom={shown}")).json != []
            assert (await host.manage("GET", f"instances?createdTimeTo={shown}")).json == []

    asyncio.run(main())


# Purge


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

    _with_host(test)


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
    ("createdTimeFrom=2000-01-01&runtimeStatus=Completed,Running", 200, 1),
    ("createdTimeFrom=2000-01-01&runtimeStatus=Canceled", 404, 0),
    ("createdTimeFrom=2999-01-01", 404, 0),
    ("createdTimeFrom=nonsense", 400, 0),
    ("createdTimeFrom=2000-01-01&createdTimeTo=2001-01-01", 404, 0),
    ("runtimeStatus=Completed", 400, 0),
]


@pytest.mark.conforms("H1.4-5", "H1.4-6", "H1.4-7", "R3.9-13")
@pytest.mark.parametrize(("query", "status", "deleted"), _PURGES)
def test_a_purge_by_filter_is_restricted_by_terminal_statuses_only(
    query: str, status: int, deleted: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer, left = _with_host(_purge_of(query))

    assert (answer.status, 3 - left) == (status, deleted)
    has_trap = deleted == 3 or "2999" in query or "2001" in query
    assert any("deletes every instance" in message for message in caplog.messages) == has_trap


@pytest.mark.conforms("H1.4-8")
def test_a_strict_host_refuses_a_purge_that_nothing_restricts() -> None:
    for query, _, deleted in _PURGES[:4]:
        answer, left = _with_host(_purge_of(query), strict=True)

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


# Raise event, terminate, suspend, resume


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

    assert _with_host(test) == status


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

    _with_host(test)


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
def test_operations_are_answered_by_the_state_of_the_instance(request_line: str) -> None:
    async def main() -> list[int]:
        storage: list[QuietStorage] = []

        def make(clock: Clock) -> Any:
            storage.append(QuietStorage(MemoryStorage(clock)))
            return storage[0]

        async with running_host(TRANSCRIPTS, storage=make, profile=PROFILE_2_13) as host:
            await _reach_all_states(host, storage[0])
            method, _, path = request_line.partition(" ")
            return [
                (await host.manage(method, path.replace("{id}", state), "1" if "Event" in path else None)).status
                for state in _STATES
            ]

    assert asyncio.run(main()) == list(_BY_STATE[request_line])


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


# Restart and rewind


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

    _with_host(test)


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

    _with_host(test, folder=CLIENT_CALLS)


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

    _with_host(test, folder=CLIENT_CALLS)


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


def test_the_log_is_quiet_about_ordinary_requests(caplog: pytest.LogCaptureFixture) -> None:
    async def test(host: RunningHost) -> None:
        await host.manage("GET", "instances/none")
        await host.manage("POST", "orchestrators/Nope")

    _with_host(test)

    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


# What terminate, suspend and resume do to an instance


async def _in_one_batch(host: RunningHost, storage: QuietStorage, requests: list[tuple[str, str | None]]) -> None:
    """Send requests to instance ``i`` that its next episode gets together."""
    storage.stop_worker()
    for path, body in requests:
        assert (await host.manage("POST", path, body)).status == 202
    storage.start_worker()
    await storage.until_quiet()


def _with_storage(test: Callable[[RunningHost, QuietStorage], Any]) -> Any:
    async def main() -> Any:
        storage: list[QuietStorage] = []

        def make(clock: Clock) -> Any:
            storage.append(QuietStorage(MemoryStorage(clock)))
            return storage[0]

        async with running_host(TRANSCRIPTS, storage=make, profile=PROFILE_2_13) as host:
            return await test(host, storage[0])

    return asyncio.run(main())


@pytest.mark.conforms("R3.9-5")
def test_an_instance_that_is_terminated_before_it_ran_runs_once() -> None:
    async def test(host: RunningHost, storage: QuietStorage) -> None:
        requests = [("orchestrators/WaitGo/i", None), ("instances/i/terminate?reason=no", None)]
        await _in_one_batch(host, storage, requests)
        document = await host.status("i")
        assert (document["runtimeStatus"], document["output"]) == ("Terminated", "no")
        assert document["customStatus"] == {"waiting": "go"}

    _with_storage(test)


@pytest.mark.conforms("R3.9-6")
@pytest.mark.parametrize("terminates_first", [True, False])
def test_a_termination_beats_a_completion_in_the_same_batch(terminates_first: bool) -> None:
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

    _with_storage(test)


@pytest.mark.conforms("R3.9-7", "R3.9-8", "R3.9-9")
def test_a_suspended_instance_holds_its_events_until_it_is_resumed() -> None:
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

    _with_storage(test)


@pytest.mark.conforms("R3.9-9")
def test_the_resume_reason_is_the_output_until_the_end() -> None:
    async def test(host: RunningHost, storage: QuietStorage) -> None:
        await host.start("WaitGo", "i")
        for path in ("suspend?reason=hold", "resume?reason=on"):
            await storage.until_quiet()
            await host.manage("POST", f"instances/i/{path}")
        await storage.until_quiet()
        assert (await host.status("i"))["output"] == "on"
        await host.raise_event("i", "go", 1)
        assert (await host.until_status("i", "Completed"))["output"] == {"got": 1}

    _with_storage(test)
