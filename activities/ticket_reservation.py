"""Calculates what a user gets off the ticket."""

from __future__ import annotations

import azure.durable_functions as df

CALCULATE_DISCOUNT = "CalculateDiscount"

_PERCENT = 15

blueprint = df.Blueprint()


@blueprint.activity_trigger(input_name="userId", activity=CALCULATE_DISCOUNT)
def calculate_discount(userId: str) -> int:  # noqa: N803, ARG001 - no underscore in a binding's name
    """The discount for the user, in percent; the same for everybody so far."""
    return _PERCENT
