"""S4 in the harness: what a user of the booking page can see, and when."""

from __future__ import annotations

from datetime import timedelta

from durable_status.testing.bench import DurableBench

OFFER = {"discount": 15, "discountTimeout": 60, "bookingUrl": "https://www.myawesomebookingweb.com"}
CONFIRMED = {"message": "Thank you for confirming your booking."}
TOO_LATE = {"message": "The booking was not confirmed on time. Please try again."}


def test_a_confirmation_in_time_ends_with_thanks(durable: DurableBench) -> None:
    run = durable.start("ReserveTicket", "vip1", activities={"CalculateDiscount": 15})
    run.advance(seconds=59).raise_event("BookingConfirmed", True)

    assert run.completed
    assert run.output is True
    assert run.statuses == [OFFER, CONFIRMED]
    assert run.timeline.unseen == []


def test_without_a_confirmation_the_offer_ends_after_its_minute(durable: DurableBench) -> None:
    run = durable.start("ReserveTicket", "vip1").run_until_complete()

    assert run.output is False
    assert run.elapsed == timedelta(seconds=60)
    assert run.timeline.at(seconds=59.9).status == OFFER
    assert run.statuses == [OFFER, TOO_LATE]


def test_the_whole_story_is_as_accepted(durable: DurableBench) -> None:
    run = durable.start("ReserveTicket", "vip1", instance_id="ticket").advance(seconds=59)

    durable.snapshot(run.raise_event("BookingConfirmed", True))
