"""S4, specify instructions: offers a discount and gives the user 60 seconds to confirm the booking."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from activities.ticket_reservation import CALCULATE_DISCOUNT
from durable_status import set_custom_status
from orchestrators.ticket_reservation_contract import BOOKING_CONFIRMED, ORCHESTRATION, Offer, Outcome

_SECONDS_TO_CONFIRM = 60
_BOOKING_URL = "https://www.myawesomebookingweb.com"
_CONFIRMED = Outcome(message="Thank you for confirming your booking.")
_NOT_CONFIRMED = Outcome(message="The booking was not confirmed on time. Please try again.")
_REFUSALS = ("false", '"false"')  # what the Python client makes of False and of the text false

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration=ORCHESTRATION)
def reserve_ticket(context: df.DurableOrchestrationContext) -> Generator[Any, Any, bool]:
    """Offer the discount and wait for the confirmation; the output is whether it came in time."""
    discount = yield context.call_activity(CALCULATE_DISCOUNT, context.get_input())
    set_custom_status(context, Offer(discount=discount, discountTimeout=_SECONDS_TO_CONFIRM, bookingUrl=_BOOKING_URL))
    confirmation = context.wait_for_external_event(BOOKING_CONFIRMED)
    deadline = context.create_timer(context.current_utc_datetime + timedelta(seconds=_SECONDS_TO_CONFIRM))
    # Which task won decides, not a clock: on Azure Storage a timer may fire up to a second early.
    winner = yield context.task_any([confirmation, deadline])
    confirmed = False
    if winner == confirmation:
        deadline.cancel()  # at once: an open timer would hold the instance for the rest of the minute
        confirmed = _confirms(confirmation.result)
    set_custom_status(context, _CONFIRMED if confirmed else _NOT_CONFIRMED)
    return confirmed


def _confirms(payload: Any) -> bool:
    """Whether the payload is anything but false, which the Python client sends as a text."""
    return payload is not False and payload not in _REFUSALS
