"""FakeOrchestrationContext: one instance, step by step, over the real SDK."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status import StatusDecodeError
from durable_status.testing.context import FakeOrchestrationContext
from durable_status.testing.errors import HarnessError
from orchestrators.set_status_test import set_status_test
from orchestrators.ticket_reservation import reserve_ticket
from orchestrators.ticket_reservation_contract import Offer, Outcome


def _flow(context: Any) -> Any:
    try:
        value = yield context.call_activity("Work", {"n": 1})
    except Exception as error:
        context.set_custom_status({"failed": str(error).splitlines()[0]})
        value = None
    child = yield context.call_sub_orchestrator("Child", value)
    return [value, child]


def test_a_decorated_orchestrator_is_stepped_through_its_episodes() -> None:
    context = FakeOrchestrationContext(reserve_ticket, "vip1")
    assert (context.name, context.runtime_status, context.custom_status()) == ("ReserveTicket", "Running", None)

    context.complete_activity("CalculateDiscount", result=15)
    assert context.custom_status(Offer)["discount"] == 15
    with pytest.raises(StatusDecodeError, match="does not fit Outcome: message: Field required"):
        context.custom_status(Outcome)
    assert context.custom_status(Offer | Outcome) == context.status
    assert context.waits_for == ("BookingConfirmed",)

    context.fire_timer()
    assert context.output is False
    assert context.elapsed == timedelta(seconds=60)


def test_it_stands_in_for_the_trigger_and_not_for_the_sdk() -> None:
    context = FakeOrchestrationContext(reserve_ticket, "vip1")
    answer = json.loads(reserve_ticket(context))

    assert json.loads(context.body)["instanceId"] == "instance"
    assert answer["actions"][0][0]["functionName"] == "CalculateDiscount"


def test_a_failing_activity_raises_in_the_orchestrator_what_the_platform_makes_of_it() -> None:
    context = FakeOrchestrationContext(_flow)
    context.fail_activity("Work", error=ValueError("no paper"))

    assert context.status == {"failed": "Activity function 'Work' failed: ValueError: no paper "}

    context.fail_sub_orchestration(error="gone")
    assert context.failed
    assert str(context.output).startswith("Orchestrator function '_flow' failed: Orchestrator function 'Child' failed:")


def test_results_travel_as_json() -> None:
    context = FakeOrchestrationContext(_flow)
    context.complete_activity(result=(1, {"a": None}))
    context.complete_sub_orchestration("Child", result=None)

    assert context.output == [[1, {"a": None}], None]


def test_time_moves_only_as_told_and_timers_fire_at_their_time() -> None:
    context = FakeOrchestrationContext(set_status_test)
    context.advance(seconds=29.9)
    assert context.runtime_status == "Running"

    context.advance(seconds=0.1)
    assert context.completed
    assert [entry.seconds for entry in context.timeline] == [0, 0, 30]


def test_suspend_holds_what_comes_until_resume() -> None:
    context = FakeOrchestrationContext(_flow)
    context.suspend("lunch")
    context.complete_activity(result=1)
    assert (context.runtime_status, context.output) == ("Suspended", "lunch")
    assert [str(item) for item in context.pending] == []

    context.resume("back")
    assert [str(item) for item in context.pending] == ['sub-orchestration 1: Child("1")']


def test_terminate_ends_it_at_once() -> None:
    context = FakeOrchestrationContext(reserve_ticket, "vip1")
    context.terminate("enough")

    assert (context.runtime_status, context.output, context.pending) == ("Terminated", "enough", ())
    with pytest.raises(HarnessError, match="has ended \\(Terminated\\)"):
        context.raise_event("BookingConfirmed")


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda context: context.complete_activity("Other"), "no activity Other is pending"),
        (lambda context: context.fire_timer(), "no timer"),
        (lambda context: context.complete_activity(result={1, 2}), "is not JSON"),
        (lambda context: context.advance(seconds=-1), "time goes forward only"),
    ],
)
def test_what_cannot_be_is_refused_with_what_could(step: Any, message: str) -> None:
    context = FakeOrchestrationContext(reserve_ticket, "vip1")
    before = context.history, context.pending

    with pytest.raises(HarnessError, match=message):
        step(context)
    assert (context.history, context.pending) == before


def test_what_is_no_orchestrator_is_refused() -> None:
    with pytest.raises(HarnessError, match="is no orchestrator"):
        FakeOrchestrationContext(7)


def _counts(context: Any) -> Any:
    counter = df.EntityId("Counter", "c")
    context.signal_entity(counter, "add", 1)
    total = yield context.call_entity(counter, "get")
    return total + 1


def test_a_call_of_an_entity_is_answered_by_the_test() -> None:
    context = FakeOrchestrationContext(_counts)
    with pytest.raises(HarnessError, match="no call of the entity @other@c is pending"):
        context.complete_entity_call("@other@c", result=1)

    context.complete_entity_call("@counter@c", result=41)
    assert context.output == 42
