"""The line of user code behind each action of an orchestrator."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from durable_status.app.action_lines import noting_lines
from durable_status.app.sdk import speed_up_sdk

_EVENT = {"EventId": -1, "IsPlayed": False, "Timestamp": "2026-11-25T12:00:00Z"}


def _trigger() -> str:
    history = [
        {**_EVENT, "EventType": 12},
        {**_EVENT, "EventType": 0, "Name": "o", "Version": "", "Input": None},
    ]
    return json.dumps(
        {
            "history": history,
            "input": None,
            "instanceId": "i",
            "isReplaying": False,
            "parentInstanceId": None,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 2,
            "longRunningTimerIntervalDuration": "3.00:00:00",
            "maximumShortTimerDuration": "6.00:00:00",
            "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
        }
    )


def _helper(context: Any) -> Any:
    yield context.task_any([context.wait_for_external_event("e"), context.wait_for_external_event("f")])


def _orchestrator(context: Any) -> Any:
    context.signal_entity(df.EntityId("counter", "c"), "add", 1)
    context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
    yield from _helper(context)


def test_each_action_has_the_line_that_asked_for_it() -> None:
    speed_up_sdk()
    first = _orchestrator.__code__.co_firstlineno
    helper = _helper.__code__.co_firstlineno

    with noting_lines() as lines:
        answer = json.loads(df.Orchestrator.create(_orchestrator)(_trigger()))

    places = [lines.place_of(index) for index in range(len(answer["actions"][0]))]
    assert [str(place).rpartition("test_action_lines.py:")[2] for place in places] == [str(first + 1), str(helper + 1)]
    assert lines.place_of(5) is None
