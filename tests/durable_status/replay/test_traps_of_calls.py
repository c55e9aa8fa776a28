"""Traps of calls: functions, ids, keys and numbers that the host does not take."""

from __future__ import annotations

from typing import Any

import azure.durable_functions as df
import pytest

from durable_status.replay.events import (
    OrchestrationStatus,
)
from durable_status.replay.host_facts import FunctionKind, FunctionNames
from durable_status.replay.traps import TrapKind
from tests.durable_status.replay.histories import Driven, event_names, host_with, scheduled
from tests.durable_status.replay.trap_runs import last_episode, run_into

RUNNING, FAILED = OrchestrationStatus.RUNNING, OrchestrationStatus.FAILED

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.mark.conforms("R3.1-3", "R6-8")
@pytest.mark.parametrize("call", ["activity", "child", "entity", "signal"])
def test_an_unknown_function_is_named(call: str) -> None:
    def orchestrator(context: Any) -> Any:
        entity = df.EntityId("Nope", "k")
        match call:
            case "activity":
                yield context.call_activity("Nope")
            case "child":
                yield context.call_sub_orchestrator("Nope")
            case "entity":
                yield context.call_entity(entity, "get")
            case _:
                context.signal_entity(entity, "get")
                yield context.wait_for_external_event("go")

    driven, trap = run_into(orchestrator, lambda it: it.start(), TrapKind.UNKNOWN_FUNCTION)

    assert "doesn't exist, is disabled, or is not a" in trap.sentence
    assert trap.action == 0
    expected = (FAILED, "OS ES EC OC") if call == "signal" else (RUNNING, "OS ES OC")
    assert (last_episode(driven).runtime_status, event_names(driven.history)) == expected


@pytest.mark.conforms("R6-8")
@pytest.mark.parametrize("child_id", ["instance", "INSTANCE", "@x"])
def test_a_child_cannot_have_its_parents_id(child_id: str) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_sub_orchestrator("Child", instance_id=child_id)

    driven, _ = run_into(orchestrator, lambda it: it.start(), TrapKind.CHILD_ID)

    assert (last_episode(driven).runtime_status, event_names(driven.history)) == (RUNNING, "OS ES OC")


@pytest.mark.conforms("R3.7-6", "R6-27")
def test_entities_whose_keys_differ_in_case_are_named() -> None:
    def orchestrator(context: Any) -> Any:
        for key in ("K", "k"):
            context.signal_entity(df.EntityId("Counter", key), "add", 1)
        yield context.wait_for_external_event("go")

    entities = FunctionNames.create(FunctionKind.ENTITY, ["Counter"])
    _, trap = run_into(orchestrator, lambda it: it.start(), TrapKind.ENTITY_KEY_CASE, host=host_with(entities=entities))

    assert "'@counter@K' and '@counter@k'" in trap.sentence
    assert trap.action == 1


@pytest.mark.conforms("R3.8-3", "R6-28")
def test_two_children_of_one_id_at_the_same_time_are_named() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.task_all([context.call_sub_orchestrator("Child", instance_id="one") for _ in range(2)])

    driven, _ = run_into(orchestrator, lambda it: it.start(), TrapKind.SHARED_CHILD_ID)

    assert scheduled(last_episode(driven)) == [(0, "Child"), (1, "Child")]


@pytest.mark.conforms("R3.1-4", "R6-29")
@pytest.mark.parametrize(
    ("options", "retry"),
    [({"max_orchestration_actions": 1}, False), ({}, True)],
)
def test_the_action_limit_and_impossible_retries_never_start(options: dict[str, int], retry: bool) -> None:
    def orchestrator(context: Any) -> Any:
        if retry:
            yield context.call_activity_with_retry("Echo", df.RetryOptions(5_000, 0))
        yield context.call_activity("Echo")
        yield context.call_activity("Echo")

    def steps(driven: Driven) -> None:
        driven.start()
        if not retry:
            driven.complete(0)

    kind = TrapKind.RETRY_OPTIONS if retry else TrapKind.ACTION_LIMIT
    driven, trap = run_into(orchestrator, steps, kind, host=host_with("Echo", **options))

    assert "waits for ever" in trap.sentence
    assert scheduled(last_episode(driven)) == []
