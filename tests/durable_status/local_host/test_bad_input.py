"""Bad input over HTTP gets the platform's answer, and what is stored stays as it was."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3
from tests.clock import ManualClock
from tests.hosts import RunningHost, running_host

MakeStorage = Callable[[Clock], StorageProvider]


async def _prepared(host: RunningHost) -> list[Any]:
    """A hub with one instance that waits and one that has ended; returns all that is stored of them."""
    await host.start("CityRecommender", "waits", 1)
    await host.until("waits", lambda document: document["customStatus"] is not None)
    await host.start("E1_HelloSequence", "ended")
    await host.until_status("ended", "Completed")
    return await _stored(host)


async def _stored(host: RunningHost) -> list[Any]:
    ids = [document["instanceId"] for document in (await host.manage("GET", "instances?top=1000")).json]
    return [
        (await host.manage("GET", f"instances/{instance_id}?showHistory=true&showHistoryOutput=true")).json
        for instance_id in ids
    ]


_ANSWERS = [
    # what is not there
    ("GET", "instances/nobody", None, None, 404),
    ("DELETE", "instances/nobody", None, None, 404),
    ("POST", "instances/nobody/raiseEvent/go", "1", "application/json", 404),
    ("POST", "instances/nobody/terminate", None, None, 404),
    ("POST", "instances/nobody/suspend", None, None, 404),
    ("POST", "instances/nobody/resume", None, None, 404),
    # what has ended
    ("POST", "instances/ended/raiseEvent/go", "1", "application/json", 410),
    ("POST", "instances/ended/terminate", None, None, 410),
    ("POST", "instances/ended/suspend", None, None, 410),
    ("POST", "instances/ended/resume", None, None, 410),
    # what is in the wrong state
    ("POST", "instances/waits/resume", None, None, 500),
    # bodies
    ("POST", "orchestrators/CityRecommender/new", "{", "application/json", 400),
    ("POST", "orchestrators/CityRecommender/new", b"\xff\xfe\xfa", "application/json", 400),
    ("POST", "orchestrators/CityRecommender/new", "[" * 5_000, "application/json", 400),
    ("POST", "instances/waits/raiseEvent/CitySelected", "{", "application/json", 400),
    ("POST", "instances/waits/raiseEvent/CitySelected", '"Tokyo"', "text/plain", 400),
    ("POST", "instances/waits/raiseEvent/CitySelected", '"Tokyo"', None, 400),
    # routes and verbs
    ("PUT", "instances/waits", None, None, 404),
    ("POST", "instances/waits/explode", None, None, 404),
    ("POST", "orchestrators", None, None, 404),
    ("GET", "orchestrators/CityRecommender", None, None, 404),
    ("POST", "orchestrators/CityRecommender/a%2Fb", None, None, 404),
    ("POST", "orchestrators/CityRecommender/a/b", None, None, 404),
    ("DELETE", "instances", None, None, 400),
]


@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: f"extension {profile.name}")
def test_bad_requests_are_answered_and_change_nothing(make_storage: MakeStorage, profile: Any) -> None:
    async def main() -> None:
        async with running_host(storage=make_storage, profile=profile, clock=ManualClock()) as host:
            before = await _prepared(host)
            for method, path, body, content_type, status in _ANSWERS:
                if path.endswith("a%2Fb") and not profile.decodes_paths_first:
                    continue  # extension 2.13 takes these three characters for a part of the id
                headers = {"Content-Type": content_type or ""}
                answer = await host.manage(method, path, body, headers=headers)
                assert answer.status == status, (method, path, answer.text)
            assert await _stored(host) == before

    asyncio.run(main())


@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: f"extension {profile.name}")
def test_a_second_start_of_a_live_id_is_refused_and_the_instance_goes_on(
    make_storage: MakeStorage, profile: Any
) -> None:
    async def main() -> None:
        async with running_host(storage=make_storage, profile=profile, clock=ManualClock()) as host:
            before = await _prepared(host)
            for name in ("CityRecommender", "SetStatusTest"):
                answer = await host.manage("POST", f"orchestrators/{name}/waits", "2")
                assert answer.status == (409 if profile is PROFILE_3 else 500)
                assert "An Orchestration instance with the status Running already exists." in answer.text
            assert await _stored(host) == before
            await host.raise_event("waits", "CitySelected", "Tokyo")
            assert (await host.until_status("waits", "Completed"))["output"] == "Tokyo"

    asyncio.run(main())


def test_two_starts_of_one_id_at_once_make_one_instance(make_storage: MakeStorage) -> None:
    async def main() -> None:
        async with running_host(storage=make_storage, clock=ManualClock()) as host:
            answers = await asyncio.gather(
                *(host.manage("POST", "orchestrators/CityRecommender/same", str(1 + n % 3)) for n in range(20))
            )
            assert sorted(answer.status for answer in answers) == [202, *[409] * 19]

    asyncio.run(main())


def test_extension_2_13_refuses_names_and_ids_at_the_door(make_storage: MakeStorage) -> None:
    async def main() -> None:
        async with running_host(storage=make_storage, profile=PROFILE_2_13, clock=ManualClock()) as host:
            before = await _prepared(host)
            for path, told in (
                ("Nope/new", "The function 'Nope' doesn't exist"),
                ("SetStatusTest/a%23b", "must not contain /"),
                ("SetStatusTest/a%3Fb", "must not contain /"),
                ("SetStatusTest/a%5Cb", "must not contain /"),
                ("SetStatusTest/a%0Ab", "control characters"),
                ("SetStatusTest/@e@k", "must not start with @"),
                ("SetStatusTest/%40e", "must not start with @"),
                (f"SetStatusTest/{'x' * 257}", "must not exceed 256 characters"),
            ):
                answer = await host.manage("POST", f"orchestrators/{path}")
                assert answer.status == 400, path
                assert told in answer.json["ExceptionMessage"], path
            assert await _stored(host) == before

    asyncio.run(main())


def test_extension_3_accepts_an_unknown_name_and_fails_the_instance(make_storage: MakeStorage) -> None:
    async def main() -> None:
        async with running_host(storage=make_storage, profile=PROFILE_3, clock=ManualClock()) as host:
            assert (await host.manage("POST", "orchestrators/Nope/new")).status == 202
            document = await host.until_status("new", "Failed")
            assert "The function 'Nope' doesn't exist, is disabled, or is not an orchestrator" in document["output"]

    asyncio.run(main())


@pytest.mark.parametrize("written", ["a.b", "a%2eb", "a%20b", "%2525", "gr%C3%B6%C3%9Fe", "a+b", "a@b", "..."])
def test_an_unusual_id_is_one_instance_wherever_it_is_used(make_storage: MakeStorage, written: str) -> None:
    async def main() -> None:
        async with running_host(storage=make_storage, clock=ManualClock()) as host:
            started = await host.manage("POST", f"orchestrators/CityRecommender/{written}", "1")
            assert started.status == 202
            (only,) = (await host.manage("GET", "instances")).json
            assert only["instanceId"] == started.json["id"]
            shown = await host.request("GET", started.json["statusQueryGetUri"].removeprefix(host.host.base_url))
            if "+" not in started.json["statusQueryGetUri"].partition("?")[0]:  # the platform writes blanks as pluses
                assert shown.json["instanceId"] == started.json["id"]

    asyncio.run(main())


def test_a_large_input_is_kept_whole(make_storage: MakeStorage) -> None:
    body = json.dumps("€" * 200_000).encode()

    async def main() -> None:
        async with running_host(storage=make_storage, clock=ManualClock()) as host:
            assert (await host.manage("POST", "orchestrators/SetStatusTest/big", io.BytesIO(body))).status == 202
            document = await host.until("big", lambda document: document["customStatus"] is not None)
            assert document["input"] == "€" * 200_000

    asyncio.run(main())
