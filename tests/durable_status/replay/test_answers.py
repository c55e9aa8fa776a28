"""Answers that the SDK never gives, and small rules of the walk that are easiest to see from an answer."""

from __future__ import annotations

import json
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status.replay.decisions import StartSubOrchestration
from durable_status.replay.episode import Episode, Instance, run_episode
from durable_status.replay.events import (
    ExecutionStarted,
    OrchestrationInstance,
    OrchestrationStatus,
    ParentInstance,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceFailed,
)
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.profile import PROFILE_2_13
from tests.durable_status.replay.histories import START, Driven, host_with

FAILED, COMPLETED = OrchestrationStatus.FAILED, OrchestrationStatus.COMPLETED


def _first_episode(answer: Any) -> Episode:
    started = ExecutionStarted(
        timestamp=START,
        orchestration_instance=OrchestrationInstance(instance_id="instance", execution_id="execution0"),
        name="Main",
    )

    def orchestrator(_trigger: str) -> str:
        if isinstance(answer, WorkerFailure):
            raise answer
        return json.dumps(answer)

    return run_episode(
        Instance(instance_id="instance"),
        (),
        (started,),
        orchestrator=orchestrator,
        now=START,
        host=host_with(),
        profile=PROFILE_2_13,
    )


def _answer(*action_lists: list[dict[str, Any]]) -> dict[str, Any]:
    return {"isDone": False, "schemaVersion": 2, "actions": list(action_lists)}


@pytest.mark.conforms("R2-3")
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (_answer(), "expected actions array to be of length 1 in outer layer but got size: 0"),
        (_answer([], []), "expected actions array to be of length 1 in outer layer but got size: 2"),
        (_answer([{"actionType": 99}]), "Received an unexpected action type from the out-of-proc function: '$99'."),
        ([], "Out of proc orchestrators must return a valid JSON schema"),
        ("text", "Out of proc orchestrators must return a valid JSON schema"),
    ],
)
def test_what_the_sdk_never_answers_fails_in_the_platforms_words(answer: Any, words: str) -> None:
    episode = _first_episode(answer)

    assert episode.runtime_status is FAILED
    assert (episode.output or "").startswith("Orchestrator function 'Main' failed: ")
    assert (episode.output or "").endswith(words)


@pytest.mark.conforms("R2-2")
def test_a_null_answer_completes_without_output() -> None:
    episode = _first_episode(None)

    assert (episode.runtime_status, episode.output) == (COMPLETED, None)


@pytest.mark.conforms("R2.2-4")
def test_a_label_with_broken_json_gives_the_bare_sentence() -> None:
    episode = _first_episode(WorkerFailure("Exception: over\n\n$OutOfProcData$:{"))

    assert (episode.runtime_status, episode.output) == (
        FAILED,
        "Out of proc orchestrators must return a valid JSON schema",
    )


@pytest.mark.conforms("R3.2-3")
@pytest.mark.parametrize(("child_id", "ids"), [("mine", ["mine", "mine"]), (None, ["execution0:0", "execution0:2"])])
def test_attempts_of_a_child_share_a_given_id_and_differ_without(child_id: str | None, ids: list[str]) -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_sub_orchestrator_with_retry("Child", df.RetryOptions(5_000, 2), instance_id=child_id)

    driven = Driven(orchestrator)
    first = driven.start()
    driven.feed(SubOrchestrationInstanceFailed(timestamp=driven.now, task_scheduled_id=0, reason="it broke"))
    second = driven.fire(1)

    started = [child for episode in (first, second) for child in episode.outbox]
    assert [child.instance_id for child in started if isinstance(child, StartSubOrchestration)] == ids


@pytest.mark.conforms("R3.5-6")
def test_a_parent_gets_the_result_of_the_last_generation() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        if context.get_input() is None:
            context.continue_as_new(1)
            return None
        return "last"

    parent = ParentInstance(
        name="Parent", orchestration_instance=OrchestrationInstance(instance_id="parent"), task_schedule_id=7
    )
    driven = Driven(orchestrator, parent=parent)
    driven.start()
    first = driven.complete(0)
    last = driven.complete(0)

    assert first.parent_message is None
    assert last.parent_message is not None
    event = last.parent_message.event
    assert isinstance(event, SubOrchestrationInstanceCompleted)
    assert (event.task_scheduled_id, event.result) == (7, '"last"')


@pytest.mark.conforms("R3.10-3")
@pytest.mark.parametrize("compound", ["task_all", "task_any"])
def test_empty_compounds_are_over_at_once(compound: str) -> None:
    def orchestrator(context: Any) -> Any:
        return [(yield getattr(context, compound)([]))]

    episode = Driven(orchestrator).start()

    assert (episode.runtime_status, episode.output) == (COMPLETED, "[null]")
