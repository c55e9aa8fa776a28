"""Remembers at which line of user code an orchestrator asked for each action, so that a warning can name it."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

_RESUME = "resume_user_code"
_CONTEXT = ("azure.durable_functions.models.DurableOrchestrationContext", "DurableOrchestrationContext")

_current = threading.local()


class ActionLines:
    """The places of one call's top-level actions, by their index."""

    def __init__(self) -> None:
        self._places: list[tuple[CodeType, int] | None] = []

    def note(self, place: tuple[CodeType, int] | None) -> None:
        """Add the place of the next action."""
        self._places.append(place)

    def place_of(self, action: int) -> str | None:
        """``file:line`` of an action, relative to the current folder; None if it is not known."""
        place = self._places[action] if 0 <= action < len(self._places) else None
        if place is None:
            return None
        code, line = place
        return f"{os.path.relpath(code.co_filename)}:{line}"


@contextmanager
def noting_lines() -> Iterator[ActionLines]:
    """Note the lines of the orchestrator that is called in this thread while the context lasts."""
    _hook_sdk()
    lines = _current.lines = ActionLines()
    try:
        yield lines
    finally:
        _current.lines = None


@functools.cache  # once per process: a second time would note every action twice
def _hook_sdk() -> None:
    """Listen at the method through which every action goes; a release of the SDK without it has no lines."""
    context: Any = getattr(importlib.import_module(_CONTEXT[0]), _CONTEXT[1], None)
    original = getattr(context, "_add_to_actions", None)
    if original is None:
        return

    def noting(self: Any, action: Any) -> None:
        lines: ActionLines | None = getattr(_current, "lines", None)
        if lines is not None and not self.will_continue_as_new:  # after that the SDK takes no more actions
            lines.note(_place(sys._getframe(1)))
        original(self, action)

    context._add_to_actions = noting


def _place(frame: FrameType | None) -> tuple[CodeType, int] | None:
    """The line of user code: where its generator waits, or, for what is sent at once, where it runs."""
    if frame is not None and frame.f_code.co_name == _RESUME:
        return _line_of_generator(getattr(frame.f_locals.get("self"), "generator", None))
    while frame is not None and _is_sdk(frame.f_code.co_filename):
        frame = frame.f_back
    return None if frame is None else (frame.f_code, frame.f_lineno)


def _line_of_generator(generator: Any) -> tuple[CodeType, int] | None:
    while hasattr(inner := getattr(generator, "gi_yieldfrom", None), "gi_frame"):
        generator = inner  # a `yield from` waits further inside
    frame: FrameType | None = getattr(generator, "gi_frame", None)
    return None if frame is None else (frame.f_code, frame.f_lineno)


@functools.lru_cache(maxsize=256)
def _is_sdk(file: str) -> bool:
    return "durable_functions" in Path(file).parts
