"""The checks of the fault tests find nothing in what the extension left, and everything that is put wrong there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from durable_status.task_hub.tables import Row
from tests.durable_status.task_hub.recorded_hub import HUB, document, history, instances
from tests.hub_flaws import hub_flaws, stored_hub

_FINISHED = ("hello", "timer", "sub-orchestration", "entity-call", "failed-by-activity", "terminated")
_LARGE = ("large-result-70000", "large-input-70000", "continue-as-new-2-finished", "status-then-wait-2-finished")


@dataclass(frozen=True, slots=True)
class _Recording:
    instances: list[Row]
    history: list[Row]
    blobs: list[str]

    def flaws(self) -> list[str]:
        return hub_flaws(stored_hub(HUB, self.instances, self.history, messages={}, blobs=self.blobs))


def _recording(name: str) -> _Recording:
    return _Recording(
        [row for _, row in instances(name)],
        [row for _, row in history(name)],
        [blob["name"] for blob in document(name)["blobs"]],
    )


@pytest.mark.parametrize("name", [*_FINISHED, *_LARGE])
def test_what_the_extension_left_has_no_flaw(name: str) -> None:
    assert _recording(name).flaws() == []


def _answer(recording: _Recording) -> Row:
    return next(event for event in recording.history if event.get("EventType") == "TaskCompleted")


def _answer_twice(recording: _Recording) -> None:
    again = _answer(recording) | {"RowKey": f"{len(recording.history) - 1:016X}"}
    recording.history.insert(-1, again)  # before the sentinel


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_answer_twice, "TaskScheduled 0 is answered 2 times"),
        (lambda it: _answer(it).update(EventType="GenericEvent"), "TaskScheduled 0 was never answered"),
        (lambda it: it.instances.clear(), "has a history and no row"),
        (lambda it: it.history.clear(), "there is no sentinel"),
        (lambda it: it.history.pop(3), "its rows are"),
        (lambda it: it.history[-1].update(IsCheckpointComplete=False), "is not complete"),
        (lambda it: it.instances[0].update(RuntimeStatus="Running"), "it is Running and ended 1 times"),
        (lambda it: it.instances[0].update(RuntimeStatus="Failed"), "it is Failed, its history Completed"),
        (lambda it: it.instances[0].update(Output="1"), "its output is 1"),
        (lambda it: it.instances[0].update(ExecutionId="other"), "name different executions"),
        (lambda it: it.instances[0].update(LastUpdatedTime="2001-01-01T00:00:00.0000000Z"), "its last event is of"),
    ],
)
def test_what_is_put_wrong_is_found(change: Callable[[_Recording], object], expected: str) -> None:
    recording = _recording("hello")
    change(recording)

    assert any(expected in flaw for flaw in recording.flaws())


def test_a_blob_that_is_gone_and_a_message_that_is_left_are_found() -> None:
    recording = _recording("large-result-70000")
    recording.blobs.clear()

    assert any("is gone" in flaw for flaw in recording.flaws())
    left = stored_hub(HUB, [], [], messages={"storagehub-workitems": 1}, blobs=[])
    assert hub_flaws(left) == ["1 messages are left in storagehub-workitems"]
