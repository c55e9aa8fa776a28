"""explore(): every order, honest counts, the shortest failing schedule and its replay."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis.errors import HypothesisException

from durable_status.replay.events import TaskFailed
from durable_status.testing.bench import DurableBench
from durable_status.testing.errors import HarnessError, RuleBroken
from durable_status.testing.moves import event
from durable_status.testing.outcomes import either, in_turn

pytestmark = pytest.mark.durable(app="tests/apps/orders")

_ANN, _BOB = event("Approve", "ann"), event("Approve", "bob")


def test_all_orders_of_five_concurrent_activities(durable: DurableBench) -> None:
    report = durable.explore("FanOut", 5)

    assert str(report) == "120 of 120 orders"
    squares = [n * n for n in range(5)]
    assert sorted(run.output for run in report.runs) == sorted(map(list, permutations(squares)))  # type: ignore[type-var]


@pytest.mark.parametrize(("batch", "orders"), [(1, 6), (2, 18), (3, 24)])
def test_batches_multiply_the_orders(durable: DurableBench, batch: int, orders: int) -> None:
    assert str(durable.explore("FanOut", 3, batch=batch)) == f"{orders} of {orders} orders"


def test_no_timer_fires_before_an_earlier_one(durable: DurableBench) -> None:
    report = durable.explore("TwoTimers", batch=2)

    assert sorted(run.schedule for run in report.runs) == ["T1 T0", "T1+T0"]


def test_events_come_at_any_moment_or_not_at_all(durable: DurableBench) -> None:
    report = durable.explore("OneApproval", events=[_ANN], batch=2)

    assert sorted(run.schedule for run in report.runs) == [
        "A0 E0",
        "A0 E0+T1",
        "A0 T1",
        "A0 T1+E0",
        "A0+E0",
        "E0 A0",
        "E0+A0",
    ]
    report.at_end(lambda run: run.output == ("ann" if "E0" in run.schedule.partition("T1")[0] else None))


def test_an_exception_is_raised_afresh_in_every_order(durable: DurableBench) -> None:
    down = OSError("down")
    down.__cause__ = ValueError("why")

    report = durable.explore("Retried", activities={"Prepare": either(4, down)})

    sizes = {len(event.details or "") for run in report.runs for event in run.history if isinstance(event, TaskFailed)}
    assert len(sizes) == 1
    assert "ValueError: why" in str(report.runs[-1].output)
    assert (down.__traceback__, down.__context__) == (None, None)


def test_one_that_cannot_be_copied_is_raised_itself_and_grows_no_traceback(durable: DurableBench) -> None:
    class Awkward(Exception):
        def __init__(self, code: int, *, reason: str) -> None:
            super().__init__(code, reason)

    awkward = Awkward(5, reason="no")

    report = durable.explore("Retried", activities={"Prepare": either(4, awkward)})

    sizes = {len(event.details or "") for run in report.runs for event in run.history if isinstance(event, TaskFailed)}
    assert len(sizes) == 1


def test_either_outcome_of_each_call_is_tried(durable: DurableBench) -> None:
    report = durable.explore("Retried", activities={"Prepare": either(4, OSError("down"))})

    assert sorted((run.schedule, run.failed) for run in report.runs) == [
        ("A0", False),
        ("A0:1 T1 A2", False),
        ("A0:1 T1 A2:1 T3 A4", False),
        ("A0:1 T1 A2:1 T3 A4:1 T5", True),
    ]


def test_outcomes_in_turn_are_counted_in_each_order_by_itself(durable: DurableBench) -> None:
    report = durable.explore("FanOut", 2, activities={"Square": in_turn(5, 6)})

    assert [run.output for run in report.runs] == [[5, 6], [5, 6]]


def test_children_take_part(durable: DurableBench) -> None:
    report = durable.explore("Family")

    assert {run.schedule for run in report.runs} >= {"0/A0 1/A0 1/A1 M0 M0", "1/A1 1/A0 0/A0 M1 M0"}
    report.at_end(lambda run: run.completed)


def test_duplicates_of_events_are_tried_if_asked(durable: DurableBench) -> None:
    once = durable.explore("OneApproval", events=[_ANN])
    twice = durable.explore("OneApproval", events=[_ANN], duplicates=True, allow=["once"])

    assert {run.schedule for run in twice.runs} - {run.schedule for run in once.runs} == {"E0 E0 A0"}


def test_the_early_event_defect_of_the_sdk_is_found_by_the_rules_alone(durable: DurableBench) -> None:
    with pytest.raises(RuleBroken, match=r"python#507") as raised:
        durable.explore("TwoApprovals", events=[_ANN, _BOB])

    assert "'E0 A0', events=[event('Approve', 'ann'), event('Approve', 'bob')]" in str(raised.value)


def test_an_end_that_the_host_does_not_see_is_found_when_nothing_more_can_happen(durable: DurableBench) -> None:
    with pytest.raises(RuleBroken, match=r"has ended for the SDK, but the host still waits.*\[agreement\]"):
        durable.explore("TwoApprovals", events=[_ANN], allow=["once"])


@pytest.mark.parametrize("seed", [0, 2, 3])  # they draw three batches, of which two messages matter
def test_a_failure_that_was_drawn_is_shrunk(durable: DurableBench, seed: int) -> None:
    events = [_ANN, _BOB, *(event(f"Other{number}") for number in range(4))]

    with pytest.raises(RuleBroken, match="python#507") as raised:
        durable.explore("TwoApprovals", events=events, limit=4, batch=2, seed=seed)

    line = next(line for line in str(raised.value).splitlines() if line.startswith("replay it: "))
    assert line.split("'")[3] in ("E0 A0", "E1 A0")


def test_the_printed_line_replays_the_failure(durable: DurableBench) -> None:
    with pytest.raises(RuleBroken) as raised:
        durable.explore("TwoApprovals", events=[_ANN, _BOB])
    line = next(line for line in str(raised.value).splitlines() if line.startswith("replay it: "))

    with pytest.raises(RuleBroken, match="python#507"):
        eval(line.removeprefix("replay it: "), {"durable": durable, "event": event})


def test_beyond_the_limit_orders_are_drawn_and_the_count_says_so(durable: DurableBench) -> None:
    report = durable.explore("FanOut", 4, limit=10, seed=17)

    assert not report.is_complete
    assert 10 < report.total <= 24
    assert (report.explored - report.sampled, report.seed) == (5, 17)
    assert str(report).startswith(f"{report.explored} of >= {report.total} orders (5 in order, ")
    again = durable.explore("FanOut", 4, limit=10, seed=17)
    assert [run.schedule for run in again.runs] == [run.schedule for run in report.runs]


def test_a_failing_condition_shows_the_shortest_order_and_how_many_fail(durable: DurableBench) -> None:
    report = durable.explore("FanOut", 3)

    with pytest.raises(AssertionError, match=r"does not hold at the end: 4 of 6 orders, the shortest is\n") as raised:
        report.at_end(lambda run: isinstance(run.output, list) and run.output[0] == 0)
    assert "replay it: durable.replay('FanOut', 3, 'A1 A0 A2'" in str(raised.value)
    with pytest.raises(AssertionError, match="does not always hold"):
        report.always(lambda seen: seen.status != {"done": [4]})
    with pytest.raises(AssertionError, match="holds somewhere"):
        report.never(lambda seen: seen.status == {"done": [4]})


def test_a_schedule_that_cannot_happen_is_refused_with_what_can(durable: DurableBench) -> None:
    assert durable.replay("FanOut", 3, "A2 A0+A1").output == [4, 0, 1]
    with pytest.raises(HarnessError, match="'A0' cannot happen after 'A0'; possible: A1, A2"):
        durable.replay("FanOut", 3, "A0 A0")


def test_hypothesis_draws_orders_and_shrinks_to_the_simplest(durable: DurableBench) -> None:
    told: list[str] = []

    @settings(database=None, deadline=None, max_examples=50)
    @given(run=durable.schedules("TwoApprovals", events=[_ANN, _BOB]))
    def play(run: Any) -> None:
        assert run.output in (None, ["ann", "bob"], ["bob", "ann"])

    with pytest.raises((RuleBroken, ExceptionGroup, HypothesisException)) as raised:
        play()
    told += [str(raised.value), *getattr(raised.value, "__notes__", [])]
    assert "python#507" in told[0]
    assert any("schedule: E0 A0" in note for note in told)
