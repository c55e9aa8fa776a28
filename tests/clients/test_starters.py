"""The starters over HTTP: S1 to S7 as a caller meets them."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.clock import ManualClock
from tests.hosts import Answer, RunningHost, running_host

_URLS = [
    "id",
    "statusQueryGetUri",
    "sendEventPostUri",
    "terminatePostUri",
    "rewindPostUri",
    "purgeHistoryDeleteUri",
    "restartPostUri",
    "suspendPostUri",
    "resumePostUri",
]


def _with_host(play: Callable[[RunningHost], Awaitable[None]]) -> None:
    async def main() -> None:
        async with running_host(clock=ManualClock()) as host:
            await play(host)

    asyncio.run(main())


async def _post(host: RunningHost, path: str, body: str | bytes | None = None, **headers: str) -> Answer:
    return await host.request("POST", f"/api/orchestrators/{path}", body, headers=headers)


async def _count(host: RunningHost) -> int:
    return len((await host.manage("GET", "instances?top=1000")).json)


def test_a_start_is_answered_202_with_the_urls() -> None:
    async def play(host: RunningHost) -> None:
        answer = await _post(host, "SetStatusTest?instanceId=s")

        assert (answer.status, answer.headers["Content-Type"]) == (202, "application/json")
        assert list(answer.json) == _URLS
        assert answer.json["id"] == "s"
        assert answer.headers["Location"] == answer.json["statusQueryGetUri"]
        status = await host.request("GET", answer.json["statusQueryGetUri"].removeprefix(host.host.base_url))
        assert status.json["instanceId"] == "s"

    _with_host(play)


@pytest.mark.parametrize(
    ("name", "body", "shown"),
    [
        ("CityRecommender", "2", {"recommendedCities": ["Seattle", "London"], "recommendedSeasons": ["Summer"]}),
        ("CityRecommender", '"2"', {"recommendedCities": ["Seattle", "London"], "recommendedSeasons": ["Summer"]}),
        ("SetStatusTest", '{"any": 1}', {"nextActions": ["A", "B", "C"], "foo": 2}),
    ],
)
def test_the_body_reaches_the_orchestration(name: str, body: str, shown: Any) -> None:
    async def play(host: RunningHost) -> None:
        answer = await _post(host, name, body)
        document = await host.until(answer.json["id"], lambda document: document["customStatus"] is not None)
        assert document["customStatus"] == shown

    _with_host(play)


def test_what_is_refused_starts_nothing() -> None:
    async def play(host: RunningHost) -> None:
        asked = {
            "Nope": (404, None),
            "E1_SayHello": (404, None),
            "CityRecommender": (400, "{"),
            f"CityRecommender?instanceId={quote('a/b', safe='')}": (400, "1"),
            "CityRecommender?instanceId=%40e": (400, "1"),
            "CityRecommender?instanceId=": (202, "1"),  # an empty parameter is none: the platform makes an id
            "E1_HelloSequence/wait": (400, None),
            "E1_HelloSequence/wait?status=": (400, None),
            "E1_HelloSequence/wait?status=London&timeout=soon": (400, None),
            "E1_HelloSequence/wait?status=London&timeout=-1": (400, None),
            "E1_HelloSequence/wait?status=London&timeout=231": (400, None),
            "E1_HelloSequence/wait?status=London&timeout=nan": (400, None),
            "Nope/wait?status=London": (404, None),
        }
        answers = {path: await _post(host, path, body) for path, (_, body) in asked.items()}

        assert {path: answer.status for path, answer in answers.items()} == {
            path: status for path, (status, _) in asked.items()
        }
        assert all(list(answer.json) == ["error"] for answer in answers.values() if answer.status >= 400)
        assert await _count(host) == 1

    _with_host(play)


def test_other_verbs_and_paths_are_not_found() -> None:
    async def play(host: RunningHost) -> None:
        for method, path in (
            ("GET", "/api/orchestrators/E1_HelloSequence"),
            ("PUT", "/api/orchestrators/E1_HelloSequence"),
            ("POST", "/api/orchestrators"),
            ("POST", "/api/orchestrators/E1_HelloSequence/wait/more"),
            ("POST", "/orchestrators/E1_HelloSequence"),
        ):
            assert (await host.request(method, path)).status == 404, (method, path)
        assert await _count(host) == 0

    _with_host(play)


def test_a_live_id_is_answered_409_and_its_instance_goes_on() -> None:
    async def play(host: RunningHost) -> None:
        await _post(host, "CityRecommender?instanceId=c", "1")
        await host.until("c", lambda document: document["customStatus"] is not None)
        before = await host.status("c")
        again = await _post(host, "CityRecommender?instanceId=c", "2")

        assert again.status == 409
        assert again.json == {"error": "The instance 'c' has not ended; wait for it or choose another id."}
        assert await host.status("c") == before
        await host.raise_event("c", "CitySelected", "Tokyo")
        await host.until_status("c", "Completed")
        assert (await _post(host, "CityRecommender?instanceId=c", "2")).status == 202
        document = await host.until("c", lambda document: document["customStatus"] is not None)
        assert document["customStatus"]["recommendedCities"] == ["Seattle", "London"]

    _with_host(play)


def test_an_id_beyond_ascii_is_escaped_where_a_header_holds_it() -> None:
    async def play(host: RunningHost) -> None:
        answer = await _post(host, f"SetStatusTest?instanceId={quote('größe-日本')}")

        assert (answer.status, answer.json["id"]) == (202, "größe-日本")
        assert quote("größe-日本") in answer.headers["Location"]
        status = await host.request("GET", answer.headers["Location"].removeprefix(host.host.base_url))
        assert status.json["instanceId"] == "größe-日本"

    _with_host(play)


def test_a_body_that_is_too_large_is_answered_413() -> None:
    async def play(host: RunningHost) -> None:
        answer = await _post(host, "SetStatusTest", io.BytesIO(b"1" * 1_100_000))

        assert answer.status == 413
        assert await _count(host) == 0

    _with_host(play)


# S2: the route that waits


def test_the_wait_answers_200_with_the_document_of_the_management_api() -> None:
    async def play(host: RunningHost) -> None:
        answer = await _post(host, "E1_HelloSequence/wait?status=London&timeout=20&instanceId=w")

        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
        assert answer.json == await host.status("w")
        assert list(answer.json) == list(await host.status("w"))

    _with_host(play)


def test_the_wait_ends_at_a_status_of_a_running_instance() -> None:
    async def play(host: RunningHost) -> None:
        wanted = quote('{"foo": 2, "nextActions": ["A", "B", "C"]}')
        answer = await _post(host, f"SetStatusTest/wait?status={wanted}&timeout=20")

        assert (answer.status, answer.json["runtimeStatus"]) == (200, "Running")

    _with_host(play)


def test_the_wait_answers_202_at_its_deadline_and_the_instance_goes_on() -> None:
    async def play(host: RunningHost) -> None:
        answer = await _post(host, "CityRecommender/wait?status=never&timeout=0&instanceId=c", "1")

        assert answer.status == 202
        assert list(answer.json) == _URLS
        await host.until("c", lambda document: document["customStatus"] is not None)
        await host.raise_event("c", "CitySelected", "Tokyo")
        await host.until_status("c", "Completed")

    _with_host(play)


def test_the_wait_answers_500_when_the_instance_ended_without_it() -> None:
    async def play(host: RunningHost) -> None:
        completed = await _post(host, "E1_HelloSequence/wait?status=Paris&timeout=20")
        failed = await _post(host, "CityRecommender/wait?status=Paris&timeout=20", "9")

        assert (completed.status, completed.json["customStatus"]) == (500, "London")
        assert (failed.status, failed.json["runtimeStatus"]) == (500, "Failed")
        assert "The user's choice is 1, 2 or 3, not 9." in failed.json["output"]

    _with_host(play)


def test_a_terminated_instance_ends_the_wait() -> None:
    async def play(host: RunningHost) -> None:
        waiting = asyncio.create_task(_post(host, "SetStatusTest/wait?status=never&timeout=20&instanceId=s"))
        await host.until("s", lambda document: document["customStatus"] is not None)
        assert (await host.manage("POST", "instances/s/terminate?reason=enough")).status == 202
        answer = await waiting

        assert (answer.status, answer.json["runtimeStatus"], answer.json["output"]) == (500, "Terminated", "enough")

    _with_host(play)


def test_many_waits_do_not_hold_each_other_or_the_host_up() -> None:
    async def play(host: RunningHost) -> None:
        waits = [
            asyncio.create_task(_post(host, f"SetStatusTest/wait?status=never&timeout=200&instanceId=s{number}"))
            for number in range(50)
        ]
        for number in range(50):
            await host.until(f"s{number}", lambda document: document["customStatus"] is not None)
        assert (await _post(host, "E1_HelloSequence/wait?status=London&timeout=20")).status == 200
        assert not any(wait.done() for wait in waits)
        for number in range(50):
            await host.manage("POST", f"instances/s{number}/terminate")
        assert {answer.status for answer in await asyncio.gather(*waits)} == {500}

    _with_host(play)
