"""What the guard sees in an orchestrator, what it lets through, and that it leaves no trace."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import ctypes
import datetime as dt
import email.utils
import glob
import io
import os
import random
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
import zoneinfo
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time as now
from typing import Any

import pytest
from pydantic import TypeAdapter

from durable_status import Progress, set_custom_status
from durable_status.testing.context import FakeOrchestrationContext
from durable_status.testing.errors import Finding, RuleBroken
from durable_status.testing.guard import watching

_HERE = Path(__file__)
_OPEN_FILE = _HERE.open()
_NOWHERE = "/nowhere/at/all"


@pytest.fixture(scope="module", autouse=True)
def _closes_its_file() -> Iterator[None]:
    yield
    _OPEN_FILE.close()


def _try(work: Callable[[], object]) -> Callable[[], object]:
    """`work`, whatever becomes of it."""

    def trying() -> None:
        with contextlib.suppress(OSError, ValueError, EOFError, RuntimeError):
            work()

    return trying


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)
    os.wait()


_CLOCKS: dict[str, Callable[[], object]] = {
    "time.time()": time.time,
    "time.time() by another name": now,
    "time.time_ns()": time.time_ns,
    "time.gmtime()": lambda: time.gmtime(),
    "time.localtime()": lambda: time.localtime(),
    "time.ctime()": lambda: time.ctime(),
    "time.asctime()": lambda: time.asctime(),
    "time.strftime()": lambda: time.strftime("%Y"),
    "time.monotonic()": lambda: time.monotonic(),
    "time.perf_counter_ns()": lambda: time.perf_counter_ns(),
    "time.process_time()": lambda: time.process_time(),
    "time.thread_time()": lambda: time.thread_time(),
    "time.clock_gettime()": lambda: time.clock_gettime(time.CLOCK_REALTIME),
    "os.times()": lambda: os.times(),
    "datetime.now()": lambda: dt.datetime.now(dt.UTC),
    "date.today()": lambda: dt.date.today(),
    "email.utils.localtime()": lambda: email.utils.formatdate(),
}
_RANDOM: dict[str, Callable[[], object]] = {
    "random.random()": lambda: random.random(),
    "random.randint()": lambda: random.randint(1, 6),
    "random.choice()": lambda: random.choice("ab"),
    "random.shuffle()": lambda: random.shuffle([1, 2]),
    "random.gauss()": lambda: random.gauss(0, 1),
    "random.Random()": lambda: random.Random(),
    "random.seed()": lambda: random.seed(),
    "random.SystemRandom()": lambda: random.SystemRandom().random(),
    "secrets": lambda: secrets.token_hex(),
    "os.urandom()": lambda: os.urandom(1),
    "uuid.uuid1()": lambda: uuid.uuid1(),
    "uuid.uuid4()": lambda: uuid.uuid4(),
}
_IO: dict[str, Callable[[], object]] = {
    "open()": _try(lambda: open(_NOWHERE)),  # noqa: PTH123, SIM115 - what is seen
    "io.open()": _try(lambda: io.open(_NOWHERE)),  # noqa: SIM115, UP020
    "os.open()": _try(lambda: os.open(_NOWHERE, os.O_RDONLY)),
    "os.read()": _try(lambda: os.read(9999, 1)),
    "os.stat()": _try(lambda: os.stat(_NOWHERE)),  # noqa: PTH116
    "os.path.exists()": lambda: os.path.exists(_NOWHERE),  # noqa: PTH110
    "os.listdir()": _try(lambda: os.listdir(_NOWHERE)),  # noqa: PTH208
    "os.scandir()": _try(lambda: os.scandir(_NOWHERE)),
    "os.mkdir()": _try(lambda: os.mkdir(_NOWHERE)),  # noqa: PTH102
    "os.remove()": _try(lambda: os.remove(_NOWHERE)),  # noqa: PTH107
    "os.getcwd()": lambda: os.getcwd(),  # noqa: PTH109
    "os.getpid()": lambda: os.getpid(),
    "os.system()": lambda: os.system("true"),
    "os.popen()": lambda: os.popen("true").close(),
    "os.fork()": _fork,
    "os.environ": lambda: os.environ.get("HOME"),
    "os.environ[]": lambda: os.environ["PATH"],
    "in os.environ": lambda: "HOME" in os.environ,
    "dict(os.environ)": lambda: dict(os.environ),
    "os.getenv()": lambda: os.getenv("HOME"),
    "Path.read_text()": lambda: _HERE.read_text(),
    "Path.exists()": lambda: _HERE.exists(),
    "Path.cwd()": lambda: Path.cwd(),
    "Path.iterdir()": lambda: list(_HERE.parent.iterdir()),
    "a file that was open before": lambda: _OPEN_FILE.readline(),
    "shutil.copy()": _try(lambda: shutil.copy(_NOWHERE, _NOWHERE)),
    "tempfile": lambda: tempfile.TemporaryFile().close(),
    "glob.glob()": lambda: glob.glob("*"),  # noqa: PTH207
    "subprocess.run()": lambda: subprocess.run(["true"], check=True),
    "subprocess.Popen()": lambda: subprocess.Popen(["true"]).wait(),
    "socket.connect()": _try(lambda: socket.create_connection(("127.0.0.1", 1), timeout=0.1)),
    "socket.gethostname()": lambda: socket.gethostname(),
    "socket.getaddrinfo()": _try(lambda: socket.getaddrinfo("localhost", 1)),
    "urllib": _try(lambda: urllib.request.urlopen("http://127.0.0.1:1/", timeout=0.1)),
    "sqlite3": lambda: sqlite3.connect(":memory:").close(),
    "threading": lambda: threading.Thread(target=int).start(),
    "a pool": lambda: concurrent.futures.ThreadPoolExecutor(1).submit(int).result(),
    "asyncio.run()": lambda: asyncio.run(asyncio.sleep(0)),
    "input()": _try(lambda: input()),
    "time.sleep()": lambda: time.sleep(0),
}
_LET_THROUGH: dict[str, Callable[[Any], object]] = {
    "a time of the context": lambda context: time.gmtime(context.current_utc_datetime.timestamp()),
    "a date that is written": lambda context: time.strftime("%Y", context.current_utc_datetime.timetuple()),
    "a date that is read": lambda _: dt.datetime.strptime("2026-01-02", "%Y-%m-%d"),
    "a date's own text": lambda context: context.current_utc_datetime.strftime("%H:%M"),
    "a time zone": lambda context: context.current_utc_datetime.astimezone(zoneinfo.ZoneInfo("Europe/Berlin")),
    "a seeded generator": lambda _: random.Random(7).randint(1, 6),
    "an id of the context": lambda context: context.new_uuid(),
    "an id of a name": lambda _: uuid.uuid5(uuid.NAMESPACE_URL, "a"),
    "a text in memory": lambda _: io.StringIO("a").read(),
    "a path that is put together": lambda _: Path("a") / "b",
    "a line on the terminal": lambda _: print("here"),
    "a typed value": lambda _: TypeAdapter(dict[str, list[int]]).validate_python({"a": [1]}),
    "a typed status": lambda context: set_custom_status(
        context, Progress.begin(context.current_utc_datetime, "packing", total=2)
    ),
}


def _findings(work: Callable[[Any], object]) -> list[Finding]:
    """What the harness says of an orchestrator that does `work`."""

    def orchestrator(context: Any) -> Any:
        work(context)
        yield context.call_activity("Echo")

    try:
        FakeOrchestrationContext(orchestrator)
    except RuleBroken as broken:
        return list(broken.findings)
    return []


@pytest.mark.parametrize(
    ("rule", "work"),
    [
        *(pytest.param("clock", work, id=name) for name, work in _CLOCKS.items()),
        *(pytest.param("random", work, id=name) for name, work in _RANDOM.items()),
        *(pytest.param("io", work, id=name) for name, work in _IO.items()),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of forks in a process with threads
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_a_replay_does_not_repeat_is_seen(rule: str, work: Callable[[], object]) -> None:
    found = [finding for finding in _findings(lambda _: work()) if finding.rule != "repeatable"]

    assert rule in {finding.rule for finding in found}
    text = next(finding.text for finding in found if finding.rule == rule)
    assert " in an orchestrator (test_guard.py, line " in text


@pytest.mark.parametrize("work", [pytest.param(work, id=name) for name, work in _LET_THROUGH.items()])
def test_what_is_the_same_in_every_replay_is_let_through(work: Callable[[Any], object]) -> None:
    assert _findings(work) == []


def test_what_a_library_does_is_told_once_with_the_function_that_was_called() -> None:
    (finding,) = _findings(lambda _: subprocess.run(["true"], check=True))

    assert ", through subprocess.run(), in an orchestrator (test_guard.py, line " in finding.text
    assert "do it in an activity" in finding.text


def test_a_module_of_the_users_is_not_let_through_for_its_name() -> None:
    code: dict[str, Any] = {"__name__": "logging_of_mine", "time": time}
    exec(compile("def look():\n    return time.time()", str(_HERE.with_name("logging_of_mine.py")), "exec"), code)

    assert [finding.rule for finding in _findings(lambda _: code["look"]())] == ["clock"]


@pytest.mark.parametrize("error", [None, ValueError("over"), SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_afterwards_everything_is_itself_again(error: BaseException | None) -> None:
    before = (time.time, time.sleep, os.open, os.environ, random.random, socket.socket, open, sys.getprofile())

    with contextlib.suppress(BaseException), watching(lambda _: None):
        assert sys.getprofile() is not None
        with watching(lambda _: None):
            time.time()
        assert sys.getprofile() is not None
        if error:
            raise error

    assert (time.time, time.sleep, os.open, os.environ, random.random, socket.socket, open, sys.getprofile()) == before


def test_each_thread_is_watched_by_itself() -> None:
    found: dict[str, list[str]] = {}
    both = threading.Barrier(2)

    def look(rule: str, function: Callable[[], object]) -> None:
        def work(_context: Any) -> None:
            both.wait()
            function()
            both.wait()

        found[rule] = [finding.rule for finding in _findings(work)]
        assert sys.getprofile() is None

    threads = [
        threading.Thread(target=look, args=("clock", lambda: time.time())),
        threading.Thread(target=look, args=("io", lambda: os.getpid())),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == {"clock": ["clock"], "io": ["io"]}


def test_a_profiler_that_user_code_starts_goes_on() -> None:
    def mine(*_: Any) -> None:
        """Looks at nothing."""

    try:
        with watching(lambda _: None):
            sys.setprofile(mine)
        assert sys.getprofile() is mine
    finally:
        sys.setprofile(None)


def test_a_profiler_that_is_at_work_keeps_the_watch_away() -> None:
    def mine(*_: Any) -> None:
        """Looks at nothing."""

    sys.setprofile(mine)
    try:
        with watching(lambda _: None):
            assert sys.getprofile() is mine
    finally:
        sys.setprofile(None)


def test_what_a_c_library_does_by_itself_is_not_seen() -> None:
    clock = ctypes.CDLL(None).time

    assert [finding for finding in _findings(lambda _: clock(None)) if finding.rule == "clock"] == []
