"""Remembers at which line of user code an orchestrator did what a warning is about, so that it can name the line."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_RESUME = "resume_user_code"
_CONTEXT = ("azure.durable_functions.models.DurableOrchestrationContext", "DurableOrchestrationContext")

_SIGNAL_ENTITY = 9  # the SDK's ActionType

_current = threading.local()


Place = tuple[CodeType, int]


class ActionLines:
    """The places of one call's top-level actions by their index, of its last custom status, and of its tasks."""

    def __init__(self) -> None:
        self._actions: list[Place | None] = []
        self._tasks: list[tuple[Any, Place | None]] = []
        self._status: Place | None = None

    def note_action(self, place: Place | None) -> None:
        """Add the place of the next action."""
        self._actions.append(place)

    def note_task(self, task: Any, place: Place | None) -> None:
        """Add a task that was created, and where."""
        self._tasks.append((task, place))

    def note_status(self, place: Place | None) -> None:
        """Take the place where the custom status was set last."""
        self._status = place

    def place_of(self, action: int) -> str | None:
        """``file:line`` of an action, relative to the current folder; None if it is not known."""
        return _text(self._actions[action]) if 0 <= action < len(self._actions) else None

    @property
    def status_place(self) -> str | None:
        """``file:line`` where the custom status was set last."""
        return _text(self._status)

    @property
    def unawaited_places(self) -> list[str]:
        """``file:line`` of each task that was created and has never been yielded, by itself or in a compound."""
        places = (_text(place) for task, place in self._tasks if not task._is_scheduled)
        return list(dict.fromkeys(place for place in places if place is not None))


def place_of_definition(orchestrator: Any) -> str | None:
    """``file:line`` where the user's function behind the SDK's handle begins."""
    code = getattr(getattr(orchestrator, "orchestrator_function", None), "__code__", None)
    return None if code is None else _text((code, code.co_firstlineno))


@contextmanager
def noting_lines() -> Iterator[ActionLines]:
    """Note the lines of the orchestrator that is called in this thread while the context lasts."""
    _hook_sdk()
    lines = _current.lines = ActionLines()
    try:
        yield lines
    finally:
        _current.lines = None


@functools.cache  # once per process: a second time would note everything twice
def _hook_sdk() -> None:
    """Listen at the methods for actions, tasks and statuses; a release of the SDK without one has no such lines."""
    context: Any = getattr(importlib.import_module(_CONTEXT[0]), _CONTEXT[1], None)
    _hook_before(context, "_add_to_actions", _note_action)
    _hook_before(context, "set_custom_status", lambda lines, _, place: lines.note_status(place))
    generate = getattr(context, "_generate_task", None)
    if generate is not None:

        def noting(self: Any, action: Any, *arguments: Any, parent: Any = None, **options: Any) -> Any:
            task = generate(self, action, *arguments, parent=parent, **options)
            # With a parent it is an attempt of a retried call; a signal goes out without being yielded.
            if (
                (lines := _lines()) is not None
                and parent is None
                and getattr(action, "action_type", None) != _SIGNAL_ENTITY
            ):
                lines.note_task(task, _place(sys._getframe(1)))
            return task

        context._generate_task = noting


def _hook_before(context: Any, method: str, note: Callable[[ActionLines, Any, Place | None], None]) -> None:
    original = getattr(context, method, None)
    if original is None:
        return

    def noting(self: Any, argument: Any) -> None:
        if (lines := _lines()) is not None:
            note(lines, self, _place(sys._getframe(1)))
        original(self, argument)

    setattr(context, method, noting)


def _note_action(lines: ActionLines, context: Any, place: Place | None) -> None:
    if not context.will_continue_as_new:  # after that the SDK takes no more actions
        lines.note_action(place)


def _lines() -> ActionLines | None:
    return getattr(_current, "lines", None)


def _place(frame: FrameType | None) -> Place | None:
    """The line of user code: where its generator waits, or, for what is sent at once, where it runs."""
    if frame is not None and frame.f_code.co_name == _RESUME:
        return _line_of_generator(getattr(frame.f_locals.get("self"), "generator", None))
    while frame is not None and _is_sdk(frame.f_code.co_filename):
        frame = frame.f_back
    return None if frame is None else (frame.f_code, frame.f_lineno)


def _line_of_generator(generator: Any) -> Place | None:
    while hasattr(inner := getattr(generator, "gi_yieldfrom", None), "gi_frame"):
        generator = inner  # a `yield from` waits further inside
    frame: FrameType | None = getattr(generator, "gi_frame", None)
    return None if frame is None else (frame.f_code, frame.f_lineno)


@functools.lru_cache(maxsize=256)
def _is_sdk(file: str) -> bool:
    return "durable_functions" in Path(file).parts


def _text(place: Place | None) -> str | None:
    if place is None:
        return None
    code, line = place
    return f"{os.path.relpath(code.co_filename)}:{line}"
