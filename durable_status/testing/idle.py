"""Episodes in which nothing can happen: a call has ended whose task_all waits for others.

Python's code is not woken before the last of them, or the first that fails, and a replay has shown already what it says
at this place, so it need not be asked. Without this, a fan-out would cost a replay for each of its calls, and each of
those replays everything.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from durable_status.replay.actions import ActionType
from durable_status.replay.events import (
    Event,
    EventSent,
    OrchestratorCompleted,
    OrchestratorStarted,
    SubOrchestrationInstanceCompleted,
    SubOrchestrationInstanceCreated,
    SubOrchestrationInstanceFailed,
    TaskCompleted,
    TaskFailed,
    TaskScheduled,
    TimerCreated,
    TimerFired,
)
from durable_status.replay.names import caseless
from durable_status.replay.ticks import Ticks

_PLAIN = (ActionType.CALL_ACTIVITY, ActionType.CALL_SUB_ORCHESTRATOR, ActionType.CREATE_TIMER)
_TASK_ALL = "WhenAllTask"
_PLAIN_TASKS = ("AtomicTask", "TimerTask")
_OBJECT = '"__class__"'  # in a result: the SDK makes an object of it, and may fail
_CHECKS_RESULTS = "AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """The calls and timers of a task_all that an orchestrator waits for; their ids follow each other.

    Events may be among them: they have no ids, and nothing is made of their being open.
    """

    first: int
    count: int
    open: int
    """How many have not ended."""

    @classmethod
    def of(cls, task: Any, actions: Sequence[Mapping[str, Any]], history: Sequence[Event]) -> Self | None:
        """What is waited for with `task` of the SDK; None if there is anything else in it, or one has failed."""
        if not actions or not _is_plain_task_all(task) or os.environ.get(_CHECKS_RESULTS):
            return None
        calls = actions[-1].get("compoundActions", ())
        waits = [call for call in calls if call["actionType"] != ActionType.WAIT_FOR_EXTERNAL_EVENT]
        if len(calls) != len(task.children) or any(wait["actionType"] not in _PLAIN for wait in waits):
            return None
        names: dict[int, str] = {}
        ended: list[int] = []
        failed: list[int] = []
        for event in history:
            match event:
                case TaskScheduled() | SubOrchestrationInstanceCreated():
                    names[event.event_id] = caseless(event.name)
                case TimerCreated() | EventSent():
                    names[event.event_id] = ""
                case TaskCompleted() | SubOrchestrationInstanceCompleted():
                    ended.append(event.task_scheduled_id)
                case TimerFired():
                    ended.append(event.timer_id)
                case TaskFailed() | SubOrchestrationInstanceFailed():
                    failed.append(event.task_scheduled_id)
        first = max(names, default=-1) + 1 - len(waits)
        recorded = [names.get(first + place) for place in range(len(waits))]
        if recorded != [caseless(wait.get("functionName", "")) for wait in waits] or max(failed, default=-1) >= first:
            return None
        return cls(first=first, count=len(waits), open=len(waits) - sum(number >= first for number in ended))

    def after(self, messages: Sequence[Event]) -> Self | None:
        """What is waited for when these have come; None if something else may come of them."""
        for message in messages:
            if not isinstance(message, TaskCompleted | SubOrchestrationInstanceCompleted):
                return None
            if not self.first <= message.task_scheduled_id < self.first + self.count or _OBJECT in (
                message.result or ""
            ):
                return None
        left = self.open - len(messages)
        return replace(self, open=left) if left > 0 else None


def _is_plain_task_all(task: Any) -> bool:
    """Whether a task of the SDK is a task_all of different tasks that are no compounds themselves."""
    if type(task).__name__ != _TASK_ALL:
        return False
    has_plain_tasks = all(type(child).__name__ in _PLAIN_TASKS for child in task.children)
    return has_plain_tasks and len({id(child) for child in task.children}) == len(task.children)


def idle_episode(messages: Sequence[Event], now: Ticks) -> tuple[Event, ...]:
    """The events of an episode in which nothing happens."""
    return (
        OrchestratorStarted(timestamp=now),
        *(message.played() for message in messages),
        OrchestratorCompleted(timestamp=now),
    )
