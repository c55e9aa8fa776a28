"""Whatever the SDK fails with, the harness says what to do about it, and at which line."""

from __future__ import annotations

import re

import pytest

from durable_status.replay.traps import TrapKind
from durable_status.testing.bench import DurableBench
from durable_status.testing.errors import RuleBroken
from durable_status.testing.rules import rule_of
from tests.paths import APPS
from tests.raw_failures import KINDS, ONLY_IN_3, OWN_FAILURES, RAW_FAILURES, line_of

_OWN_WORDS = ("yielded no task", "nothing awaited")
"""What the harness sees by itself when it is yielded."""


def _kind(title: str) -> TrapKind:
    return next(kind for kind in TrapKind if kind.title == title)


@pytest.mark.parametrize("awaits", [None, True], ids=["at the first step", "after an await"])
@pytest.mark.parametrize("extension", ["2.13", "3"])
@pytest.mark.parametrize("orchestrator", KINDS)
def test_each_failure_breaks_a_rule_with_its_own_cure_and_line(
    orchestrator: str, extension: str, awaits: bool | None
) -> None:
    durable = DurableBench.of_folder(RAW_FAILURES, extension=extension)
    kind = _kind(KINDS[orchestrator])
    if orchestrator in ONLY_IN_3 and extension == "2.13":
        assert durable.start(orchestrator, awaits).failed
        return

    with pytest.raises(RuleBroken) as raised:
        durable.start(orchestrator, awaits)

    (finding,) = [finding for finding in raised.value.findings if finding.rule != "unyielded"]
    assert finding.rule == rule_of(kind)
    cure = "yields through yield from" if KINDS[orchestrator] in _OWN_WORDS else kind.value
    assert cure in finding.text
    place = re.match(r"tests/apps/raw_failures/function_app\.py:(\d+): ", finding.text)
    assert place is not None
    assert int(place[1]) in line_of(orchestrator, KINDS[orchestrator])
    assert "\n" not in finding.text


@pytest.mark.parametrize("orchestrator", OWN_FAILURES)
def test_what_user_code_raises_itself_breaks_no_rule(orchestrator: str) -> None:
    run = DurableBench.of_folder(RAW_FAILURES).start(orchestrator, True)

    assert run.failed
    assert run.failure is not None
    assert run.failure.frames[-1].function == orchestrator


@pytest.mark.parametrize("extension", ["2.13", "3"])
@pytest.mark.parametrize("orchestrator", ["only_signals", "clears", "goes_on_by_yield", "waits_in_a_loop"])
def test_what_is_meant_so_and_what_the_cures_lead_to_breaks_no_rule(orchestrator: str, extension: str) -> None:
    durable = DurableBench.of_folder(APPS / "traps", extension=extension)

    assert durable.start(orchestrator).run_until_complete().completed
    if orchestrator == "waits_in_a_loop":
        run = durable.start(orchestrator).advance(seconds=6 * 24 * 3_600).raise_event("go")
        assert (run.completed, run.elapsed.days) == (True, 6)


def test_a_status_is_cleared_on_purpose_or_lost_and_both_are_seen() -> None:
    durable = DurableBench.of_folder(APPS / "traps")

    assert durable.start("clears").statuses == ["begun", None]
    with pytest.raises(RuleBroken, match=r"falsy-status"):
        durable.start("says_nothing_done")
    with pytest.raises(RuleBroken, match=r"status-lost"):
        durable.start("says_it_once")
