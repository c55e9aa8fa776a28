"""What takes the place of an episode that meets a trap in strict mode: nothing is done, the execution is terminated."""

from __future__ import annotations

from typing import Any

import pytest

from durable_status.replay.episode import Instance, terminated_episode
from durable_status.replay.events import (
    Event,
    ExecutionStarted,
    OrchestrationInstance,
    OrchestrationStatus,
    ParentInstance,
    SubOrchestrationInstanceFailed,
    TaskCompleted,
)
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3
from durable_status.replay.traps import Mode, TrapError
from tests.durable_status.replay.histories import Driven, event_names

_PARENT = ParentInstance(
    name="Parent",
    orchestration_instance=OrchestrationInstance(instance_id="parent", execution_id="p0"),
    task_schedule_id=4,
    version="",
)


def _orchestrator(context: Any) -> Any:
    context.set_custom_status("before")
    yield context.task_all([context.call_activity("Echo", 1), context.call_activity("Echo", 2)])
    context.set_custom_status({1, 2})


def _ended(driven: Driven, *messages: Event, status: str | None) -> Any:
    """The end that replaces the episode with these messages."""
    driven.mode = Mode.STRICT
    with pytest.raises(TrapError) as raised:
        driven.feed(*messages)
    return terminated_episode(
        Instance(instance_id="instance", custom_status=status, carried_status="carried"),
        driven.history,
        messages,
        trap=raised.value.trap,
        reason="the cure",
        now=driven.now,
        profile=driven.profile,
    )


@pytest.mark.conforms("R6-35")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)
def test_a_later_episode_is_replaced_and_nothing_that_it_decided_is_done(profile: Any) -> None:
    driven = Driven(_orchestrator, profile=profile, parent=_PARENT)
    driven.start()
    driven.complete(0)
    message = TaskCompleted(timestamp=driven.now, task_scheduled_id=1, result="2")

    episode = _ended(driven, message, status='"before"')

    assert (episode.runtime_status, episode.output) == (OrchestrationStatus.TERMINATED, "the cure")
    assert (episode.custom_status, episode.outbox, episode.open_tasks) == ('"before"', (), 0)
    assert event_names(episode.appended) == "OS TC ET EC OC"
    assert episode.appended[3].event_id == 2  # the activities have 0 and 1
    assert [event.is_played for event in episode.appended] == [False, True, True, False, False]
    assert [trap.kind.name for trap in episode.warnings] == ["STATUS_NOT_JSON"]
    assert episode.parent_message is not None
    news = episode.parent_message.event
    assert isinstance(news, SubOrchestrationInstanceFailed)
    assert (news.task_scheduled_id, news.reason) == (4, "the cure")


@pytest.mark.conforms("R6-35")
def test_a_first_episode_is_replaced_too_and_shows_what_was_carried() -> None:
    def orchestrator(context: Any) -> Any:
        yield [context.call_activity("Echo")]

    driven = Driven(orchestrator)
    execution = OrchestrationInstance(instance_id="instance", execution_id="e0")
    started = ExecutionStarted(timestamp=driven.now, orchestration_instance=execution, name="Main", generation=0)

    episode = _ended(driven, started, status=None)

    assert event_names(episode.appended) == "OS ES ET EC OC"
    assert (episode.appended[3].event_id, episode.custom_status) == (0, "carried")
    assert (episode.parent_message, episode.next_generation) == (None, None)
