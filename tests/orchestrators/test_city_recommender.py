"""S3: three recommendations, one refinement, and events that are not an answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestrators.city_recommender_contract import CITY_SELECTED, ORCHESTRATION
from tests.clock import ManualClock
from tests.hosts import RunningHost, running_host

_OFFERS = {
    1: (["Tokyo", "Seattle"], ["Spring", "Summer"]),
    2: (["Seattle", "London"], ["Summer"]),
    3: (["Tokyo", "London"], ["Spring", "Summer"]),
}


async def _offered(host: RunningHost, instance_id: str, choice: Any) -> Any:
    await host.start(ORCHESTRATION, instance_id, choice)
    return (await host.until(instance_id, lambda document: document["customStatus"] is not None))["customStatus"]


@pytest.mark.parametrize("choice", [1, 2, 3])
def test_each_choice_has_its_offer_and_each_city_on_it_can_be_selected(choice: int) -> None:
    cities, seasons = _OFFERS[choice]

    async def main() -> None:
        async with running_host(clock=ManualClock()) as host:
            for city in cities:
                offer = await _offered(host, city, choice)
                assert offer == {"recommendedCities": cities, "recommendedSeasons": seasons}
                await host.raise_event(city, CITY_SELECTED, city)
                document = await host.until_status(city, "Completed")
                assert document["output"] == city
                assert document["customStatus"] == {"recommendedCities": [city], "recommendedSeasons": seasons}

    asyncio.run(main())


def test_what_is_not_on_offer_is_ignored_for_ever() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with running_host(clock=clock) as host:
            offer = await _offered(host, "c", 2)
            for payload in (
                "Tokyo",
                "london",
                " London",
                ["London"],
                {"city": "London"},
                0,
                True,
                None,
                '"Tokyo"',
                '"',
            ):
                await host.raise_event("c", CITY_SELECTED, payload)
            await host.raise_event("c", "SomethingElse", "London")
            clock.advance(400 * 24 * 3600)  # no deadline
            assert (await host.manage("POST", "instances/c/suspend")).status == 202
            suspended = await host.until_status("c", "Suspended")  # so all events before have been taken
            assert suspended["customStatus"] == offer
            assert (await host.manage("POST", "instances/c/resume")).status == 202
            await host.raise_event("c", CITY_SELECTED, '"London"')
            assert (await host.until_status("c", "Completed"))["output"] == "London"

    asyncio.run(main())


@pytest.mark.parametrize("choice", ["1", 1.0])
def test_a_choice_may_come_as_a_text(choice: object) -> None:
    async def main() -> None:
        async with running_host(clock=ManualClock()) as host:
            assert (await _offered(host, "c", choice))["recommendedCities"] == ["Tokyo", "Seattle"]

    asyncio.run(main())


def test_any_other_choice_fails_in_one_sentence_and_sets_no_status() -> None:
    async def main() -> None:
        async with running_host(clock=ManualClock()) as host:
            for number, choice in enumerate((0, 4, None, "two", [1], {"choice": 1}, 2.5, True)):
                await host.start(ORCHESTRATION, f"c{number}", choice)
                document = await host.until_status(f"c{number}", "Failed")
                assert f"The user's choice is 1, 2 or 3, not {choice!r}." in document["output"]
                assert document["customStatus"] is None

    asyncio.run(main())
