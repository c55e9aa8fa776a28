"""The five orchestrations tested with histories made by hand: the real SDK, one call per state, answers compared.

This is how the SDK tests itself (its ContextBuilder): the author writes which events there are, with their ids.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

START = datetime(2026, 1, 1, tzinfo=UTC)


class History:
    """Events, an episode per second."""

    def __init__(self, input_value: Any) -> None:
        self.events: list[dict[str, Any]] = []
        self._input = json.dumps(input_value)
        self._now = START
        self._add(12)
        self._add(0, Name="F", Version="", Input=self._input)

    def _add(self, kind: int, event_id: int = -1, **members: Any) -> None:
        stamp = self._now.isoformat().replace("+00:00", "Z")
        self.events.append({"EventType": kind, "EventId": event_id, "IsPlayed": False, "Timestamp": stamp} | members)

    def ends(self, *decided: tuple[int, int, dict[str, Any]]) -> History:
        """The episode ends with these decisions; the next one begins."""
        for kind, number, members in decided:
            self._add(kind, number, **members)
        self._add(13)
        self._now += timedelta(seconds=1)
        self._add(12)
        return self

    def activity(self, number: int, name: str) -> tuple[int, int, dict[str, Any]]:
        """An activity was scheduled."""
        return 4, number, {"Name": name, "Version": "", "Input": None}

    def timer(self, number: int, at: datetime) -> tuple[int, int, dict[str, Any]]:
        """A timer was set."""
        return 10, number, {"FireAt": at.isoformat()}

    def child(self, number: int, name: str) -> tuple[int, int, dict[str, Any]]:
        """A child was started."""
        return 7, number, {"Name": name, "InstanceId": f"child{number}", "Input": None}

    def completed(self, number: int, result: Any, kind: int = 5) -> History:
        """A task returned."""
        self._add(kind, TaskScheduledId=number, Result=json.dumps(result))
        return self

    def failed(self, number: int) -> History:
        """An activity raised."""
        self._add(6, TaskScheduledId=number, Reason="no", Details="")
        return self

    def fired(self, number: int) -> History:
        """A timer fired."""
        self._add(11, TimerId=number, FireAt=START.isoformat())
        return self

    def raised(self, name: str, payload: Any) -> History:
        """An event came."""
        self._add(15, Name=name, Input=json.dumps(payload))
        return self

    def answer(self, function: Any) -> dict[str, Any]:
        """What the SDK says."""
        body = {
            "history": self.events,
            "input": self._input,
            "instanceId": "i",
            "isReplaying": False,
            "parentInstanceId": None,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 2,
            "maximumShortTimerDuration": "6.00:00:00",
            "longRunningTimerIntervalDuration": "3.00:00:00",
        }
        answer: dict[str, Any] = json.loads(function.build().get_user_function()(json.dumps(body)))
        return answer


def _names(answer: dict[str, Any]) -> list[str]:
    """The functions that were asked for, in order."""
    return [name for action in answer["actions"][0] for name in _called(action)]


def _called(action: dict[str, Any]) -> list[str]:
    own = [action["functionName"]] if "functionName" in action else []
    return own + [name for child in action.get("compoundActions", ()) for name in _called(child)]


def test_reserve(app: ModuleType) -> None:
    """The first episode, the offer, and both ends."""
    history = History("ann")
    assert history.answer(app.Reserve)["customStatus"] == {"stage": "pricing"}
    assert _names(history.answer(app.Reserve)) == ["Price"]
    history.ends(history.activity(0, "Price")).completed(0, 30)
    assert history.answer(app.Reserve)["customStatus"] == {"stage": "offer", "price": 30}
    for event in (True, False):
        history = History("ann")
        history.ends(history.activity(0, "Price")).completed(0, 30)
        history.ends(history.timer(1, START + timedelta(seconds=61)))
        last = (history.raised("Confirmed", True) if event else history.fired(1)).answer(app.Reserve)
        assert (last["isDone"], last["output"]) == (True, event)
        assert last["customStatus"] == {"stage": "confirmed" if event else "too late"}


def test_convert(app: ModuleType) -> None:
    """Two files, in order."""
    history = History(["a", "b"])
    assert _names(history.answer(app.Convert)) == ["ConvertOne", "ConvertOne"]
    history.ends(history.activity(0, "ConvertOne"), history.activity(1, "ConvertOne")).completed(0, "A")
    assert history.answer(app.Convert)["customStatus"] == {"done": 1, "of": 2}
    last = history.ends().completed(1, "B").answer(app.Convert)
    assert (last["isDone"], last["output"], last["customStatus"]) == (True, ["A", "B"], {"done": 2, "of": 2})


def test_pay(app: ModuleType) -> None:
    """Paid at once, and released after three failures (the author has to know of the platform's extra timer)."""
    history = History("o1")
    history.ends(history.activity(0, "Hold")).completed(0, None)
    assert _names(history.answer(app.Pay)) == ["Hold", "Charge"]
    paid = history.ends(history.activity(1, "Charge")).completed(1, "r").answer(app.Pay)
    assert (paid["output"], paid["customStatus"]) == ("r", {"stage": "paid"})
    history = History("o1")
    history.ends(history.activity(0, "Hold")).completed(0, None)
    for number in (1, 3, 5):
        history.ends(history.activity(number, "Charge")).failed(number)
        history.ends(history.timer(number + 1, START)).fired(number + 1)
    assert _names(history.answer(app.Pay)) == ["Hold", "Charge", "Release"]
    last = history.ends(history.activity(7, "Release")).completed(7, None).answer(app.Pay)
    assert last["output"] == "released"


def test_watch(app: ModuleType) -> None:
    """An alarm, the last round, and one round more."""
    history = History({"sensor": "s", "round": 0})
    history.ends(history.activity(0, "Measure")).completed(0, 91)
    assert _names(history.answer(app.Watch)) == ["Measure", "Alarm"]
    assert history.ends(history.activity(1, "Alarm")).completed(1, None).answer(app.Watch)["output"] == "alarm"
    history = History({"sensor": "s", "round": 3})
    assert history.ends(history.activity(0, "Measure")).completed(0, 50).answer(app.Watch)["output"] == "quiet"
    history = History({"sensor": "s", "round": 1})
    history.ends(history.activity(0, "Measure")).completed(0, 50)
    assert history.answer(app.Watch)["isDone"] is False
    last = history.ends(history.timer(1, START)).fired(1).answer(app.Watch)
    assert json.loads(last["actions"][0][-1]["input"]) == {"sensor": "s", "round": 2}


def test_approve(app: ModuleType) -> None:
    """Both approvals, one after the other, and both copies."""
    history = History("d").ends().raised("First", "ann")
    assert history.answer(app.Approve)["customStatus"] == {"approved by": ["ann"]}
    history.ends().raised("Second", "bob")
    assert history.answer(app.Approve)["customStatus"] == {"approved by": ["ann", "bob"]}
    assert _names(history.answer(app.Approve)) == ["Print", "Print"]
    history.ends(history.child(0, "Print"), history.child(1, "Print"))
    last = history.completed(0, "d 1", kind=8).completed(1, "d 2", kind=8).answer(app.Approve)
    assert last["output"] == {"approved by": ["ann", "bob"], "copies": ["d 1", "d 2"]}


TESTS: tuple[Callable[[ModuleType], None], ...] = (test_reserve, test_convert, test_pay, test_watch, test_approve)
