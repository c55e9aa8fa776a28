"""Start, and start and wait: what the recordings do not show."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from durable_status.replay.profile import PROFILE_2_13
from tests.clock import ManualClock
from tests.durable_status.local_host.management import start, with_host
from tests.hosts import TRANSCRIPTS, RunningHost, running_host


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
        ('{"$type":"X","$id":"1","a":2}', '{"a":2}'),
        ('{"$ref":"1"}', "null"),
        ('{"a":{"$type":"X"},"$id":"1"}', '{"a":{"$type":"X"},"$id":"1"}'),  # not the first members
        ('[{"$ref":"1"}]', '[{"$ref":"1"}]'),
        ("-0", "0"),
        ("1E5", "100000.0"),
        ('"\\ud800"', '"\ufffd"'),
        ("NaN", '"NaN"'),
        ("1e400", '"Infinity"'),
        ("\ufeff7", "7"),
        ("7".encode("utf-16"), "7"),
        (b'"\xe9"', '"\ufffd"'),
    ],
)
def test_a_start_stores_its_body_as_compact_json(body: str | bytes | None, stored: str | None) -> None:
    async def test(host: RunningHost) -> Any:
        sent = body.encode() if isinstance(body, str) else body
        assert (await start(host, "EchoInput/i", sent)).status == 202
        return (await host.status("i"))["input"]

    shown = with_host(test)

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
        ("[" * 64 + "1" + "]" * 64, "application/json", 202),
        ('{"$ref":"1","a":2}', "application/json", 500),
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
        answer = await start(host, "WaitGo/i", body, **{"Content-Type": content_type})
        assert answer.status == status
        assert ((await host.manage("GET", "instances/i")).status == 404) == (status != 202)
        if status == 400:
            assert answer.json["Message"] == "Invalid JSON content"
            assert answer.json["ExceptionType"] == "Newtonsoft.Json.JsonReaderException"

    with_host(test)


@pytest.mark.conforms("H1.1-7", "H1.1-8", "H1.1-9", "H1.1-10", "H1.1-11")
def test_the_checks_of_a_start_come_in_their_order() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("WaitGo", "live")
        await host.until_status("live", "Running")
        texts = []
        for path, body in (
            ("Nope/@x", "{"),
            ("Nope/@x", "1"),
            ("Echo/y", "1"),
            ("WaitGo/@live", "1"),
            ("WaitGo/a%5Cb", "1"),
            ("WaitGo/a%C2%85b", "1"),
            (f"WaitGo/{'x' * 257}", "1"),
            (f"WaitGo/{'%F0%9F%98%80' * 129}", "1"),  # 258 UTF-16 characters
            ("WaitGo/live?timeout=NaN&pollingInterval=1", "1"),
        ):
            answer = await start(host, path, body)
            texts.append((answer.status, answer.json.get("ExceptionMessage", "")[:60]))
        assert texts == [
            (400, "The body is not valid JSON: Expecting property name enclosed"),
            (400, "The function 'Nope' doesn't exist, is disabled, or is not an"),
            (400, "The function 'Echo' doesn't exist, is disabled, or is not an"),
            (400, "instanceId (Parameter 'Orchestration instance ids must not s"),
            (400, "instanceId (Parameter 'Orchestration instance ids must not c"),
            (400, "instanceId (Parameter 'Orchestration instance ids must not c"),
            (400, "Instance ID lengths must not exceed 256 characters."),
            (400, "Instance ID lengths must not exceed 256 characters."),
            (500, "An Orchestration instance with the status Running already ex"),
        ]
        assert (await start(host, "wAITgO/spelled")).status == 202
        assert (await host.status("spelled"))["name"] == "wAITgO"
        assert len((await start(host, "WaitGo")).json["id"]) == 32

    with_host(test)


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

    with_host(test)


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

    with_host(test, settings={"replaces_live_instances": True})


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
        ("timeout=NaN", 400, "TimeSpan does not accept floating point Not-a-Number values."),
        ("pollingInterval=1e30", 500, "TimeSpan overflowed because the duration is too long."),
        (
            "timeout=0.5&pollingInterval=1234567.8",
            400,
            "Total timeout 0.5 should be bigger than retry timeout 1234567.8",
        ),
    ],
)
def test_waiting_takes_two_numbers_that_make_sense_and_the_start_stands(
    query: str, status: int, text: str | None
) -> None:
    async def test(host: RunningHost) -> None:
        answer = await start(host, f"NoYield/i?{query}")
        assert (answer.status, answer.json.get("ExceptionMessage")) == (status, text)
        assert (await host.until_status("i", "Completed"))["output"] == {"plain": True}
        if status == 200:
            assert answer.text == '{"plain":true}'
            assert "Location" not in answer.headers

    with_host(test)


@pytest.mark.conforms("H1.1-23", "H1.1-25", "H1.1-26", "H1.1-27")
def test_waiting_for_a_live_instance_ends_at_the_time_out() -> None:
    async def test(host: RunningHost) -> None:
        once = await start(host, "WaitGo/once?timeout=0&pollingInterval=0")
        assert (once.status, once.headers["Retry-After"]) == (202, "10")
        assert once.headers["Location"] == once.json["statusQueryGetUri"]
        waited = await start(host, "WaitGo/waited?timeout=0.05&pollingInterval=0.01")
        assert waited.status == 202
        negative = await start(host, "WaitGo/negative?timeout=9&pollingInterval=-1")
        assert negative.status == 400
        assert negative.json["ExceptionType"] == "System.ArgumentOutOfRangeException"
        assert negative.json["ExceptionMessage"].startswith("The value needs to translate in milliseconds to -1 (")
        assert (await host.manage("GET", "instances/negative")).status == 202
        failed = await start(host, "FailNow/f?timeout=9&pollingInterval=0.01&showInput=false&showHistory=true", "1")
        assert (failed.status, failed.json["runtimeStatus"], failed.json["input"]) == (200, "Failed", None)
        assert failed.json["historyEvents"][-1]["EventType"] == "ExecutionCompleted"

    with_host(test)


@pytest.mark.conforms("H1.1-25")
def test_a_wait_looks_again_at_each_interval() -> None:
    clock = ManualClock()

    async def main() -> None:
        async with running_host(TRANSCRIPTS, profile=PROFILE_2_13, clock=clock) as host:
            waiting = asyncio.create_task(start(host, "WaitGo/i?timeout=60&pollingInterval=30"))
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

    with_host(test)
