"""Every recorded episode of the real extension 2.13.7 that needs no entity and no call_http.

Each one is a trigger, the SDK's answer to it, and what the host did next: the events it appended, the instance row it
committed, the trigger it sent the next time.
"""

from __future__ import annotations

import json

import pytest

from durable_status.replay.episode import Episode
from durable_status.replay.event_json import event_text
from tests.recordings import RecordedEpisode, comparable_events, recorded_episodes, recorded_host

_HOST = recorded_host()
_NOT_RUN_YET = tuple(f'"actionType": {number}' for number in (7, 8, 9))


def _answer_text(episode: RecordedEpisode) -> str:
    recorded = episode.recorded
    return str(recorded["failure"]["message"] if "failure" in recorded else recorded["answer"])


def _instances_with_what_is_not_run_yet() -> set[str]:
    return {
        episode.name.rpartition("/")[0]
        for episode in recorded_episodes()
        if any(mark in _answer_text(episode) for mark in _NOT_RUN_YET)
    }


_SKIPPED_INSTANCES = _instances_with_what_is_not_run_yet()
_EPISODES = [episode for episode in recorded_episodes() ]


def test_most_recordings_are_put_to_the_engine() -> None:
    skipped = len(list(recorded_episodes())) - len(_EPISODES)

    assert (len(_EPISODES), skipped) == (563, 0)


@pytest.mark.parametrize("recorded", _EPISODES, ids=lambda recorded: recorded.name)
def test_the_engine_does_what_the_extension_did(recorded: RecordedEpisode) -> None:
    episode, trigger = recorded.run(_HOST)

    messages = len(recorded.history) - recorded.new_from  # its OrchestratorStarted included
    assert json.loads(trigger) == recorded.recorded["trigger"]
    if recorded.continues_as_new:
        following = episode.next_generation
        assert following is not None
        begun = following.messages("another", episode.appended[0].timestamp)
        assert comparable_events(begun) == recorded.expected_next_messages()
    else:
        assert comparable_events(episode.appended[messages:]) == recorded.expected_decisions()
        past = recorded.expected_past()
        if past is not None:
            new_events = [json.loads(event_text(event)) for event in episode.appended[:messages]]
            assert new_events == past[recorded.new_from :]
    _check_committed(recorded, episode)


def _check_committed(recorded: RecordedEpisode, episode: Episode) -> None:
    committed = recorded.recorded["committed"]
    if committed is None:  # a continue-as-new went on in the same work item
        assert episode.next_generation is not None
        return
    assert episode.runtime_status.value == committed["RuntimeStatus"]
    assert (episode.custom_status or "null") == committed["CustomStatus"]
    if episode.output is not None or episode.runtime_status.has_ended:
        assert episode.output == committed["Output"]
