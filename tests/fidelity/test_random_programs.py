"""What must hold for every orchestrator, whatever it does and whatever happens to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import azure.durable_functions as df
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from durable_status.local_host.storage.provider import InstanceRow
from durable_status.replay.episode import Instance, run_episode
from durable_status.replay.event_json import event_text
from durable_status.replay.events import Event, OrchestrationStatus, OrchestratorCompleted, OrchestratorStarted
from durable_status.replay.profile import PROFILE_2_13
from tests.fidelity.programs import EVENT_NAMES, program, programs
from tests.fidelity.world import HOST, Stimulus, World

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

_EVENTS = st.builds(lambda name: ("event", name), st.sampled_from(EVENT_NAMES))
_CONTROLS = st.sampled_from([("suspend", "wait"), ("resume", "go on"), ("terminate", "enough")])
_STIMULI = st.lists(st.one_of(_EVENTS, _EVENTS, _EVENTS, _CONTROLS), max_size=6)
_CHOICES = st.lists(st.integers(0, 11), max_size=40)
_ANY_PROGRAM = programs()


def _run(given_program: Any, stimuli: list[Stimulus], choices: list[int], **options: Any) -> World:
    world = World(given_program, list(stimuli), **options)
    world.run(choices)
    return world


def _texts(world: World) -> dict[str, list[str]]:
    return {instance_id: [event_text(event) for event in history] for instance_id, history in world.histories.items()}


@settings(max_examples=100, deadline=None)
@given(_ANY_PROGRAM, _STIMULI, _CHOICES)
def test_two_runs_with_equal_arguments_are_equal_to_the_byte(
    given_program: Any, stimuli: list[Stimulus], choices: list[int]
) -> None:
    one, other = (_run(given_program, stimuli, choices) for _ in range(2))

    assert _texts(one) == _texts(other)
    assert one.rows == other.rows


@settings(max_examples=100, deadline=None)
@given(_ANY_PROGRAM, _STIMULI, _CHOICES)
def test_a_host_that_dies_after_every_commit_tells_the_same_story(
    given_program: Any, stimuli: list[Stimulus], choices: list[int]
) -> None:
    undisturbed = _run(given_program, stimuli, choices)
    killed = _run(given_program, stimuli, choices, dies_after_every_commit=True)

    assert _texts(killed) == _texts(undisturbed)
    assert killed.rows == undisturbed.rows


@settings(max_examples=100, deadline=None)
@given(_ANY_PROGRAM, _STIMULI, _CHOICES)
def test_a_history_replays_to_itself(given_program: Any, stimuli: list[Stimulus], choices: list[int]) -> None:
    world = _run(given_program, stimuli, choices)

    for instance_id, history in world.histories.items():
        if instance_id.startswith("@"):
            continue  # an entity's history is one generation without an episode of its own
        _check_every_episode_again(instance_id, history)


def _check_every_episode_again(instance_id: str, history: list[Event]) -> None:
    """Each episode, taken out of the finished history, leads to what stands after it there."""
    starts = [index for index, event in enumerate(history) if isinstance(event, OrchestratorStarted)]
    for begin, end in zip(starts, [*starts[1:], len(history)], strict=True):
        recorded = history[begin:end]
        again = run_episode(
            Instance(instance_id=instance_id),
            history[:begin],
            _messages(recorded[1:]),
            orchestrator=df.Orchestrator.create(program),
            now=recorded[0].timestamp,
            host=HOST,
            profile=PROFILE_2_13,
        )
        assert [event_text(event) for event in again.appended] == [event_text(event) for event in recorded]


def _messages(recorded: list[Event]) -> list[Event]:
    """What had arrived for the episode, as it had arrived: an end that is played opens a continued generation."""
    ends_carry_over = any(isinstance(event, OrchestratorCompleted) and event.is_played for event in recorded)
    messages = [
        event
        for event in recorded
        if event.event_id == -1 and (event.is_played or not isinstance(event, OrchestratorCompleted))
    ]
    return messages if ends_carry_over else [replace(event, is_played=False, text=None) for event in messages]


_WAITS = st.lists(st.booleans(), min_size=5, max_size=30)


@settings(max_examples=150, deadline=None)
@given(programs(alone=True), _STIMULI, _CHOICES, _WAITS)
def test_batching_an_order_of_arrival_changes_no_more_than_the_platform_allows(
    given_program: Any, stimuli: list[Stimulus], choices: list[int], waits: list[bool]
) -> None:
    # A continue-as-new that completes in the batch of a termination beats that: the program would go on (§3.9).
    assume(not (given_program["again"] and ("terminate", "enough") in stimuli))
    single = World(given_program, list(stimuli))
    single.run(choices, batch=1)
    batched = World(given_program, list(stimuli))
    missing = batched.run_in_order(single.arrivals, waits)
    # What a suspension withholds cannot arrive in the old order, nor can a timer that is due as soon as it is set.
    assume(missing is None or batched.root.runtime_status is not OrchestrationStatus.SUSPENDED)
    assume(batched.arrivals == single.arrivals[: len(batched.arrivals)])

    assert missing is None
    match batched.root.runtime_status:
        case OrchestrationStatus.TERMINATED:
            # It beats an end in its batch, and shows the status that all messages of the batch lead to (§3.9).
            assert batched.root.output == "enough"
        case OrchestrationStatus.SUSPENDED:
            assert batched.root.output == "wait"  # it withholds an end in its batch (§3.9)
        case _:
            assert _outcome(batched.root) == _outcome(single.root)


def _outcome(row: InstanceRow) -> tuple[OrchestrationStatus, str | None, str | None]:
    return row.runtime_status, row.output, row.custom_status
