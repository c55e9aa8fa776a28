"""OrchestrationRun: activities at once, time only as told, every way a call can end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from durable_status.testing.bench import DurableBench
from durable_status.testing.errors import HarnessError, RuleBroken
from durable_status.testing.faults import Faults
from durable_status.testing.outcomes import HANG, in_turn

pytestmark = pytest.mark.durable(app="tests/apps/orders")


def test_activities_without_a_stub_run_for_real(durable: DurableBench) -> None:
    assert durable.start("FanOut", 3).output == [0, 1, 4]


@pytest.mark.parametrize(
    ("stub", "output"),
    [(7, [7, 7]), ({"a": [1]}, [{"a": [1]}, {"a": [1]}]), (lambda n: n + 1, [1, 2]), (in_turn(5, 6), [5, 6])],
    ids=["value", "object", "callable", "in turn"],
)
def test_a_stub_says_how_calls_end(durable: DurableBench, stub: Any, output: Any) -> None:
    assert durable.start("FanOut", 2, activities={"square": stub}).output == output


@pytest.mark.parametrize("stub", [ValueError("no"), ValueError, {1, 2}], ids=["exception", "class", "no JSON"])
def test_a_stub_that_raises_fails_the_call(durable: DurableBench, stub: Any) -> None:
    run = durable.start("OneApproval", activities={"Prepare": stub})

    assert run.failed
    assert "Activity function 'Prepare' failed: " in str(run.output)


def test_retries_cost_virtual_time_only(durable: DurableBench) -> None:
    run = durable.start("Retried", activities={"Prepare": in_turn(OSError("1"), OSError("2"), 4)})
    assert run.elapsed == timedelta(0)

    run.run_until_complete()
    assert (run.output, run.elapsed) == (4, timedelta(seconds=10))


def test_a_failure_that_lasts_surfaces_after_the_platforms_extra_timer(durable: DurableBench) -> None:
    run = durable.start("Retried", activities={"Prepare": OSError("down")}).run_until_complete()

    assert (run.failed, run.elapsed) == (True, timedelta(seconds=10))
    names = [type(event).__name__ for event in run.history]
    assert (names.count("TaskFailed"), names.count("TimerFired")) == (3, 3)


def test_one_call_more_than_foreseen_is_an_error(durable: DurableBench) -> None:
    with pytest.raises(HarnessError, match="Square is called once more than in_turn has outcomes"):
        durable.start("FanOut", 3, activities={"Square": in_turn(1, 2)})


def test_a_call_that_hangs_leaves_the_rest_going(durable: DurableBench) -> None:
    run = durable.start("OneApproval", activities={"Prepare": HANG})

    assert [str(item) for item in run.pending] == ['activity 0: Prepare("form")']
    with pytest.raises(HarnessError, match="no timer is set: the instance is Running and waits for activity 0"):
        run.run_until_complete()


def test_sub_orchestrations_run_or_are_stubbed(durable: DurableBench) -> None:
    real = durable.start("Family")
    stubbed = durable.start("Family", sub_orchestrations={"FanOut": lambda n: f"child {n}"})

    assert (real.output, [child.output for child in real.sub_orchestrations]) == ([[0], [0, 1]], [[0], [0, 1]])
    assert (stubbed.output, stubbed.sub_orchestrations) == (["child 1", "child 2"], [])


def test_continue_as_new_goes_on_in_virtual_time(durable: DurableBench) -> None:
    run = durable.start("Counting", 2).run_until_complete()

    assert (run.output, run.elapsed) == ("done", timedelta(hours=3))
    assert run.statuses == [{"left": 2}, {"left": 1}, {"left": 0}]


def test_a_status_is_carried_into_the_next_generation(durable: DurableBench) -> None:
    run = durable.start("SetsOnce", 1, allow=["status-lost"]).advance(seconds=3_600)

    assert (run.runtime_status, run.status) == ("Running", {"left": 1})


def test_entities_keep_their_state(durable: DurableBench) -> None:
    assert durable.start("UsesCounter").output == 5


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        (204, [204, ""]),
        ({"price": 3}, [200, '{"price": 3}']),
        ({"statusCode": 500, "content": "no"}, [500, "no"]),
        (lambda request: request["method"], [200, "GET"]),
    ],
)
def test_http_calls_are_answered_by_stubs(durable: DurableBench, answer: Any, output: Any) -> None:
    assert durable.start("Fetches", http={"GET https://prices.example/book": answer}).output == output


def test_an_http_call_without_an_answer_is_an_error_and_sends_nothing(durable: DurableBench) -> None:
    with pytest.raises(HarnessError, match=r"'GET https://prices\.example/book', and `http` has no answer for it"):
        durable.start("Fetches")


def test_events_suspension_and_termination(durable: DurableBench) -> None:
    run = durable.start("OneApproval").suspend("lunch")
    assert (run.runtime_status, run.output) == ("Suspended", "lunch")

    assert run.resume().raise_event("Approve", "ann").output == "ann"
    assert durable.start("OneApproval").terminate("over").output == "over"
    with pytest.raises(HarnessError, match=r"cannot terminate .* it has ended"):
        run.terminate()


def test_a_far_timer_costs_no_more_than_a_near_one(durable: DurableBench) -> None:
    def episodes(hours: int) -> int:
        run = durable.start("Counting", 0)
        run.advance(seconds=hours * 3_600)
        return sum(type(event).__name__ == "OrchestratorStarted" for event in run.history)

    assert episodes(1) == episodes(30 * 24)


@pytest.mark.parametrize(
    "faults",
    [
        Faults(rerun_episodes=True),
        Faults(rerun_activities=True),
        Faults(duplicate_events=True),
        Faults(new_process=True),
        Faults(early_timers=1),
        Faults(batch=3),
    ],
)
def test_legal_faults_change_no_outcome(durable: DurableBench, faults: Faults) -> None:
    assert durable.start("FanOut", 3, faults=faults).output == [0, 1, 4]
    assert durable.start("OneApproval", faults=faults).run_until_complete().output is None
    assert durable.start("OneApproval", faults=faults).raise_event("Approve", "ann").output == "ann"


def test_activities_are_run_again_as_after_a_crash(durable: DurableBench) -> None:
    calls: list[int] = []
    durable.start("FanOut", 2, activities={"Square": calls.append}, faults=Faults(rerun_activities=True))

    assert calls == [0, 0, 1, 1]


def test_a_memo_in_a_module_does_not_survive_a_new_process(durable: DurableBench) -> None:
    with pytest.raises(RuleBroken, match=r"not deterministic|two answers"):
        durable.start("Memoized", faults=Faults(new_process=True)).run_until_complete()


def test_timers_fire_up_to_a_second_early_if_asked(durable: DurableBench) -> None:
    run = durable.start("OneApproval", faults=Faults(early_timers=0.5)).run_until_complete()

    assert run.elapsed == timedelta(seconds=59.5)


@pytest.mark.parametrize("wrong", [{"early_timers": 2}, {"early_timers": -1}, {"batch": 0}])
def test_faults_the_platform_cannot_have_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(HarnessError):
        Faults(**wrong)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"orchestration": "Nope"}, "cannot start 'Nope'.*'FanOut'"),
        ({"orchestration": "FanOut", "activities": {"Nope": 1}}, "'Nope' cannot be stubbed.*'Square'"),
        ({"orchestration": "FanOut", "sub_orchestrations": {"Nope": 1}}, "'Nope' cannot be stubbed"),
        ({"orchestration": "FanOut", "allow": ["nope"]}, "there is no rule 'nope'; known: action-limit"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(
    durable: DurableBench, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        durable.start(**arguments)


def test_a_function_that_does_not_exist_is_told_with_those_that_do(durable: DurableBench) -> None:
    with pytest.raises(RuleBroken, match=r"'Sqare' doesn't exist.*'Square'.*\[unknown-function\]"):
        durable.start("Misspells")


def test_the_timeline_tells_what_nobody_could_see(durable: DurableBench) -> None:
    run = durable.start("Hurried")

    assert run.statuses == ["second", "first"]
    assert [(item.status, item.reason) for item in run.timeline.unseen] == [
        ("first", "overwritten before the episode ended")
    ]
    run.timeline.always(lambda seen: seen.status is not None)
    with pytest.raises(AssertionError, match="holds here"):
        run.timeline.never(lambda seen: seen.status == "first")


def test_the_timeline_reads_like_a_story(durable: DurableBench) -> None:
    run = durable.start("OneApproval", instance_id="x").advance(seconds=3)
    run.raise_event("Approve", "ann")

    assert str(run.timeline).splitlines() == [
        "OneApproval()",
        "     0.0s  Pending                 start requested",
        "     0.0s  Running     null        start",
        '     0.0s  Running     {"size":4}  Prepare -> 4',
        '     3.0s  Completed   {"size":4}  event Approve("ann")  => "ann"',
    ]
    assert [run.timeline.at(seconds=moment).runtime_status for moment in (2.9, 3)] == ["Running", "Completed"]
