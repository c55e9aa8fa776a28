"""Traps that an action list shows by itself, whatever the history says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from durable_status.replay.actions import COMPOUND, WITH_RETRY, Action, ActionType
from durable_status.replay.profile import Profile
from durable_status.replay.traps import TrapKind, TrapLog

_WITHOUT_ID = (ActionType.CONTINUE_AS_NEW, ActionType.WAIT_FOR_EXTERNAL_EVENT)


def leaves(action: Action) -> Iterator[Action]:
    """The actions of a compound, at any depth; an action that is none is its own leaf."""
    if action["actionType"] not in COMPOUND:
        yield action
        return
    for child in action["compoundActions"]:
        yield from leaves(child)


def find_action_traps(actions: Sequence[Action], log: TrapLog, profile: Profile) -> None:
    """Note what is wrong with single actions."""
    for index, action in enumerate(actions):
        kind = action["actionType"]
        if kind == ActionType.WAIT_FOR_EXTERNAL_EVENT:
            _find_unreachable_event(action, index, log, profile)
        elif kind in COMPOUND:
            for leaf in leaves(action):
                if leaf["actionType"] == ActionType.WAIT_FOR_EXTERNAL_EVENT:
                    _find_unreachable_event(leaf, index, log, profile)
                elif leaf["actionType"] == ActionType.SIGNAL_ENTITY:
                    note_yielded_signal(index, log)
        if kind == ActionType.WHEN_ANY:
            _find_traps_of_any(actions, index, log)


def note_yielded_signal(index: int, log: TrapLog) -> None:
    """Note that a signal is waited for."""
    log.note(
        TrapKind.YIELDED_SIGNAL,
        "A signal has no answer that could be waited for, and one that is yielded is sent twice.",
        action=index,
    )


def _find_unreachable_event(action: Action, index: int, log: TrapLog, profile: Profile) -> None:
    name = action["externalEventName"]
    why = None
    if "/" in name or name in (".", ".."):
        why = "a slash or a dot of its own is part of the URL in which an event is raised"
    elif "+" in name and profile.decodes_paths_first:
        why = "extension 3.x takes a plus in the URL for a blank"
    if why is not None:
        log.note(TrapKind.EVENT_NAME, f"No client can raise the event '{name}': {why}.", action=index)


def _find_traps_of_any(actions: Sequence[Action], index: int, log: TrapLog) -> None:
    action = actions[index]
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
