"""publish_status in the harness: the real SDK, every episode twice, nothing stored anywhere."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status import MAX_STATUS_BYTES, Offloaded, StatusEncodeError, publish_status
from durable_status.client.durable_client import DurableClient
from durable_status.publishing import OFFLOAD_ACTIVITY
from durable_status.replay.events import TaskCompleted
from durable_status.stored_json import dump_stored, utf16_size
from durable_status.testing import FakeOrchestrationContext, Faults, event, in_turn
from durable_status.testing.bench import DurableBench

pytestmark = pytest.mark.durable(app="tests/apps/offloading")

_FITS = "x" * (MAX_STATUS_BYTES // 2 - 2)  # two quotes
_LARGE = _FITS + "x"
_NOW = datetime(2026, 1, 1)


def _publish(context: Any) -> Any:
    yield from publish_status(context, context.get_input())
    yield context.wait_for_external_event("go")


@pytest.mark.parametrize("status", ["x", {"done": 0}, _FITS, "é" * len(_FITS), "🎫" * (len(_FITS) // 2)])
def test_a_status_that_fits_is_set_in_the_same_episode_by_no_activity(status: Any) -> None:
    context = FakeOrchestrationContext(_publish, status)

    assert (context.status, context.pending) == (status, ())


@pytest.mark.parametrize("units", [8_193, 8_702, 8_703, 8_704, 8_705, 100_000])
def test_one_unit_more_is_stored_by_the_activity_whatever_the_platform_would_still_take(units: int) -> None:
    status = "x" * (units - 2)
    context = FakeOrchestrationContext(_publish, status)
    assert context.status is None
    (activity,) = context.pending
    assert str(activity).startswith(f"activity 0: {OFFLOAD_ACTIVITY}(")

    context.complete_activity(OFFLOAD_ACTIVITY)

    assert (context.status, context.pending) == (status, ())


def test_on_the_platform_a_small_reference_is_set() -> None:
    answers: list[Any] = []
    reference = Offloaded.of(dump_stored(_LARGE), _NOW).to_json()

    class Context:
        instance_id = "2024-06-01T12:00:00Z"
        current_utc_datetime = _NOW

        def set_custom_status(self, status: Any) -> None:
            answers.append(status)

        def call_activity(self, name: Any, input_: Any = None) -> Any:
            answers.append((name, input_))

    steps = publish_status(Context(), _LARGE)
    next(steps)
    with pytest.raises(StopIteration):
        steps.send(reference)

    assert answers == [
        (
            OFFLOAD_ACTIVITY,
            {
                "blob": f"2024-06-01T12:00:00Z/{reference['reference']}",
                "reference": reference,
                "status": dump_stored(_LARGE),
            },
        ),
        reference,
    ]
    assert utf16_size(dump_stored(reference)) < 400


@pytest.mark.parametrize(
    "status", [None, 0, "", False, {}, [], float("nan"), {"a"}, {"durableStatusOffloaded": "x" * 9_000}]
)
def test_what_cannot_be_a_status_is_refused_before_anything_is_stored(status: Any) -> None:
    said: list[str] = []

    def orchestrator(context: Any) -> Any:
        try:
            yield from publish_status(context, status)
        except StatusEncodeError as error:
            said.append(str(error))
        yield context.wait_for_external_event("go")

    context = FakeOrchestrationContext(orchestrator)

    assert context.pending == ()
    assert said


def test_readers_see_the_status_before_until_the_large_one_is_stored(durable: DurableBench) -> None:
    run = durable.start("Publish", _LARGE)

    assert '"durableStatusOffloaded":1' in str(run.timeline)
    assert len(str(run.timeline).partition("\n")[2]) < 1_000
    assert run.statuses == ["before", _LARGE]
    assert run.raise_event("go").output == "done"


def test_the_story_is_the_same_in_every_order_and_with_every_episode_and_activity_twice(durable: DurableBench) -> None:
    durable.explore("Publish", _LARGE, events=[event("go")]).at_end(lambda run: run.status == _LARGE)
    run = durable.start(
        "PublishMany", {"times": 4, "size": 9_000}, faults=Faults(rerun_activities=True, new_process=True)
    )

    assert [status["number"] for status in run.statuses] == [0, 1, 2, 3]


def test_each_large_status_has_a_reference_of_its_own_and_the_same_one_at_every_replay(durable: DurableBench) -> None:
    run = durable.start("PublishMany", {"times": 3, "size": 9_000, "ends small": True})

    references = [
        Offloaded.from_json(json.loads(item.result)) for item in run.history if isinstance(item, TaskCompleted)
    ]
    assert len(set(references)) == 3
    assert run.status == "small"


def test_the_same_status_published_twice_is_stored_twice_and_seen_once() -> None:
    def orchestrator(context: Any) -> Any:
        yield from publish_status(context, _LARGE)
        yield context.wait_for_external_event("go")
        yield from publish_status(context, _LARGE)

    context = FakeOrchestrationContext(orchestrator)
    context.complete_activity(OFFLOAD_ACTIVITY)
    context.advance(seconds=1)
    context.raise_event("go")
    context.complete_activity(OFFLOAD_ACTIVITY)

    references = [json.loads(item.result)["reference"] for item in context.history if isinstance(item, TaskCompleted)]
    assert len(set(references)) == 2
    assert len({reference.rpartition("-")[2] for reference in references}) == 1
    assert (context.statuses, context.completed) == ([_LARGE], True)


def test_a_status_that_cannot_be_stored_fails_the_activity_and_may_be_caught(durable: DurableBench) -> None:
    stub = {OFFLOAD_ACTIVITY: OSError("no space")}

    assert durable.start("Publish", _LARGE, activities=stub).failed
    caught = durable.start("PublishIfPossible", activities=stub)
    assert (caught.completed, caught.status) == (True, "before")
    assert caught.output.startswith(f"went on: Activity function '{OFFLOAD_ACTIVITY}' failed: OSError: no space")


def test_a_stub_may_answer_in_turn(durable: DurableBench) -> None:
    first = Offloaded("status-20260101T000000000000-0123456789abcdef.json.gz", 9).to_json()
    run = durable.start("Publish", _LARGE, activities={OFFLOAD_ACTIVITY: in_turn(first)})

    assert run.status == first  # of which the test has nothing


def test_a_large_status_is_carried_over_continue_as_new_once(durable: DurableBench) -> None:
    run = durable.start("PublishAndGoOn", 0, allow=["status-lost"])
    assert run.status["number"] == 0

    run.raise_event("go")
    assert run.status["number"] == 1

    run.raise_event("go")
    assert run.status["number"] == 1
    run.raise_event("go")
    assert run.status is None


def test_functions_of_the_app_read_it(durable: DurableBench) -> None:
    client, wait = DurableClient(durable.client), durable.wait
    instance_id = wait(client.start_new("Publish", _LARGE))

    assert durable.call("Read", method="GET", route={"id": instance_id}).get_body() == f'"{_LARGE}"'.encode()
    wait(client.raise_event(instance_id, "go"))
    wait(client.purge(instance_id))


def test_a_lone_orchestrator_may_be_decorated_like_any_other() -> None:
    blueprint = df.Blueprint()
    decorated = blueprint.orchestration_trigger(context_name="context")(_publish)
    context = FakeOrchestrationContext(decorated, _LARGE)
    context.fail_activity(OFFLOAD_ACTIVITY, error="no space")

    assert context.failed
