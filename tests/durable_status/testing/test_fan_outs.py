"""A fan-out costs no replay for calls whose end wakes nobody, and nothing else is different for it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest

from durable_status.replay.profile import PROFILE_3
from durable_status.testing.bench import DurableBench
from durable_status.testing.errors import RuleBroken
from durable_status.testing.faults import NO_FAULTS, Faults
from durable_status.testing.growing import Growing
from durable_status.testing.observer import ObservedOrchestrator
from durable_status.testing.outcomes import Outcomes
from durable_status.testing.payloads import start_text
from durable_status.testing.run import OrchestrationRun
from durable_status.testing.task_hub import TaskHub

_APP = "tests/apps/fan_outs"
pytestmark = pytest.mark.durable(app=_APP)

_TRAPS = ("status-lost", "fail-fast", "reused-task", "task-listed-twice")
_NAMES = (
    "All",
    "Children",
    "Mixed",
    "AfterOthers",
    "OneFails",
    "WithAnEvent",
    "WithATimer",
    "WithRetries",
    "Nested",
    "AnyInAll",
    "OldAndNew",
    "Twice",
    "Objects",
    "Again",
    "ShownOnce",
)


def _calls(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> int:
    """How often `work` calls an orchestrator."""
    calls = 0
    original = ObservedOrchestrator.__call__

    def counting(self: ObservedOrchestrator, trigger: Any) -> str:
        nonlocal calls
        calls += 1
        return original(self, trigger)

    with monkeypatch.context() as patched:
        patched.setattr(ObservedOrchestrator, "__call__", counting)
        work()
    return calls


@pytest.mark.parametrize("name", ["All", "AfterOthers", "WithATimer"])
def test_the_calls_of_an_orchestrator_do_not_grow_with_its_fan_out(
    name: str, durable: DurableBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = (
        _calls(monkeypatch, lambda: durable.start(name, count).run_until_complete())  # noqa: B023 - called at once
        for count in (10, 200)
    )

    assert few == many


def test_neither_do_those_for_each_child(durable: DurableBench, monkeypatch: pytest.MonkeyPatch) -> None:
    few, more, many = (
        _calls(monkeypatch, lambda: durable.start("Children", count))  # noqa: B023 - called at once
        for count in (10, 20, 40)
    )

    assert many - more == 2 * (more - few)


@pytest.mark.parametrize("faults", [NO_FAULTS, Faults(batch=3), Faults(rerun_episodes=True), Faults(early_timers=1)])
@pytest.mark.parametrize("name", _NAMES)
def test_whether_it_is_asked_or_not_the_story_is_the_same(name: str, faults: Faults) -> None:
    bench = DurableBench.of_folder(_APP)

    def story(*, asks_always: bool) -> Any:
        hub = TaskHub(bench._functions, PROFILE_3, asks_always=asks_always)
        outcomes = Outcomes.create(bench._functions, PROFILE_3, None, None, None)
        run = OrchestrationRun(hub, "i", outcomes, faults=faults, allow=_TRAPS)
        run.begin(hub.create(name, start_text(4), "i"))
        if "go" in run.waits_for:
            run.raise_event("go")
        run.run_until_complete()
        states = {key: (tuple(state.history), state.seen, state.unseen) for key, state in hub.instances.items()}
        return states, run.output, run.statuses, hub.findings, hub.now, list(hub.pending)

    assert story(asks_always=False) == story(asks_always=True)


def test_a_status_that_is_set_in_the_first_run_only_is_still_seen_to_disappear(durable: DurableBench) -> None:
    with pytest.raises(RuleBroken, match="status-lost"):
        durable.start("ShownOnce", 5)

    assert durable.start("ShownOnce", 5, allow=["status-lost"]).statuses == ["fanned out", None]


def test_every_order_is_still_explored(durable: DurableBench) -> None:
    assert str(durable.explore("All", 4)) == "24 of 24 orders"
    assert str(durable.explore("All", 3, batch=3)) == "24 of 24 orders"


def test_a_growing_sequence_never_changes_for_who_has_it() -> None:
    start: Growing[int] = Growing([1])
    one, other = start.plus([2, 3]), start.plus([4])
    longer = one.plus([5])

    assert (list(start), list(one), list(other), list(longer)) == ([1], [1, 2, 3], [1, 4], [1, 2, 3, 5])
    assert (one[-1], one[1:], one[:1], len(one), bool(Growing())) == (3, [2, 3], [1], 3, False)
    assert list(islice(one, 2)) == [1, 2]
    with pytest.raises(IndexError):
        start[1]
