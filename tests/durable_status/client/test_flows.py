"""The flows by hand: what they ask for, and what they make of answers that the platform has been recorded to give."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from durable_status import (
    HostError,
    InstanceEndedError,
    InstanceNotFoundError,
    InstanceStateError,
    InstanceStatus,
    WaitTimeoutError,
)
from durable_status.client import flows
from durable_status.client.steps import Flow, Found, Pause, Request, Response
from durable_status.client.watching import HttpLooks, Pace, wait_for_status, watch
from tests.paths import GOLDENS


def recorded(file: str, note: str) -> Response:
    """The answer of the recording with this note."""
    exchanges = json.loads((GOLDENS / "http" / file).read_text())
    (answer,) = [exchange["response"] for exchange in exchanges if exchange["note"] == note]
    return Response(status=answer["status"], headers={}, text=answer["body"] or "")


def said(status: int, message: str) -> Response:
    """An answer of extension 3.x, which says less (extension-3x.md)."""
    return Response(status=status, headers={}, text=json.dumps({"Message": message}))


def document(custom_status: Any = None, runtime_status: str = "Running", **members: Any) -> Response:
    """A status as the platform answers it."""
    body = {
        "name": "X",
        "instanceId": "i",
        "runtimeStatus": runtime_status,
        "input": None,
        "customStatus": custom_status,
        "output": None,
        "createdTime": "2026-01-02T00:00:00Z",
        "lastUpdatedTime": "2026-01-02T00:00:00Z",
    }
    return Response(status=200, headers={"retry-after": "5"}, text=json.dumps(body | members))


def result_of(flow: Flow[Any], answer: Response) -> Any:
    """What comes of a flow that sends one request."""
    next(flow)
    with pytest.raises(StopIteration) as end:
        flow.send(answer)
    return end.value.value


_RESTART = "rewind-restart.json"


def test_a_restart_is_asked_for_with_or_without_a_new_id() -> None:
    request = next(flows.restart("r2", False))

    assert isinstance(request, Request)
    assert (request.method, request.path) == ("POST", "instances/r2/restart")
    assert request.query == {"restartWithNewInstanceId": "false"}
    assert result_of(flows.restart("r2", False), recorded(_RESTART, "restart: same id")) == "r2"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(recorded(_RESTART, "restart: unknown id"), InstanceNotFoundError, id="unknown, 2.13"),
        pytest.param(
            Response(
                status=400,
                headers={},
                text="{\"ExceptionMessage\":\"No instance with ID 'none' was found. (Parameter 'instanceId')\"}",
            ),
            InstanceNotFoundError,
            id="unknown, 3",
        ),
        pytest.param(recorded(_RESTART, "restart: Running, same id"), InstanceStateError, id="live, 2.13"),
        pytest.param(
            said(409, "A non-terminal instance with this instance ID already exists."), InstanceStateError, id="live, 3"
        ),
        pytest.param(
            recorded(_RESTART, "interval over timeout: started all the same, misleading text"),
            HostError,
            id="anything else",
        ),
    ],
)
def test_a_restart_reads_both_lines(answer: Response, error: type[Exception]) -> None:
    flow = flows.restart("none", True)
    next(flow)

    with pytest.raises(error):
        flow.send(answer)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(recorded(_RESTART, "rewind: Running"), InstanceStateError, id="live, 2.13"),
        pytest.param(recorded(_RESTART, "rewind: Terminated"), InstanceStateError, id="ended, 2.13"),
        pytest.param(
            said(412, 'This orchestration has status Completed, but only orchestrations in the "Failed" state ...'),
            InstanceStateError,
            id="3",
        ),
        pytest.param(
            Response(status=404, headers={}, text='No orchestration with instance ID "$none" found.'),
            InstanceNotFoundError,
            id="unknown, 3",
        ),
        pytest.param(said(501, "The provider has no rewind."), HostError, id="a provider without it"),
    ],
)
def test_a_rewind_reads_both_lines(answer: Response, error: type[Exception]) -> None:
    flow = flows.control("r1", "rewind", "again")
    assert next(flow).query == {"reason": "again"}  # type: ignore[union-attr]

    with pytest.raises(error):
        flow.send(answer)


def test_a_purge_that_comes_too_late_or_too_early_on_3_is_the_same_error() -> None:
    flow = flows.purge("i")
    next(flow)
    flow.send(document(runtime_status="Completed"))

    with pytest.raises(InstanceStateError):
        flow.send(said(412, "Only orchestrations in a terminal state can be purged, ..."))


@pytest.mark.parametrize(
    "text", ["", "<html>", "[]", "7", '{"runtimeStatus":"Running"}', json.dumps({"runtimeStatus": "Melted"})]
)
def test_what_is_no_status_document_is_said_so(text: str) -> None:
    flow = flows.get_status("i", Any, show_input=False, show_history=False)
    next(flow)

    with pytest.raises(HostError, match="management API"):
        flow.send(Response(status=200, headers={}, text=text))


# Watching


class Clock:
    """A clock that the pauses of a flow move on."""

    def __init__(self) -> None:
        self.time = 0.0

    def pace(self) -> Pace:
        """A pace by this clock, without chance."""
        return Pace(now=lambda: self.time, chance=lambda: 0.5, shortest=1.0, longest=4.0, patience=10.0)


Answer = Response | HostError


def follow(flow: Any, clock: Clock, answers: Callable[[], Answer]) -> tuple[list[InstanceStatus[Any]], list[float]]:
    """What a flow hands out, and how long it pauses, until it ends."""
    found, pauses = [], []
    try:
        step = next(flow)
        while True:
            if isinstance(step, Found):
                found.append(step.item)
                step = next(flow)
            elif isinstance(step, Pause):
                pauses.append(step.seconds)
                clock.time += step.seconds
                step = flow.send(None)
            else:
                answer = answers()
                step = flow.throw(answer) if isinstance(answer, HostError) else flow.send(answer)
    except StopIteration:
        return found, pauses


def test_watching_yields_changes_only_and_looks_less_often_while_nothing_changes() -> None:
    clock = Clock()
    answers = [document("a"), *[document("a", lastUpdatedTime="2026-01-02T00:00:09Z")] * 6, document("b")]
    answers.append(document("b", "Completed", output="done"))

    found, pauses = follow(watch(HttpLooks("i", clock.pace()), Any), clock, lambda: answers.pop(0))

    assert [(status.custom_status, status.runtime_status.value) for status in found] == [
        ("a", "Running"),
        ("b", "Running"),
        ("b", "Completed"),
    ]
    assert pauses == [1.0, 1.5, 2.25, 3.375, 4.0, 4.0, 4.0, 1.0]


def test_true_and_one_are_different_statuses() -> None:
    clock, answers = Clock(), [document(1), document(True), document(1.0), document(1, "Completed")]

    found, _ = follow(watch(HttpLooks("i", clock.pace()), Any), clock, lambda: answers.pop(0))

    assert [repr(status.custom_status) for status in found] == ["1", "True", "1.0", "1"]


def test_no_pause_is_longer_than_the_host_asks_for() -> None:
    clock = Clock()
    one_second = Response(status=202, headers={"retry-after": "1"}, text=document("a").text)
    answers = [*[one_second] * 5, document("a", "Completed")]

    _, pauses = follow(watch(HttpLooks("i", clock.pace()), Any), clock, lambda: answers.pop(0))

    assert pauses == [1.0] * 5


def test_an_overloaded_host_is_given_the_time_it_asks_for() -> None:
    clock = Clock()
    busy = Response(status=429, headers={"retry-after": "9"}, text="")
    answers = [document("a"), busy, document("a", "Completed")]

    found, pauses = follow(watch(HttpLooks("i", clock.pace()), Any), clock, lambda: answers.pop(0))

    assert (len(found), pauses) == (2, [1.0, 9.0])


def test_a_host_that_comes_back_in_time_is_forgiven_and_one_that_does_not_is_an_error() -> None:
    silent = HostError("no answer")
    clock, answers = Clock(), [document("a"), silent, silent, document("b", "Completed")]

    found, _ = follow(watch(HttpLooks("i", clock.pace()), Any), clock, lambda: answers.pop(0))

    assert [status.custom_status for status in found] == ["a", "b"]

    clock = Clock()
    with pytest.raises(HostError, match="no answer"):
        follow(watch(HttpLooks("i", clock.pace()), Any), clock, lambda: silent)
    assert clock.time >= 10


def test_jitter_moves_a_pause_by_a_fifth_at_most() -> None:
    assert Pace(chance=lambda: 0.0).moved(10) == pytest.approx(8)
    assert Pace(chance=lambda: 1.0).moved(10) == pytest.approx(12)


def test_a_wait_ends_at_its_deadline_with_the_last_status() -> None:
    clock = Clock()
    flow = wait_for_status(HttpLooks("i", clock.pace()), Any, lambda _: False, 5.0)

    with pytest.raises(WaitTimeoutError) as late:
        follow(flow, clock, lambda: document("a"))

    assert clock.time == 5.0
    assert late.value.last_status.custom_status == "a"


def test_a_wait_on_a_host_that_never_answered_has_no_last_status() -> None:
    clock = Clock()
    flow = wait_for_status(HttpLooks("i", clock.pace()), Any, lambda _: True, 5.0)

    with pytest.raises(WaitTimeoutError) as late:
        follow(flow, clock, lambda: HostError("no answer"))

    assert late.value.last_status is None


def test_a_host_that_is_silent_now_and_then_is_never_given_up() -> None:
    clock = Clock()
    answers = iter([HostError("no answer"), document("a")] * 20 + [document("a", "Completed")])

    found, pauses = follow(watch(HttpLooks("i", clock.pace()), Any), clock, lambda: next(answers))

    assert [status.runtime_status.value for status in found] == ["Running", "Completed"]
    assert sum(pauses) > 2 * clock.pace().patience


def test_a_wait_ends_when_the_instance_has_ended_otherwise() -> None:
    clock = Clock()
    flow = wait_for_status(HttpLooks("i", clock.pace()), Any, lambda _: False, 5.0)

    with pytest.raises(InstanceEndedError) as ended:
        follow(flow, clock, lambda: document("a", "Completed"))

    assert ended.value.status.custom_status == "a"


# Listing


def _page(number: int, pages: int, size: int = 100) -> Response:
    documents = [
        json.loads(document({"number": number * size + index}).text) | {"instanceId": f"i{number:04}-{index:03}"}
        for index in range(size)
    ]
    token = "" if number == pages - 1 else f"after-{number}"
    return Response(status=200, headers={"x-ms-continuation-token": token}, text=json.dumps(documents))


def _list(pages: int) -> tuple[int, int]:
    """How many instances of so many pages match, and the most memory that finding them took."""
    flow = flows.list_statuses(
        dict[str, int], flows.Filters(), lambda status: status.custom_status_json["number"] % 100 == 0, False
    )
    page = _page(0, 2)  # the same instances each time: making others takes longer than reading them
    asked = found = 0
    tracemalloc.start()
    try:
        step = next(flow)
        while True:
            if isinstance(step, Found):
                found += 1
                step = next(flow)
            else:
                assert isinstance(step, Request)
                assert step.headers == ({"x-ms-continuation-token": f"after-{asked - 1}"} if asked else {})
                asked += 1
                token = "" if asked == pages else f"after-{asked - 1}"
                step = flow.send(replace(page, headers={"x-ms-continuation-token": token}))
    except StopIteration:
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_ten_thousand_instances_take_no_more_memory_than_a_thousand() -> None:
    _list(2)  # imports
    few, few_bytes = _list(10)
    many, many_bytes = _list(100)

    assert (few, many) == (10, 100)
    assert many_bytes < 1.2 * few_bytes


def test_a_page_is_asked_for_only_when_the_one_before_has_been_handed_out() -> None:
    flow = flows.list_statuses(Any, flows.Filters(), None, False)
    steps = [next(flow), flow.send(_page(0, 2, size=3)), next(flow), next(flow)]

    assert [type(step) for step in steps] == [Request, Found, Found, Found]
    assert isinstance(next(flow), Request)


def test_a_list_always_sends_a_filter_or_the_host_would_not_leave_the_inputs_out() -> None:
    request = next(flows.list_statuses(Any, flows.Filters(), None, False))

    assert isinstance(request, Request)
    assert request.query == {"createdTimeFrom": "1970-01-01T00:00:00.000000Z", "top": "100", "showInput": "false"}
