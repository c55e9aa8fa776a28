"""Remembers at which line of user code an orchestrator did what a warning is about, so that it can name the line.

User code is what is neither Python's, nor an installed package's, nor this library's: who sets a status by
`durable_status.set_custom_status` set it where that was called.
"""

from __future__ import annotations

import functools
import importlib
import os
import reprlib
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import CodeType, FrameType
from typing import Any

from durable_status.app.functions import user_code
from durable_status.failure import is_users

_RESUME = "resume_user_code"
_EXECUTOR = ("azure.durable_functions.models.TaskOrchestrationExecutor", "TaskOrchestrationExecutor")
_WITH_GENERATOR = (_RESUME, "execute")
_BEHIND = "user_code"
"""Where a generator that stands between the SDK and the user's, as in the harness, keeps the user's."""
_CONTEXT = ("azure.durable_functions.models.DurableOrchestrationContext", "DurableOrchestrationContext")

_SIGNAL_ENTITY = 9  # the SDK's ActionType

Place = tuple[CodeType, int]


class ActionLines:
    """The places of one call's top-level actions by their index, of its last custom status, its tasks and its failure.

    A place is ``file:line``, relative to the current folder.
    """

    def __init__(self) -> None:
        self._actions: list[Place | None] = []
        self._tasks: list[tuple[Any, Place | None]] = []
        self._status: Place | None = None
        self._status_value: tuple[Any, ...] = ()
        self._failure: Place | None = None
        self._end: Place | None = None
        self.awaited: Any = None
        """The task that the code waits for when the call ends."""

    def note_action(self, place: Place | None) -> None:
        """Add the place of the next action."""
        self._actions.append(place)

    def note_task(self, task: Any, place: Place | None) -> None:
        """Add a task that was created, and where."""
        self._tasks.append((task, place))

    def note_status(self, status: Any, place: Place | None) -> None:
        """Take the custom status that was set last, and where."""
        self._status = place
        self._status_value = (status,)

    def note_end(self, task: Any, place: Place | None) -> None:
        """Take what the code waits for when the call ends, and where."""
        self.awaited = task
        self._end = place

    def note_failure(self, error: BaseException) -> None:
        """Take the place where the call failed: where user code raised, or stands in the yield that the SDK minds."""
        self._failure = _place_of_error(error)

    def place_of(self, action: int | None, subject: str | None = None) -> str | None:
        """The place of an action; without one that of its `subject` ("status" or "end"), or that of the failure."""
        if action is not None:
            return place_text(self._actions[action]) if 0 <= action < len(self._actions) else None
        place = {"status": self._status, "end": self._end}.get(subject or "")
        return place_text(place or self._failure)

    @property
    def unsent_status(self) -> str | None:
        """The custom status that was set last, as Python writes it, if the SDK does not send it because it is falsy."""
        for status in self._status_value:
            try:
                return None if status else reprlib.repr(status)
            except Exception:  # it is the app's to say whether it is falsy, and the SDK fails with it, too
                return None
        return None

    @property
    def unawaited_places(self) -> list[str]:
        """The place of each task that was created and has never been yielded, by itself or in a compound."""
        places = (place_text(place) for task, place in self._tasks if not task._is_scheduled)
        return list(dict.fromkeys(place for place in places if place is not None))


def place_of_definition(call: Callable[..., Any]) -> str | None:
    """``file:line`` where the user's function behind the SDK's handle begins."""
    code = user_code(call)
    if code is None or not _is_users(code.co_filename):
        return None
    return place_text((code, code.co_firstlineno))


_current: ContextVar[ActionLines | None] = ContextVar("lines of the orchestrator that is called", default=None)


@contextmanager
def noting_lines() -> Iterator[ActionLines]:
    """Note the lines of the orchestrator that is called while the context lasts."""
    _hook_sdk()
    lines = ActionLines()
    token = _current.set(lines)
    try:
        yield lines
    finally:
        _current.reset(token)


