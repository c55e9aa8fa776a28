"""Traps that an action list shows by itself, whatever the history says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from durable_status.replay.actions import COMPOUND, WITH_RETRY, Action, ActionType
from durable_status.replay.traps import TrapKind, TrapLog

_WITHOUT_ID = (ActionType.CONTINUE_AS_NEW, ActionType.WAIT_FOR_EXTERNAL_EVENT)


def leaves(action: Action) -> Iterator[Action]:
    """The actions of a compound, at any depth; an action that is none is its own leaf."""
    if action["actionType"] not in COMPOUND:
        yield action
        return
    for child in action["compoundActions"]:
        yield from leaves(child)


def find_action_traps(actions: Sequence[Action], log: TrapLog) -> None:
    """Note the traps of task_any."""
    for index, action in enumerate(actions):
        if action["actionType"] != ActionType.WHEN_ANY:
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
    if action["actionType"] != ActionType.WHEN_ALL:
        return False
    return [child["actionType"] for child in action["compoundActions"]] == [ActionType.CREATE_TIMER]


def _has_cancelled_timer(action: Action) -> bool:
    return any(child.get("isCanceled") for child in action["compoundActions"])


def _has_retry(action: Action) -> bool:
    return any(leaf["actionType"] in WITH_RETRY for leaf in leaves(action))


def _schedules(actions: Sequence[Action]) -> bool:
    return any(leaf["actionType"] not in _WITHOUT_ID for action in actions for leaf in leaves(action))
