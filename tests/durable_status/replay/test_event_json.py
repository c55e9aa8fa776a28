from __future__ import annotations

import json

import pytest

from durable_status.replay.event_json import event_from_members, event_text, read_event
from durable_status.replay.events import EventRaised, ExecutionStarted, OrchestrationInstance, OrchestrationStatus
from durable_status.replay.ticks import Ticks
from tests.paths import GOLDENS
from tests.recordings import read_episodes


@pytest.mark.conforms("R1.1-1")
def test_every_recorded_event_is_written_back_to_the_letter() -> None:
    events = [members for episode in read_episodes(GOLDENS / "replay") for members in episode.trigger["history"]]

    assert len(events) > 3_000
    for members in events:
        text = json.dumps(members, ensure_ascii=False, separators=(",", ":"))
        assert event_text(event_from_members(members)) == text
        assert event_text(read_event(text)) is text


@pytest.mark.conforms("XR-2")
def test_members_that_only_extension_3_writes_are_left_out_unless_they_are_set() -> None:
    started = ExecutionStarted(
        timestamp=Ticks(0), orchestration_instance=OrchestrationInstance(instance_id="i"), name="n"
    )
    on_3 = ExecutionStarted(
        timestamp=Ticks(0),
        orchestration_instance=OrchestrationInstance(instance_id="i"),
        name="n",
        generate_new_trace=False,
    )

    assert "GenerateNewTrace" not in event_text(started)
    assert json.loads(event_text(on_3))["GenerateNewTrace"] is False


@pytest.mark.conforms("R1.1-4")
def test_a_played_event_is_another_event_with_a_text_of_its_own() -> None:
    event = EventRaised(timestamp=Ticks(0), name="go", input="1")
    before = event_text(event)
    played = event.played()

    assert (event.is_played, played.is_played) == (False, True)
    assert event_text(played) == before.replace('"IsPlayed":false', '"IsPlayed":true')
    assert played.played() is played


@pytest.mark.conforms("R1.1-3")
@pytest.mark.parametrize("text", ['{"EventType":99}', "{}", '{"EventType":4,"Timestamp":"2026-01-01T00:00:00Z"}'])
def test_what_is_no_known_event_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown event type|not a TaskScheduled event"):
        read_event(text)


@pytest.mark.conforms("R1.1-3")
def test_status_numbers_are_the_platforms() -> None:
    numbers = {status.value: status.number for status in OrchestrationStatus}

    assert numbers == {
        "Running": 0,
        "Completed": 1,
        "ContinuedAsNew": 2,
        "Failed": 3,
        "Canceled": 4,
        "Terminated": 5,
        "Pending": 6,
        "Suspended": 7,
    }
