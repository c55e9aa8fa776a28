"""The typed client of each orchestration, from outside and from inside the app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from clients.city_recommender import CityRecommender
from clients.hello_sequence import HelloSequence
from clients.set_status_test import SetStatusTest
from clients.ticket_reservation import TicketReservation
from durable_status import InstanceStateError
from tests.durable_status.client.kinds import client_of
from tests.hosts import RunningHost, running_host


@pytest.fixture(params=["http", "in-function"])
def play(request: pytest.FixtureRequest) -> Callable[[Callable[[Any, RunningHost], Awaitable[None]]], None]:
    """Plays a story with a client of each kind for asyncio."""

    def run(story: Callable[[Any, RunningHost], Awaitable[None]]) -> None:
        async def main() -> None:
            async with running_host() as host, client_of(request.param, host) as client:
                await story(client, host)

        asyncio.run(main())

    return run


Play = Callable[[Callable[[Any, RunningHost], Awaitable[None]]], None]


def test_s1_greets_and_shows_the_last_city(play: Play) -> None:
    async def story(client: Any, _host: RunningHost) -> None:
        hello = HelloSequence(client)
        instance_id = await hello.start()

        last = None
        async for status in hello.watch(instance_id):
            last = status.custom_status
        assert last == "London"
        assert await hello.greetings(instance_id, 10) == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]

    play(story)


def test_s3_recommends_and_ends_with_the_selection(play: Play) -> None:
    async def story(client: Any, _host: RunningHost) -> None:
        recommender = CityRecommender(client)
        instance_id = await recommender.start(2, instance_id="c")
        offer = await recommender.recommendation(instance_id, 10)
        assert offer == {"recommendedCities": ["Seattle", "London"], "recommendedSeasons": ["Summer"]}
        with pytest.raises(InstanceStateError):
            await recommender.start(2, instance_id="c")

        await recommender.select(instance_id, "Paris")
        await recommender.select(instance_id, "London")
        assert await recommender.selected(instance_id, 10) == "London"

    play(story)


@pytest.mark.parametrize("confirmed", [True, False])
def test_s4_books_what_is_confirmed(play: Play, confirmed: bool) -> None:
    async def story(client: Any, host: RunningHost) -> None:
        reservation = TicketReservation(client)
        instance_id = await reservation.start("u1")
        await host.until(instance_id, lambda document: document["customStatus"] is not None)
        offer = (await reservation.status(instance_id)).custom_status
        assert offer is not None
        assert offer["discountTimeout"] == 60  # type: ignore[typeddict-item]

        await reservation.confirm(instance_id, confirmed)
        assert await reservation.is_booked(instance_id, 10) is confirmed
        outcome = (await reservation.status(instance_id)).custom_status
        assert outcome is not None
        assert outcome.keys() == {"message"}

    play(story)


def test_s5_shows_its_next_actions(play: Play) -> None:
    async def story(client: Any, host: RunningHost) -> None:
        setter = SetStatusTest(client)
        instance_id = await setter.start()
        await host.until(instance_id, lambda document: document["customStatus"] is not None)

        assert (await setter.status(instance_id)).custom_status == {"nextActions": ["A", "B", "C"], "foo": 2}

    play(story)
