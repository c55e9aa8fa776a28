"""The five orchestrations tested with this project's harness."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from durable_status.testing.bench import DurableBench
from durable_status.testing.faults import Faults
from durable_status.testing.moves import event
from durable_status.testing.outcomes import either, in_turn

RECORDED = Path(__file__).parent / "recorded"
"""Histories of the orchestrations as they were deployed."""


def test_reserve(durable: DurableBench) -> None:
    """Confirmed and too late, and every order of both."""
    run = durable.start("Reserve", "ann").advance(seconds=59).raise_event("Confirmed", True)
    assert (run.output, run.elapsed) == (True, timedelta(seconds=59))
    assert [status["stage"] for status in run.statuses] == ["pricing", "offer", "confirmed"]
    assert run.statuses[1] == {"stage": "offer", "price": 30}
    late = durable.start("Reserve", "ann", faults=Faults(new_process=True)).run_until_complete()
    assert (late.output, late.elapsed) == (False, timedelta(seconds=60))
    assert (late.status, late.timeline.unseen) == ({"stage": "too late"}, [])
    report = durable.explore("Reserve", "ann", events=[event("Confirmed", True)], batch=2)
    report.at_end(lambda run: run.status == {"stage": "confirmed" if run.output else "too late"})


def test_convert(durable: DurableBench) -> None:
    """Every order of three conversions."""
    report = durable.explore("Convert", ["a", "b", "c"])
    assert str(report) == "6 of 6 orders"
    report.at_end(lambda run: run.output == ["A", "B", "C"])
    report.at_end(lambda run: run.statuses == [{"done": n, "of": 3} for n in (1, 2, 3)])
    inputs: list[str] = []
    durable.start("Convert", ["a", "b"], activities={"ConvertOne": inputs.append}, allow=["answer"])
    assert inputs == ["a", "b"]


def test_pay(durable: DurableBench) -> None:
    """Paid at once, at the third attempt, and not at all."""
    faults = Faults(new_process=True)
    third = durable.start("Pay", "o1", activities={"Charge": in_turn(OSError(), OSError(), "r")}, faults=faults)
    assert third.run_until_complete().output == "r"
    assert third.elapsed == timedelta(seconds=10)
    released: list[str] = []
    stubs: dict[str, Any] = {"Charge": OSError("no"), "Release": released.append}
    assert durable.start("Pay", "o1", activities=stubs).run_until_complete().output == "released"
    assert released == ["o1"]
    report = durable.explore("Pay", "o1", activities={"Charge": either("r", OSError("no"))})
    report.at_end(lambda run: run.output in ("r", "released"))
    report.at_end(lambda run: run.status == {"stage": "paid" if run.output == "r" else "releasing"})


def test_watch(durable: DurableBench) -> None:
    """An alarm at the third measurement, and four quiet ones."""
    start = {"sensor": "s", "round": 0}
    alarms: list[str] = []
    stubs: dict[str, Any] = {"Measure": in_turn(50, 90, 91), "Alarm": alarms.append}
    run = durable.start("Watch", start, activities=stubs).advance(seconds=600)
    assert (run.output, alarms, run.elapsed) == ("alarm", ["s"], timedelta(minutes=10))
    quiet = durable.start("Watch", start).advance(seconds=900)
    assert quiet.output == "quiet"
    assert [status["round"] for status in quiet.statuses] == [0, 1, 2, 3]


def test_approve(durable: DurableBench) -> None:
    """Every order in which the approvals can come."""
    report = durable.explore("Approve", "d", events=[event("First", "ann"), event("Second", "bob")])
    report.at_end(lambda run: run.output == {"approved by": ["ann", "bob"], "copies": ["d 1", "d 2"]})
    run = durable.start("Approve", "d").raise_event("First", "ann").raise_event("Second", "bob")
    assert run.statuses == [{"approved by": ["ann"]}, {"approved by": ["ann", "bob"]}]


def test_running_instances(durable: DurableBench) -> None:
    """Instances that were recorded would survive this code."""
    durable.check_replay(*sorted(RECORDED.glob("*.json")))


TESTS: tuple[Callable[[DurableBench], None], ...] = (
    test_reserve,
    test_convert,
    test_pay,
    test_watch,
    test_approve,
    test_running_instances,
)
