"""An orchestrator as it was when instances of it were recorded, and edits of it with the platform's verdict on each.

The verdicts are those of replay.md §5, observed on the real extension. An edit is a whole orchestrator, so that it can
be read beside the original.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

Orchestrator = Callable[[Any], Generator[Any, Any, Any]]
RETRY = df.RetryOptions(5_000, 3)
COUNTER = df.EntityId("Counter", "orders")


def original(context: Any) -> Generator[Any, Any, Any]:
    """Price it, let it be approved within an hour, count it, ship it, charge it."""
    context.set_custom_status("pricing")
    price = yield context.call_activity("Price", context.get_input())
    approval = context.wait_for_external_event("Approve")
    deadline = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    yield context.task_any([approval, deadline])
    deadline.cancel()
    context.signal_entity(COUNTER, "add", 1)
    parcel = yield context.call_sub_orchestrator("Ship", {"price": price}, "parcel")
    yield context.call_activity_with_retry("Charge", RETRY, price)
    return parcel


def _edit(  # one parameter per place that an edit changes
    *,
    before: tuple[str, ...] = (),
    price: str | None = "Price",
    price_input: Any = None,
    kind: str = "activity",
    hours: int | None = 1,
    event: str = "Approve",
    ends_after_price: str | None = None,
    call_counter: bool = False,
    child: str = "Ship",
    child_id: str = "parcel",
    charge_first: bool = False,
    retries: bool = True,
    after: tuple[str, ...] = (),
    status: str = "pricing",
) -> Orchestrator:
    def order(context: Any) -> Generator[Any, Any, Any]:
        context.set_custom_status(status)
        for name in before:
            yield context.call_activity(name)
        value: Any = 3
        if price is not None and kind == "activity":
            value = yield context.call_activity(price, price_input or context.get_input())
        elif kind == "child":
            value = yield context.call_sub_orchestrator("Price", context.get_input())
        elif kind == "retried":
            value = yield context.call_activity_with_retry("Price", RETRY, context.get_input())
        if ends_after_price == "return":
            return value
        if ends_after_price == "raise":
            raise ValueError("no more orders")
        if ends_after_price == "again":
            context.continue_as_new(context.get_input())
            return None
        waits = [context.wait_for_external_event(event)]
        if hours is not None:
            waits.append(context.create_timer(context.current_utc_datetime + timedelta(hours=hours)))
        yield context.task_any(waits)
        if hours is not None:
            waits[1].cancel()
        if call_counter:
            yield context.call_entity(COUNTER, "add", 1)
        else:
            context.signal_entity(COUNTER, "add", 1)
        if charge_first:
            yield context.call_activity("Charge", value)
        parcel = yield context.call_sub_orchestrator(child, {"price": value}, child_id)
        if retries:
            yield context.call_activity_with_retry("Charge", RETRY, value)
        else:
            yield context.call_activity("Charge", value)
        for name in after:
            yield context.call_activity(name)
        return parcel

    return order


@dataclass(frozen=True)
class Edit:
    """An edited orchestrator and whether running instances survive it."""

    name: str
    code: Orchestrator
    survives: bool
    mentions: str = ""
    """What the problem names."""


EDITS = (
    Edit("nothing changed", original, True),
    Edit("another status", _edit(status="looking up the price"), True),
    Edit("another input for an activity", _edit(price_input="other"), True),
    Edit("a name in another case", _edit(price="PRICE"), True),
    Edit("a timer of another length", _edit(hours=2), True),
    Edit("a plain call made a retried one", _edit(kind="retried"), True),
    Edit("another id for the child", _edit(child_id="box"), True),
    Edit("an activity at the end", _edit(after=("Thank",)), True),
    Edit("an activity before all", _edit(before=("Check",)), False, "activity 0 'Price'"),
    Edit("an activity renamed", _edit(price="GetPrice"), False, "activity 0 'Price'"),
    Edit("an activity removed", _edit(price=None), False, "activity 0 'Price'"),
    Edit("an activity made a child", _edit(kind="child"), False, "activity 0 'Price'"),
    Edit("a timer removed", _edit(hours=None), False, "timer 1"),
    Edit("another event name", _edit(event="Confirm"), False, "message 2 to an entity"),
    Edit("an earlier return", _edit(ends_after_price="return"), False, "timer 1"),
    Edit("an earlier error", _edit(ends_after_price="raise"), False, "timer 1"),
    Edit("an earlier continue-as-new", _edit(ends_after_price="again"), False, "timer 1"),
    Edit("a child renamed", _edit(child="Send"), False, "sub-orchestration 3 'Ship'"),
    Edit("two steps swapped", _edit(charge_first=True), False, "sub-orchestration 3 'Ship'"),
    Edit("a retry dropped that had been needed", _edit(retries=False), False, "timer 5"),
)