@functools.cache  # once per process: a second time would note everything twice
def _hook_sdk() -> None:
    """Listen at the methods for actions, tasks and statuses; a release of the SDK without one has no such lines."""
    context: Any = getattr(importlib.import_module(_CONTEXT[0]), _CONTEXT[1], None)
    _hook_before(context, "_add_to_actions", _note_action)
    _hook_before(context, "set_custom_status", _note_status)
    executor: Any = getattr(importlib.import_module(_EXECUTOR[0]), _EXECUTOR[1], None)
    _hook_before(executor, "get_orchestrator_state_str", _note_end)
    generate = getattr(context, "_generate_task", None)
    if generate is not None:

        def noting(self: Any, action: Any, *arguments: Any, parent: Any = None, **options: Any) -> Any:
            task = generate(self, action, *arguments, parent=parent, **options)
            # With a parent it is an attempt of a retried call; a signal goes out without being yielded.
            if (
                (lines := _current.get()) is not None
                and parent is None
                and getattr(action, "action_type", None) != _SIGNAL_ENTITY
            ):
                lines.note_task(task, _place(sys._getframe(1)))
            return task

        context._generate_task = noting


def _hook_before(owner: Any, method: str, note: Callable[..., None]) -> None:
    """Call `note` with the lines, the object, the place and the arguments before each call of a method."""
    original = getattr(owner, method, None)
    if original is None:
        return

    def noting(self: Any, *arguments: Any) -> Any:
        if (lines := _current.get()) is not None:
            note(lines, self, _place(sys._getframe(1)), *arguments)
        return original(self, *arguments)

    setattr(owner, method, noting)


def _note_status(lines: ActionLines, _context: Any, place: Place | None, status: Any) -> None:
    lines.note_status(status, place)


def _note_end(lines: ActionLines, executor: Any, _place: Place | None) -> None:
    lines.note_end(getattr(executor, "current_task", None), place_of_generator(getattr(executor, "generator", None)))


def _note_action(lines: ActionLines, context: Any, place: Place | None, _action: Any) -> None:
    if not context.will_continue_as_new:  # after that the SDK takes no more actions
        lines.note_action(place)


def place_of_call(frame: FrameType | None) -> Place | None:
    """The line of user code that leads to a frame."""
    while frame is not None and not _is_users(frame.f_code.co_filename):
        frame = frame.f_back
    return None if frame is None else (frame.f_code, frame.f_lineno)


def _place(frame: FrameType | None) -> Place | None:
    """The line of user code: where its generator waits, or, for what is sent at once, where it runs."""
    if frame is not None and frame.f_code.co_name == _RESUME:
        return place_of_generator(getattr(frame.f_locals.get("self"), "generator", None))
    return place_of_call(frame)


def _place_of_error(error: BaseException) -> Place | None:
    standing: Place | None = None
    cause: BaseException | None = error
    while cause is not None:  # the SDK wraps what user code raises
        for frame, line in reversed(list(traceback.walk_tb(cause.__traceback__))):
            if _is_users(frame.f_code.co_filename):
                return frame.f_code, line
            if frame.f_code.co_name in _WITH_GENERATOR and standing is None:
                standing = place_of_generator(getattr(frame.f_locals.get("self"), "generator", None))
        cause = cause.__cause__
    return standing


def place_of_generator(generator: Any) -> Place | None:
    """Where a generator waits, or one that it waits for."""
    place: Place | None = None
    while (frame := getattr(generator, "gi_frame", None)) is not None:
        if _is_users(frame.f_code.co_filename):
            place = frame.f_code, frame.f_lineno
        generator = generator.gi_yieldfrom or frame.f_locals.get(_BEHIND)  # it waits further inside
    return place


@functools.lru_cache(maxsize=256)
def _is_users(file: str) -> bool:
    return is_users(file)


def placed(place: str | None, sentence: str) -> str:
    """A sentence after the place that it is about, if that is known."""
    return sentence if place is None else f"{place}: {sentence}"


def place_text(place: Place | None) -> str | None:
    """``file:line`` of a place, relative to the current folder."""
    if place is None:
        return None
    code, line = place
    return f"{os.path.relpath(code.co_filename)}:{line}"
