"""What callers of the reserving orchestration need to know. Plain types only."""

from __future__ import annotations

from typing_extensions import TypedDict

ORCHESTRATION = "ReserveTicket"
"""Its input is the user's id, its output whether the booking was confirmed."""

BOOKING_CONFIRMED = "BookingConfirmed"
"""The event that confirms; a payload of false does not."""


class Offer(TypedDict):
    """The custom status while the booking can be confirmed."""

    discount: int
    discountTimeout: int
    """Seconds."""
    bookingUrl: str


class Outcome(TypedDict):
    """The custom status in the end."""

    message: str


Status = Offer | Outcome
"""The custom status."""
