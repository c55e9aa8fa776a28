"""Watches user code for what replay does not repeat: clocks, random numbers, I/O.

Best effort, not a sandbox: Python reports the calls of built-in functions that user code makes, directly or through the
standard library, while the orchestrator runs. A C extension's own I/O is not seen, and nothing is prevented. Logging is
let through: it looks at the clock, but no decision depends on it.
"""

from __future__ import annotations

import datetime
import io
import os
import random
import sys
import sysconfig
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from durable_status.testing.errors import Finding

Report = Callable[[Finding], None]

_CURE_CLOCK = "use context.current_utc_datetime"
_CURE_RANDOM = "draw it in an activity"
_CURE_ID = "use context.new_uuid()"
_CURE_IO = "do it in an activity"

_LIBRARY_FOLDERS = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
# Hypothesis times every garbage collection, which can happen anywhere.
_LET_THROUGH = ("logging", "importlib", "linecache", "hypothesis", "azure.durable_functions", "durable_status.testing")
_OBSERVER = "durable_status.testing.observer"

_CLOCKS = frozenset({"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime"})
_DATES = frozenset({"now", "utcnow", "today"})
_DRAWS = frozenset({"random", "getrandbits"})
_SOCKET_CALLS = frozenset({"connect", "connect_ex", "getaddrinfo", "sendto"})
_GLOBAL_RANDOM = getattr(random, "_inst", None)  # the one behind random.random(); a seeded one of one's own is fine

_BUILTINS: dict[Any, tuple[str, str, str]] = {
    time.sleep: ("io", "time.sleep()", "yield context.create_timer(...)"),
    os.urandom: ("random", "os.urandom()", _CURE_RANDOM),
    io.open: ("io", "open()", _CURE_IO),
    os.listdir: ("io", "os.listdir()", _CURE_IO),
    os.system: ("io", "os.system()", _CURE_IO),
}
_SUSPECTS = frozenset(
    {
        "fork_exec",
        "start_new_thread",
        *_CLOCKS,
        *_DATES,
        *_DRAWS,
        *_SOCKET_CALLS,
        *(item.__name__ for item in _BUILTINS),
    }
)
_PYTHON_FUNCTIONS: dict[CodeType, tuple[str, str, str]] = {
    uuid.uuid4.__code__: ("random", "uuid.uuid4()", _CURE_ID),
    uuid.uuid1.__code__: ("random", "uuid.uuid1()", _CURE_ID),
}


@contextmanager
def watching(report: Report) -> Iterator[None]:
    """Report what user code does in this block; no watch where a profiler is at work already."""
    if sys.getprofile() is not None:
        yield
        return

    def notice(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call":
            offence = _offence(called) if called.__name__ in _SUSPECTS else None
        elif event == "call":
            offence = _PYTHON_FUNCTIONS.get(frame.f_code)
        else:
            return
        if offence is not None and not _is_let_through(frame):
            rule, what, cure = offence
            report(Finding(rule=rule, text=f"{what} in an orchestrator{_place(frame)}: {_REASONS[rule]}; {cure}."))

    sys.setprofile(notice)
    try:
        yield
    finally:
        sys.setprofile(None)


_REASONS = {
    "clock": "every replay reads another time",
    "random": "every replay gets another value",
    "io": "every replay does it again, and its outcome may differ",
}


def _offence(called: Any) -> tuple[str, str, str] | None:
    """The rule that a built-in function breaks, its name and the cure."""
    owner, name = getattr(called, "__self__", None), called.__name__
    if isinstance(owner, type) and name in _DATES and issubclass(owner, datetime.date):
        return "clock", f"{owner.__name__}.{name}()", _CURE_CLOCK
    if owner is _GLOBAL_RANDOM and name in _DRAWS:
        return "random", "the random module", _CURE_RANDOM
    if owner is time and name in _CLOCKS:
        return "clock", f"time.{name}()", _CURE_CLOCK
    if name in _SOCKET_CALLS and "socket" in f"{type(owner).__module__} {getattr(owner, '__name__', '')}":
        return "io", f"socket.{name}()", _CURE_IO
    if name == "fork_exec":
        return "io", "a subprocess", _CURE_IO
    if name == "start_new_thread":
        return "io", "a thread", _CURE_IO
    try:
        return _BUILTINS.get(called)
    except TypeError:  # a method of an unhashable object
        return None


def _is_let_through(frame: FrameType | None) -> bool:
    """Whether the call is not user code's: it goes through what is let through, or comes from no user code at all."""
    from_user_code = False
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module == _OBSERVER:
            return not from_user_code
        if module.startswith(_LET_THROUGH):
            return True
        from_user_code = from_user_code or _is_user_code(frame)
        frame = frame.f_back
    return True


def _is_user_code(frame: FrameType) -> bool:
    return not frame.f_code.co_filename.startswith(("<", *_LIBRARY_FOLDERS))


def _place(frame: FrameType | None) -> str:
    """The line of user code that did it."""
    while frame is not None:
        if _is_user_code(frame):
            return f" ({Path(frame.f_code.co_filename).name}, line {frame.f_lineno})"
        frame = frame.f_back
    return ""
