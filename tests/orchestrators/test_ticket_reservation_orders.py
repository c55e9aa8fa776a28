"""S4 in every order of what can happen to it."""

from __future__ import annotations

from durable_status.testing.bench import DurableBench
from durable_status.testing.faults import Faults
from durable_status.testing.moves import event
from durable_status.testing.outcomes import either

_ENDS = {
    True: {"message": "Thank you for confirming your booking."},
    False: {"message": "The booking was not confirmed on time. Please try again."},
}


def test_status_and_output_agree_in_every_order(durable: DurableBench) -> None:
    report = durable.explore("ReserveTicket", "vip1", events=[event("BookingConfirmed", True)], batch=2)

    assert str(report) == "7 of 7 orders"
    report.at_end(lambda run: run.status == _ENDS[run.output])


def test_a_refusal_ends_like_the_time_out(durable: DurableBench) -> None:
    refusals = [
        event("BookingConfirmed", False),
        event("BookingConfirmed", "false"),
        event("BookingConfirmed", False, sent_by_sdk=True),
    ]
    for refusal in refusals:
        report = durable.explore("ReserveTicket", "vip1", events=[refusal])
        report.at_end(lambda run: run.output is False and run.status == _ENDS[False])


def test_an_activity_that_fails_fails_the_reservation_without_an_offer(durable: DurableBench) -> None:
    report = durable.explore("ReserveTicket", "vip1", activities={"CalculateDiscount": either(15, OSError("down"))})

    report.at_end(lambda run: run.failed == (run.schedule == "A0:1"))
    report.at_end(lambda run: not run.failed or run.statuses == [])


def test_a_timer_that_fires_early_decides_by_who_won(durable: DurableBench) -> None:
    run = durable.start("ReserveTicket", "vip1", faults=Faults(early_timers=1)).run_until_complete()

    assert (run.output, run.elapsed.total_seconds()) == (False, 59)
