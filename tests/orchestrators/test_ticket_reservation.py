"""S4: the offer, its confirmation, its refusal and its deadline."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestrators.ticket_reservation_contract import BOOKING_CONFIRMED, ORCHESTRATION
from tests.clock import ManualClock
from tests.hosts import RunningHost, running_host

_OFFER = {"discount": 15, "discountTimeout": 60, "bookingUrl": "https://www.myawesomebookingweb.com"}
_CONFIRMED = {"message": "Thank you for confirming your booking."}
_NOT_CONFIRMED = {"message": "The booking was not confirmed on time. Please try again."}


async def _offered(host: RunningHost, instance_id: str) -> None:
    await host.start(ORCHESTRATION, instance_id, "u1")
    document = await host.until(instance_id, lambda document: document["customStatus"] is not None)
    assert document["customStatus"] == _OFFER


async def _ends(host: RunningHost, instance_id: str) -> tuple[Any, Any]:
    document = await host.until_status(instance_id, "Completed")
    return document["output"], document["customStatus"]


@pytest.mark.parametrize("payload", [True, None, {}, "", 0, "yes", "true", [], '"no"'])
def test_any_payload_but_false_confirms_and_leaves_no_timer_open(payload: object) -> None:
    async def main() -> None:
        async with running_host(clock=ManualClock()) as host:  # this clock stands: an open timer would hold it for ever
            await _offered(host, "t")
            await host.raise_event("t", BOOKING_CONFIRMED, payload)
            assert await _ends(host, "t") == (True, _CONFIRMED)

    asyncio.run(main())


@pytest.mark.parametrize("payload", [False, "false", '"false"'])
def test_a_payload_of_false_ends_like_the_time_out(payload: object) -> None:
    async def main() -> None:
        async with running_host(clock=ManualClock()) as host:
            await _offered(host, "t")
            await host.raise_event("t", BOOKING_CONFIRMED, payload)
            assert await _ends(host, "t") == (False, _NOT_CONFIRMED)

    asyncio.run(main())


def test_the_offer_stands_for_60_seconds_and_not_a_moment_more() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with running_host(clock=clock) as host:
            await _offered(host, "in-time")
            clock.advance(59)
            await host.raise_event("in-time", BOOKING_CONFIRMED, True)
            assert await _ends(host, "in-time") == (True, _CONFIRMED)

            await _offered(host, "late")
            clock.advance(60)
            assert await _ends(host, "late") == (False, _NOT_CONFIRMED)
            answer = await host.manage("POST", f"instances/late/raiseEvent/{BOOKING_CONFIRMED}", "true")
            assert answer.status == 410
            assert await _ends(host, "late") == (False, _NOT_CONFIRMED)

    asyncio.run(main())


def test_an_event_of_another_name_confirms_nothing() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with running_host(clock=clock) as host:
            await _offered(host, "t")
            await host.raise_event("t", "BookingCancelled", True)
            clock.advance(60)
            assert await _ends(host, "t") == (False, _NOT_CONFIRMED)

    asyncio.run(main())
