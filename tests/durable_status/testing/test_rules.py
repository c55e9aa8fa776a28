"""Each rule is broken by one orchestrator and told in its first episode that shows it; legal code breaks none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durable_status.testing.context import FakeOrchestrationContext
from durable_status.testing.errors import RuleBroken
from durable_status.testing.rules import RULES
from tests.durable_status.testing import orchestrators as code

_BREAKING: list[tuple[Callable[[Any], Any], str]] = [
    (code.wall_clock, "clock"),
    (code.time_module, "clock"),
    (code.random_input, "random"),
    (code.uuid_input, "random"),
    (code.reads_a_file, "io"),
    (code.sleeps, "io"),
    (code.runs_a_program, "io"),
    (code.yields_nothing, "yield"),
    (code.yields_a_list, "yield"),
    (code.forgets_a_yield, "unyielded"),
    (code.falsy_status, "falsy-status"),
    (code.huge_status, "status-size"),
    (code.status_that_is_no_json, "answer"),
    (code.open_timer, "open-timer"),
    (code.remembers, "repeatable"),
    (code.input_by_replay, "stable"),
]


def _play(orchestrator: Callable[[Any], Any], **options: Any) -> FakeOrchestrationContext:
    context = FakeOrchestrationContext(orchestrator, **options)
    while not context.has_ended and context.pending:
        context.complete_activity()
    return context


@pytest.mark.parametrize(("orchestrator", "rule"), _BREAKING, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_rule_fails_the_test(orchestrator: Callable[[Any], Any], rule: str) -> None:
    with pytest.raises(RuleBroken) as raised:
        _play(orchestrator)

    assert rule in {finding.rule for finding in raised.value.findings}


def test_the_guard_names_the_call_the_line_and_the_cure() -> None:
    with pytest.raises(
        RuleBroken, match=r"uuid\.uuid4\(\) in an orchestrator \(orchestrators\.py, line \d+\).*new_uuid"
    ):
        _play(code.uuid_input)


def test_an_allowed_rule_is_not_told() -> None:
    context = _play(code.forgets_a_yield, allow=("unyielded",))

    assert context.completed


def test_a_falsy_status_is_told_as_unseen_where_it_is_allowed() -> None:
    (unseen,) = _play(code.falsy_status, allow=("falsy-status",)).timeline.unseen

    assert str(unseen) == "0.0s 0: falsy, so SDK 1.x does not send it"


def test_an_early_event_that_is_handed_out_twice_is_found() -> None:
    context = FakeOrchestrationContext(code.two_waits)
    context.raise_event("go", 1)

    with pytest.raises(RuleBroken, match=r"event go\(1\) more often than it was raised.*#507"):
        context.complete_activity()


def test_events_that_come_when_they_are_waited_for_are_fine() -> None:
    context = FakeOrchestrationContext(code.two_waits)
    context.complete_activity()
    context.raise_event("go", 1)
    context.raise_event("go", 1)

    assert context.output == [1, 1]


@pytest.mark.parametrize("orchestrator", [code.seeded_random, code.logs])
def test_legal_code_breaks_no_rule(orchestrator: Callable[[Any], Any]) -> None:
    assert _play(orchestrator).completed


def test_a_careful_orchestrator_breaks_no_rule_on_any_of_its_ways() -> None:
    context = FakeOrchestrationContext(code.careful)
    context.complete_activity("B", result=2)
    context.complete_activity("A", result=1)
    context.fail_activity("C")
    context.fire_timer()
    context.complete_activity("C")
    context.raise_event("go")
    context.complete_sub_orchestration("Child", result="done")

    assert context.completed
    assert context.output == "done"
    assert context.statuses == [{"step": 1}, {"step": 2, "both": [1, 2]}, {"step": 3}]


def test_every_rule_has_a_meaning() -> None:
    assert {rule for _, rule in _BREAKING} <= set(RULES)
    assert all(RULES.values())
