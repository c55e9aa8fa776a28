"""What a replay does not repeat, by function: clocks, random numbers, I/O of every kind, the environment.

`offence_of` looks at a built-in function that is called, `offence_in` at a Python function that begins. Of modules that
do nothing else, all functions count but for those that are listed as harmless.
"""

from __future__ import annotations

import datetime
import dis
import io
import os
import random
import sys
import time
import uuid
from dataclasses import dataclass
from types import BuiltinFunctionType, CodeType, FrameType
from typing import Any

_CURE_CLOCK = "use context.current_utc_datetime"
_CURE_RANDOM = "draw it in an activity"
_CURE_ID = "use context.new_uuid()"
_CURE_IO = "do it in an activity"
_CURE_ENVIRONMENT = "read it in an activity"


@dataclass(frozen=True, slots=True)
class Offence:
    """What was called, the rule that it breaks, and the cure."""

    rule: str
    what: str
    cure: str


_CLOCKS = frozenset(
    {
        "time",
        "monotonic",
        "perf_counter",
        "process_time",
        "thread_time",
        "clock_gettime",
        *("time_ns", "monotonic_ns", "perf_counter_ns", "process_time_ns", "thread_time_ns", "clock_gettime_ns"),
        "localtime",  # also with a time of one's own: the machine's zone is in it
        "ctime",
    }
)
_CLOCKS_WITHOUT_A_TIME = {"gmtime": 0, "asctime": 0, "strftime": 1}
"""With so many arguments they look at the clock, with more they do not."""
_DATES = frozenset({"now", "utcnow", "today"})

_GLOBAL_RANDOM = getattr(random, "_inst", None)  # the one behind random.random(); a seeded one of one's own is fine
_DRAWS = frozenset({"random", "getrandbits"})

_OS: Any = sys.modules.get("posix") or sys.modules.get("nt")
_HARMLESS_OF_OS = frozenset(
    {
        "fspath",
        "strerror",
        "register_at_fork",
        *("major", "minor", "makedev", "device_encoding"),
        *("WCOREDUMP", "WIFCONTINUED", "WIFSTOPPED", "WIFSIGNALED", "WIFEXITED", "WEXITSTATUS", "WTERMSIG", "WSTOPSIG"),
        *("_path_splitroot", "_path_normpath", "_path_splitroot_ex", "_supports_virtual_terminal"),
    }
)
_OF_OS = {
    "urandom": Offence("random", "os.urandom()", _CURE_RANDOM),
    "getrandom": Offence("random", "os.getrandom()", _CURE_RANDOM),
    "times": Offence("clock", "os.times()", _CURE_CLOCK),
}
_BUILTINS: dict[Any, Offence] = {
    function: _OF_OS.get(name, Offence("io", f"os.{name}()", _CURE_IO))
    for name, function in vars(_OS).items()
    if isinstance(function, BuiltinFunctionType) and name not in _HARMLESS_OF_OS
} | {
    time.sleep: Offence("io", "time.sleep()", "yield context.create_timer(...)"),
    io.open: Offence("io", "open()", _CURE_IO),
    io.open_code: Offence("io", "io.open_code()", _CURE_IO),
    input: Offence("io", "input()", _CURE_IO),
}

_BY_NAME = {
    "fork_exec": Offence("io", "a subprocess", _CURE_IO),
    "CreateProcess": Offence("io", "a subprocess", _CURE_IO),
    "start_new_thread": Offence("io", "a thread", _CURE_IO),
    "start_joinable_thread": Offence("io", "a thread", _CURE_IO),
}
_SOCKET_CALLS = frozenset(
    {
        *("connect", "connect_ex", "bind", "listen", "accept", "_accept", "shutdown", "socketpair"),
        *("send", "sendall", "sendto", "sendmsg", "recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg"),
        *("getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "gethostname"),
    }
)
_READS = frozenset({"read", "read1", "readall", "readinto", "readinto1", "readline", "readlines"})
_IN_MEMORY = (io.StringIO, io.BytesIO)
_OTHERS = {("_sqlite3", "connect"): "sqlite3.connect()", ("select", "select"): "select.select()"}

_SUSPECTS = frozenset(
    {
        *_CLOCKS,
        *_CLOCKS_WITHOUT_A_TIME,
        *_DATES,
        *_DRAWS,
        *_SOCKET_CALLS,
        *_READS,
        *_BY_NAME,
        *(name for _, name in _OTHERS),
        *(function.__name__ for function in _BUILTINS),
    }
)

_ENVIRONMENT = Offence("io", "os.environ", _CURE_ENVIRONMENT)
_NEW_IDS = ("uuid1", "uuid4", "uuid6", "uuid7")
_PYTHON_FUNCTIONS: dict[CodeType, Offence] = {
    getattr(uuid, name).__code__: Offence("random", f"uuid.{name}()", _CURE_ID)
    for name in _NEW_IDS
    if hasattr(uuid, name)
} | {
    function.__code__: _ENVIRONMENT
    for name, function in vars(type(os.environ)).items()
    if name in ("__getitem__", "__setitem__", "__delitem__", "__iter__", "__len__", "copy", "setdefault")
}
_SEED = random.Random.seed.__code__
_UNSEEDED = Offence("random", "random.Random() without a seed", "give it a seed, or draw it in an activity")


def offence_of(called: Any, caller: FrameType) -> Offence | None:
    """What is wrong with the call of a built-in function by `caller`, if anything."""
    name = called.__name__
    if name not in _SUSPECTS:
        return None
    owner = getattr(called, "__self__", None)
    if owner is time:
        return _offence_of_time(name, caller)
    if isinstance(owner, type) and name in _DATES and issubclass(owner, datetime.date):
        return Offence("clock", f"{owner.__name__}.{name}()", _CURE_CLOCK)
    if owner is _GLOBAL_RANDOM and name in _DRAWS:
        return Offence("random", "the random module", _CURE_RANDOM)
    if name in _SOCKET_CALLS and "socket" in f"{type(owner).__module__} {getattr(owner, '__name__', '')}":
        return Offence("io", f"socket.{name}()", _CURE_IO)
    if name in _READS and isinstance(owner, io.IOBase):
        return None if isinstance(owner, _IN_MEMORY) else Offence("io", f"{name}() of a file", _CURE_IO)
    if (other := _OTHERS.get((str(getattr(called, "__module__", "")), name))) is not None:
        return Offence("io", other, _CURE_IO)
    if name in _BY_NAME:
        return _BY_NAME[name]
    try:
        return _BUILTINS.get(called)
    except TypeError:  # a method of an unhashable object
        return None


def offence_in(frame: FrameType) -> Offence | None:
    """What is wrong with the Python function that begins in `frame`, if anything."""
    if frame.f_code is _SEED:
        return _UNSEEDED if frame.f_locals.get("a") is None else None
    return _PYTHON_FUNCTIONS.get(frame.f_code)


def _offence_of_time(name: str, caller: FrameType) -> Offence | None:
    if name in _CLOCKS:
        return Offence("clock", f"time.{name}()", _CURE_CLOCK)
    if name in _CLOCKS_WITHOUT_A_TIME:
        looks = _number_of_arguments(caller) == _CLOCKS_WITHOUT_A_TIME[name]
        return Offence("clock", f"time.{name}()", _CURE_CLOCK) if looks else None
    return _BUILTINS.get(getattr(time, name))


def _number_of_arguments(caller: FrameType) -> int | None:
    """With how many arguments a frame calls what it is about to call; None where the bytecode does not say."""
    code, at = caller.f_code.co_code, caller.f_lasti
    return code[at + 1] if dis.opname[code[at]] == "CALL" else None
