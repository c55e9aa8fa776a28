"""Traps that an action list shows by itself, whatever the history says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from durable_status.replay.answer import Action
from durable_status.replay.traps import TrapKind, TrapLog

CREATE_TIMER, WAIT_FOR_EVENT, WHEN_ANY, WHEN_ALL = 5, 6, 11, 12
WITH_RETRY = (1, 3)
_WITHOUT_ID = (4, WAIT_FOR_EVENT)


def leaves(action: Action) -> Iterator[Action]:
    """The actions of a compound, at any depth; an action that is none is its own leaf."""
    if "compoundActions" not in action:
        yield action
    for child in action.get("compoundActions", ()):
        yield from leaves(child)


def find_action_traps(actions: Sequence[Action], log: TrapLog) -> None:
    """Note the traps of task_any."""
    for index, action in enumerate(actions):
        if action["actionType"] != WHEN_ANY:
            continue
        if any(_is_long_timer(child) for child in action["compoundActions"]):
            log.note(
                TrapKind.LONG_TIMER_IN_TASK_ANY,
                "A timer of more than 6 days in task_any holds up everything after it until its current leg has fired; "
                "it cannot be cancelled.",
                action=index,
            )
        if _has_cancelled_timer(action) and _has_retry(action) and _schedules(actions[index + 1 :]):
            log.note(
                TrapKind.RETRY_IN_TASK_ANY,
                "The cancelled timer lets the host pass this task_any before the call with retry is over, so what "
                "comes next takes the ids of its attempts: once it is retried, the orchestration fails.",
                action=index,
            )


def _is_long_timer(action: Action) -> bool:
    """The SDK sends the first leg of a long timer as a task_all of one."""
    children = action.get("compoundActions", ())
    return action["actionType"] == WHEN_ALL and [child["actionType"] for child in children] == [CREATE_TIMER]


def _has_cancelled_timer(action: Action) -> bool:
    return any(child.get("isCanceled") for child in action["compoundActions"])


def _has_retry(action: Action) -> bool:
    return any(leaf["actionType"] in WITH_RETRY for leaf in leaves(action))


def _schedules(actions: Sequence[Action]) -> bool:
    return any(leaf["actionType"] not in _WITHOUT_ID for action in actions for leaf in leaves(action))
