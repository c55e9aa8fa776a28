"""Requests reach an entity in any order; it runs each sender's in the order they were sent, each once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_status.replay.entity_messages import NEVER, Moment, RequestMessage
from durable_status.replay.message_sorter import MessageSorter
from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks

_WINDOW = Ticks(30 * 60 * PER_SECOND)
_START = parse_ticks("2026-11-22T11:30:00Z")


def _stream(count: int, *, sender: str = "orchestration", execution: str | None = "e1") -> list[RequestMessage]:
    """Requests of one sender to one entity, a second apart."""
    sorter = MessageSorter(_WINDOW)
    return [
        sorter.label(
            RequestMessage(
                operation=f"{sender}-{number}", id="", parent_instance_id=sender, parent_execution_id=execution
            ),
            "@counter@k",
            Ticks(_START + number * PER_SECOND),
        )
        for number in range(count)
    ]


def _receive(arrivals: Sequence[RequestMessage], window: Ticks = _WINDOW) -> list[str | None]:
    """The operations in the order they run; the sorter is stored and read again after each arrival."""
    delivered: list[str | None] = []
    stored = "{}"
    for request in arrivals:
        sorter = MessageSorter.from_members(json.loads(stored), window)
        delivered += [item.operation for item in sorter.receive(request)]
        stored = json.dumps(sorter.members)
    return delivered


def _names(requests: Sequence[RequestMessage]) -> list[str | None]:
    return [request.operation for request in requests]


@pytest.mark.conforms("R3.7-44")
@given(data=st.data(), count=st.integers(1, 7))
def test_operations_of_one_sender_run_once_and_in_the_order_sent_whatever_the_arrival(
    data: st.DataObject, count: int
) -> None:
    sent = _stream(count)
    repeated = data.draw(st.lists(st.sampled_from(sent), max_size=5))
    arrivals = data.draw(st.permutations([*sent, *repeated]))

    assert _receive(arrivals) == _names(sent)


@pytest.mark.conforms("R3.7-44")
@given(data=st.data())
def test_senders_do_not_wait_for_each_other(data: st.DataObject) -> None:
    first, second = _stream(3, sender="a"), _stream(3, sender="b")

    delivered = _receive(data.draw(st.permutations([*first, *second])))

    assert [name for name in delivered if str(name).startswith("a")] == _names(first)
    assert [name for name in delivered if str(name).startswith("b")] == _names(second)


@pytest.mark.conforms("R3.7-44")
def test_a_request_whose_predecessor_is_missing_waits_for_it() -> None:
    first, second, third = _stream(3)

    assert _receive([third, first]) == _names([first])
    assert _receive([third, first, second]) == _names([first, second, third])


@pytest.mark.conforms("R3.7-45")
def test_a_repeated_request_is_dropped() -> None:
    first, second = _stream(2)

    assert _receive([first, first, second, first]) == _names([first, second])


@pytest.mark.conforms("R3.7-46")
def test_what_is_held_back_runs_when_a_message_of_another_sender_is_younger_than_the_window() -> None:
    _, orphan = _stream(2)
    late = Moment(Ticks(orphan.timestamp.ticks + _WINDOW + 60 * PER_SECOND))
    other = replace(_stream(1, sender="other")[0], timestamp=late)

    assert _receive([_stream(1, sender="other")[0], orphan]) == ["other-0"]
    assert _receive([_stream(1, sender="other")[0], orphan, other]) == ["other-0", orphan.operation, "other-0"]


@pytest.mark.conforms("R3.7-44")
def test_a_request_from_before_the_window_runs_at_once() -> None:
    old = _stream(2)[1]
    young = replace(_stream(1, sender="other")[0], timestamp=Moment(Ticks(old.timestamp.ticks + 2 * _WINDOW)))

    assert _receive([young, old]) == ["other-0", old.operation]


@pytest.mark.conforms("R3.7-47")
def test_a_window_of_zero_switches_sorting_off() -> None:
    first, second = _stream(2)

    assert _receive([second, first, second], window=Ticks(0)) == _names([second, first, second])
    assert MessageSorter(Ticks(0)).label(first, "@counter@k", _START) == first


@pytest.mark.conforms("R3.7-48")
def test_requests_of_clients_pass_through() -> None:
    request = RequestMessage(operation="add", id="")

    assert _receive([request, request]) == ["add", "add"]
    assert MessageSorter.from_members({}, _WINDOW).members == {}


@pytest.mark.conforms("R3.7-49")
def test_another_execution_of_the_sender_starts_over_and_lets_out_what_was_held_back() -> None:
    _, orphan = _stream(2)
    (first_of_next,) = _stream(1, execution="e2")

    assert _receive([orphan, first_of_next]) == _names([orphan, first_of_next])


@pytest.mark.conforms("R3.7-43")
def test_the_stored_sorter_is_that_of_the_platform() -> None:
    sender = {"Last": "2026-11-22T11:30:49.2791126", "ExecutionId": "4b6e00fe54334b8a89edc8a908ca4335"}
    stored = {"ReceivedFromInstance": {"g-entity": sender}, "ReceiveHorizon": "2026-11-22T11:00:49.0899036Z"}
    orphan = replace(_stream(2)[1], parent_instance_id="other")

    sorter = MessageSorter.from_members(stored, _WINDOW)
    list(sorter.receive(orphan))

    assert list(sorter.members) == ["ReceivedFromInstance", "ReceiveHorizon"]
    assert sorter.members["ReceivedFromInstance"]["g-entity"] == sender
    assert sorter.members["ReceivedFromInstance"]["other"] == {
        "Last": "0001-01-01T00:00:00",
        "ExecutionId": "e1",
        "Buffered": {orphan.timestamp.text: orphan.members},
    }


@pytest.mark.conforms("R3.7-50")
def test_signals_of_one_entity_to_another_are_labelled_a_tick_apart_when_the_clock_stands() -> None:
    sorter = MessageSorter(_WINDOW)
    signal = RequestMessage(operation="x", id="")

    first, second = (sorter.label(signal, "@box@k", _START) for _ in range(2))

    assert (first.timestamp.ticks, first.predecessor) == (_START, NEVER)
    assert second.timestamp == Moment(Ticks(_START + 1), is_utc=False)
    assert second.predecessor == first.timestamp


def test_clocks_of_entities_that_were_not_signalled_for_a_window_are_forgotten() -> None:
    sorter = MessageSorter(_WINDOW)
    signal = RequestMessage(operation="x", id="")

    sorter.label(signal, "@box@old", _START)
    sorter.label(signal, "@box@new", Ticks(_START + 2 * _WINDOW))

    assert list(sorter.members["LastSentToInstance"]) == ["@box@new"]
