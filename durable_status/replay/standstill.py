"""Traps at the end of a replay: where Python and the host stand, and why not at the same place."""

from __future__ import annotations

from collections.abc import Sequence

from durable_status.replay.action_traps import leaves, note_yielded_signal
from durable_status.replay.actions import COMPOUND, WITH_RETRY, Action, ActionType
from durable_status.replay.answer import Answer
from durable_status.replay.host_context import HostContext
from durable_status.replay.traps import TrapKind, TrapLog
from durable_status.replay.walk import Walk

# These say already why the host and Python do not stand at the same action.
_SAY_WHY = (
    TrapKind.UNKNOWN_FUNCTION,
    TrapKind.CHILD_ID,
    TrapKind.RETRY_OPTIONS,
    TrapKind.ACTION_LIMIT,
    TrapKind.EVENT_CASE,
    TrapKind.EARLY_EVENT,
    TrapKind.LATE_CANCEL,
    TrapKind.YIELDED_SIGNAL,
    TrapKind.LONG_TIMER_IN_TASK_ANY,
)
_RUNS_TWICE = "A task that is listed twice runs twice, and later results reach the wrong task."


def find_standstill_traps(walk: Walk, answer: Answer, context: HostContext, log: TrapLog) -> None:
    """Compare the action that the host waits at with how far the answer goes."""
    if log.has(*_SAY_WHY) or context.is_suspended:
        return
    has_ended = answer.is_done or answer.error is not None
    if walk.position is None:
        _find_open_timers(walk, log) if has_ended else _find_hang(answer, context, log)
    elif walk.position < len(answer.actions) - 1 or (has_ended and not _has_failed(walk)):
        _find_why_python_is_ahead(walk, answer, walk.position, log)


def _find_open_timers(walk: Walk, log: TrapLog) -> None:
    for action, timer in walk.timers:
        if timer.succeeded is None:
            log.note(
                TrapKind.OPEN_TIMER,
                "The orchestrator has ended, but stays Running until this timer has fired.",
                action=action,
            )


def _find_hang(answer: Answer, context: HostContext, log: TrapLog) -> None:
    if context.open_tasks or context.external_events.are_waited_for:
        return
    last = answer.actions[-1] if answer.actions else None
    if last is not None and last["actionType"] == ActionType.SIGNAL_ENTITY and answer.actions.count(last) > 1:
        note_yielded_signal(len(answer.actions) - 1, log)
    else:
        log.note(
            TrapKind.NOTHING_AWAITED,
            "It has not ended, and there is nothing left that could wake it: it waits for ever.",
        )


def _find_why_python_is_ahead(walk: Walk, answer: Answer, position: int, log: TrapLog) -> None:
    """Python has gone past an action that the host still waits at."""
    actions = [leaf for leaf, _ in walk.leaves]
    twice = _compound_with_a_task_twice(answer.actions[:position])
    is_retrying = any(leaf["actionType"] in WITH_RETRY and future.succeeded is None for leaf, future in walk.leaves)
    is_compound = answer.actions[position]["actionType"] in COMPOUND
    if not is_compound and twice is not None:
        kind, sentence, position = TrapKind.TASK_LISTED_TWICE, _RUNS_TWICE, twice
    elif not is_compound:
        kind, sentence = TrapKind.ID_SHIFT, "A result has reached another task than its own; the ids are shifted."
    elif _has_failed(walk) and is_retrying:
        kind, sentence = (
            TrapKind.ID_SHIFT,
            "task_all has failed while a call with retry in it still tries again: what comes next takes the ids of "
            "its attempts, and results reach the wrong task.",
        )
    elif _has_failed(walk):
        kind, sentence = (
            TrapKind.FAIL_FAST,
            "task_all has failed and the code goes on, but the host schedules nothing before every sibling is done.",
        )
    elif any(actions.count(leaf) > 1 for leaf in actions):
        kind, sentence = TrapKind.TASK_LISTED_TWICE, _RUNS_TWICE
    else:
        kind, sentence = (
            TrapKind.REUSED_TASK,
            "Python goes on because of a task that an earlier yield has had already; the host waits for the new ones.",
        )
    log.note(kind, sentence, action=position)


def _compound_with_a_task_twice(actions: Sequence[Action]) -> int | None:
    """The index of the first compound with equal actions in it, if no retry explains as well why ids are shifted."""
    listed = [list(leaves(action)) for action in actions]
    if any(leaf["actionType"] in WITH_RETRY for action in listed for leaf in action):
        return None
    return next((index for index, action in enumerate(listed) if any(action.count(leaf) > 1 for leaf in action)), None)


def _has_failed(walk: Walk) -> bool:
    return any(future.succeeded is False and not leaf.get("isCanceled") for leaf, future in walk.leaves)
