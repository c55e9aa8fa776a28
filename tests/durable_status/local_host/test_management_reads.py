"""Status and list: what the recordings do not show."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.replay.profile import PROFILE_2_13
from tests.clock import ManualClock
from tests.durable_status.local_host.management import with_host
from tests.hosts import CLIENT_CALLS, TRANSCRIPTS, RunningHost, running_host
from tests.quiet_storage import QuietStorage


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

    with_host(test)


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
        ("%7B%22a%22:1%7D+x", {"a": 1}),
        ("%22quoted%22+x", "quoted"),
        ("++padded+", "padded"),
        ("2024-01-02", "2024-01-02"),
        ("10.0.0.1", "10.0.0.1"),
        ("3fa85f64-5717", "3fa85f64-5717"),
        ("10%25+done", "10% done"),
        ("42nd", "42nd"),
        ("5,0", 5),
        ("true.", "true."),
        ("nullable", "nullable"),
        ("null+and+void", None),
        ("-1.5e3+x", -1500.0),
        ("007+agent", 7),
        ("09", "09"),
        ("0x10", 16),
        (".5", 0.5),
        ("5.", 5.0),
        ("-", "-"),
        ("Infinity+war", "Infinity"),
    ],
)
def test_a_reason_that_starts_like_json_is_cut_to_its_first_value(reason: str | None, output: Any) -> None:
    async def test(host: RunningHost) -> Any:
        await host.start("WaitGo", "i")
        await host.until_status("i", "Running")
        await host.manage("POST", "instances/i/terminate" + ("" if reason is None else f"?reason={reason}"))
        return (await host.until_status("i", "Terminated"))["output"]

    assert with_host(test) == output


@pytest.mark.conforms("H1.2-12", "H1.2-13")
def test_returned_texts_and_custom_statuses_stay_texts() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("EchoInput", "text", "42 apples")
        assert (await host.until_status("text", "Completed"))["output"] == "42 apples"
        for number, status in enumerate(("5", "{}", "", 0, [], {}, [1], True)):
            await host.start("StatusThenWait", f"s{number}", status)
            shown = await host.until_status(f"s{number}", "Running")
            assert shown["customStatus"] == (status or None)

    with_host(test)


_OTHER_FAILURES = {
    "EchoInput/no-yield": "One or more errors occurred. (Result: Failure\nException: TypeError: ",
    "Nope/unknown?taskHub=transcripthub": "The function 'Nope' doesn't exist, is disabled, or is not an orchestrator ",
}


@pytest.mark.conforms("H1.2-14", "H1.2-15", "H1.2-17")
def test_outputs_say_how_an_instance_failed() -> None:
    async def test(host: RunningHost) -> None:
        await host.start("FailNow", "raised")
        assert (await host.until_status("raised", "Failed"))["output"] == (
            "Orchestrator function 'FailNow' failed: bad luck"
        )
        await host.start("FailingUncaught", "activity")
        text, _, details = (await host.until_status("activity", "Failed"))["output"].partition(" \n ")
        assert text == (
            "Orchestrator function 'FailingUncaught' failed: Activity function 'Boom' failed:  ValueError: boom x"
        )
        exception = json.loads(details)
        assert exception["$type"] == "System.Exception, System.Private.CoreLib"
        assert exception["InnerException"]["RemoteMessage"] == "ValueError: boom x"
        assert "raise ValueError" in exception["InnerException"]["RemoteStackTrace"]
        for path, end in _OTHER_FAILURES.items():
            assert (await host.manage("POST", f"orchestrators/{path}", "[1]")).status == 202
            name, _, instance_id = path.partition("?")[0].partition("/")
            output = (await host.until_status(instance_id, "Failed"))["output"]
            assert output.startswith(f"Orchestrator function '{name}' failed: {end}")

    with_host(test)


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

    inputs = with_host(test, folder=CLIENT_CALLS, settings={"store_inputs_in_history": stores_inputs})

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

    with_host(test, folder=CLIENT_CALLS)


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
        for word in ("-1", "Unknown", "Running,Unknown"):
            unknown = await host.manage("GET", f"instances?runtimeStatus={word}")
            assert (unknown.status, unknown.json["ExceptionMessage"]) == (
                400,
                "Requested value 'Unknown' was not found.",
            )
        for size, kind, text in (
            ("0", "System.ArgumentException", "Take count must be positive and greater than 0."),
            ("-1", "System.ArgumentOutOfRangeException", "Non-negative number required. (Parameter 'capacity')"),
        ):
            refused = await host.manage("GET", f"instances?top={size}&createdTimeFrom=2020-01-01")
            assert (refused.status, refused.json["ExceptionType"], refused.json["ExceptionMessage"]) == (
                400,
                kind,
                text,
            )
        hidden = (await host.manage("GET", "instances?showInput=false&instanceIdPrefix=a")).json
        assert [item["input"] for item in hidden] == [None, None]
        shown = (await host.manage("GET", "instances?showInput=false&top=1")).json
        assert shown[0]["input"] is not None
        assert "historyEvents" not in shown[0]

    with_host(test)


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
        for garbage in ("no token!", "abc", "////"):
            bad = await host.manage("GET", "instances", headers={"x-ms-continuation-token": garbage})
            assert bad.status == 500
        assert bad.json["ExceptionType"] == "System.FormatException"
        assert bad.json["ExceptionMessage"].startswith("The input is not a valid Base-64 string as it contains a non-")

    with_host(test)


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


def test_the_log_is_quiet_about_ordinary_requests(caplog: pytest.LogCaptureFixture) -> None:
    async def test(host: RunningHost) -> None:
        await host.manage("GET", "instances/none")
        await host.manage("POST", "orchestrators/Nope")

    with_host(test)

    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
