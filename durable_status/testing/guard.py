"""Watches user code for what replay does not repeat: clocks, random numbers, I/O.

Best effort, not a sandbox: Python reports the calls of built-in functions that Python code makes, be it user code or a
library that it calls, while the orchestrator runs. What a C extension does by itself is not seen. Nothing is prevented,
and nothing is replaced: `time.time` is itself. Logging is let through: it looks at the clock, but no decision depends
on it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from durable_status.failure import is_users
from durable_status.testing.errors import Finding
from durable_status.testing.unrepeatable import Offence, offence_in, offence_of

Report = Callable[[Finding], None]

# Hypothesis times every garbage collection, which can happen anywhere. Time zones, and what pydantic and the SDK look
# up once, are the same in every replay.
_LET_THROUGH = (
    "logging",
    "importlib",
    "linecache",
    "zoneinfo",
    "hypothesis",
    "pydantic",
    "azure.functions",
    "azure.durable_functions",
    "durable_status",
)
_PACKAGES_LET_THROUGH = tuple(f"{name}." for name in _LET_THROUGH)
_OBSERVER = "durable_status.testing.observer"
_REASONS = {
    "clock": "every replay reads another time",
    "random": "every replay gets another value",
    "io": "every replay does it again, and its outcome may differ",
}


@contextmanager
def watching(report: Report) -> Iterator[None]:
    """Report what user code does in this block; no watch where a profiler is at work already."""
    if sys.getprofile() is not None:
        yield
        return

    told: set[tuple[str, str]] = set()

    def notice(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call":
            offence = offence_of(called, frame)
        elif event == "call":
            offence = offence_in(frame)
        else:
            return
        if offence is None or _is_let_through(frame):
            return
        place, through = _place(frame), _through(frame, offence)
        if (offence.rule, place) not in told:  # one call of a library does much
            told.add((offence.rule, place))
            text = f"{offence.what}{through} in an orchestrator{place}: {_REASONS[offence.rule]}; {offence.cure}."
            report(Finding(rule=offence.rule, text=text))

    sys.setprofile(notice)
    try:
        yield
    finally:
        if sys.getprofile() is notice:  # else user code has a profiler of its own now
            sys.setprofile(None)


def _is_let_through(frame: FrameType | None) -> bool:
    """Whether the call is not user code's: it goes through what is let through, or comes from no user code at all."""
    from_user_code = False
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module == _OBSERVER:
            return not from_user_code
        if module in _LET_THROUGH or module.startswith(_PACKAGES_LET_THROUGH):
            return True
        from_user_code = from_user_code or is_users(frame.f_code.co_filename)
        frame = frame.f_back
    return True


def _place(frame: FrameType | None) -> str:
    """The line of user code that did it."""
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return f" ({Path(frame.f_code.co_filename).name}, line {frame.f_lineno})"
        frame = frame.f_back
    return ""


def _through(frame: FrameType | None, offence: Offence) -> str:
    """The function of a library that user code has called, if that is another one."""
    called = None
    while frame is not None and not is_users(frame.f_code.co_filename):
        called = f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}()"
        frame = frame.f_back
    return f", through {called}," if called not in (None, offence.what) else ""
