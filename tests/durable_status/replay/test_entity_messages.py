"""Requests to entities and their responses, against every one that was recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from durable_status.replay.entity_messages import NEVER, EntityId, Moment, RequestMessage, ResponseMessage
from durable_status.replay.ticks import parse_ticks
from tests.paths import GOLDENS


def _recorded_events(event_type: int) -> Iterator[dict[str, str]]:
    for path in sorted((GOLDENS / "replay").glob("*.json")):
        for instance in json.loads(path.read_text()).get("instances", []):
            for episode in instance["episodes"]:
                yield from (event for event in episode["trigger"]["history"] if event["EventType"] == event_type)


_REQUESTS = sorted({event["Input"] for event in _recorded_events(14)})
_RESPONSES = sorted({event["Input"] for event in _recorded_events(15) if "ResponseMessage" in event["Input"]})


@pytest.mark.conforms("R3.7-1")
def test_recorded_requests_are_read_and_written_to_the_letter() -> None:
    assert len(_REQUESTS) > 30
    assert [RequestMessage.from_text(text).text for text in _REQUESTS] == _REQUESTS


@pytest.mark.conforms("R3.7-3")
def test_recorded_responses_are_read_and_written_to_the_letter() -> None:
    assert len(_RESPONSES) > 10
    assert [ResponseMessage.from_text(text).text for text in _RESPONSES] == _RESPONSES


@pytest.mark.conforms("R3.7-12")
def test_a_request_with_a_time_names_it_in_its_event() -> None:
    due = Moment(parse_ticks("2026-11-22T11:30:00.5Z"))
    request = RequestMessage(operation="add", is_signal=True, id="an id", due=due)

    assert request.event_name == "op@2026-11-22T11:30:00.5000000Z"
    assert request.members["due"] == "2026-11-22T11:30:00.5Z"
    assert RequestMessage.from_text(request.text) == request


def test_a_message_without_sender_has_no_times() -> None:
    request = RequestMessage(operation="add", id="an id")

    assert request.timestamp == request.predecessor == NEVER
    assert request.members == {
        "op": "add",
        "id": "an id",
        "Timestamp": "0001-01-01T00:00:00",
        "Predecessor": "0001-01-01T00:00:00",
    }


@pytest.mark.conforms("R3.7-13")
def test_an_entity_id_lowers_the_name_and_keeps_the_key() -> None:
    entity = EntityId.parse("@Counter@My@Key")

    assert (entity.name, entity.key) == ("counter", "My@Key")
    assert entity.instance_id == "@counter@My@Key"
    assert entity == EntityId("COUNTER", "My@Key")


@pytest.mark.conforms("R3.7-13")
@pytest.mark.parametrize("text", ["", "counter@key", "@counter", "@@key"])
def test_what_is_no_entity_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an entity id"):
        EntityId.parse(text)


@pytest.mark.parametrize("text", ["[]", "{}", '{"op":"add"}', "no JSON"])
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        RequestMessage.from_text(text)
