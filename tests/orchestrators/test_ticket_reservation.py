"""S4: the offer, its confirmation, its refusal and its deadline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from durable_status.testing.bench import DurableBench
from durable_status.testing.errors import HarnessError
from orchestrators.ticket_reservation_contract import BOOKING_CONFIRMED, ORCHESTRATION

_OFFER = {"discount": 15, "discountTimeout": 60, "bookingUrl": "https://www.myawesomebookingweb.com"}
_CONFIRMED = {"message": "Thank you for confirming your booking."}
_NOT_CONFIRMED = {"message": "The booking was not confirmed on time. Please try again."}


@pytest.mark.parametrize("payload", [True, None, {}, "", 0, "yes", "true", [], '"no"'])
def test_any_payload_but_false_confirms_and_leaves_no_timer_open(durable: DurableBench, payload: object) -> None:
    run = durable.start(ORCHESTRATION, "u1").raise_event(BOOKING_CONFIRMED, payload)

    assert (run.completed, run.output, run.statuses) == (True, True, [_OFFER, _CONFIRMED])


@pytest.mark.parametrize("payload", [False, "false", '"false"'])
def test_a_payload_of_false_ends_like_the_time_out(durable: DurableBench, payload: object) -> None:
    run = durable.start(ORCHESTRATION, "u1").raise_event(BOOKING_CONFIRMED, payload)

    assert (run.completed, run.output, run.statuses) == (True, False, [_OFFER, _NOT_CONFIRMED])


def test_the_offer_stands_for_60_seconds_and_not_a_moment_more(durable: DurableBench) -> None:
    in_time = durable.start(ORCHESTRATION, "u1").advance(seconds=59).raise_event(BOOKING_CONFIRMED, True)
    late = durable.start(ORCHESTRATION, "u1").advance(seconds=60)

    assert (in_time.output, in_time.statuses) == (True, [_OFFER, _CONFIRMED])
    assert (late.output, late.elapsed, late.statuses) == (False, timedelta(seconds=60), [_OFFER, _NOT_CONFIRMED])
    assert late.timeline.at(seconds=59.9).status == _OFFER
    with pytest.raises(HarnessError, match="has ended"):
        late.raise_event(BOOKING_CONFIRMED, True)


def test_an_event_of_another_name_confirms_nothing(durable: DurableBench) -> None:
    run = durable.start(ORCHESTRATION, "u1").raise_event("BookingCancelled", True).advance(seconds=60)

    assert (run.output, run.statuses) == (False, [_OFFER, _NOT_CONFIRMED])


def test_the_whole_story_is_as_accepted(durable: DurableBench) -> None:
    run = durable.start(ORCHESTRATION, "vip1", instance_id="ticket").advance(seconds=59)

    durable.snapshot(run.raise_event(BOOKING_CONFIRMED, True))
