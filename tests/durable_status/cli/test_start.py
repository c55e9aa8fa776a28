"""The command as a process: what it prints, how it loads an app again, how it stops."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue

import pytest

from tests.paths import APPS, ROOT

_PATIENCE_SECONDS = 60.0
_APP = """
import azure.durable_functions as df
import azure.functions as func
app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.route(route="version")
def version(req: func.HttpRequest) -> str:
    return "{version}"

@app.orchestration_trigger(context_name="context")
def wait(context):
    return (yield context.wait_for_external_event("go"))
"""


class _Process:
    """A running `durable-status start`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: Queue[str] = Queue()
        self.seen: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()
        self.base_url = ""

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put("(the host has ended)")

    def until_line(self, pattern: str) -> str:
        """Read lines until one matches."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self.seen.append(self._lines.get(timeout=max(0.0, deadline - time.monotonic())))
            except Empty:
                raise AssertionError(f"no line matched {pattern!r} in\n" + "\n".join(self.seen)) from None
            if re.search(pattern, self.seen[-1]):
                return self.seen[-1]
            assert self.seen[-1] != "(the host has ended)", "\n".join(self.seen)

    def until_served(self) -> None:
        """Read lines until the host serves."""
        curl = self.until_line(r"curl http://\S+/instances$")
        self.base_url = curl.split()[1].removesuffix("/runtime/webhooks/durabletask/instances")
        self.until_line("Ctrl-C stops the host")

    def get(self, path: str, method: str = "GET") -> str:
        """The body of an answer; asks again while the host restarts."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                with urllib.request.urlopen(urllib.request.Request(f"{self.base_url}{path}", method=method)) as answer:
                    return str(answer.read().decode())
            except urllib.error.HTTPError:
                raise
            except (urllib.error.URLError, ConnectionError):
                assert time.monotonic() < deadline


@contextmanager
def started(folder: Path, *options: str, until: str | None = None, **settings: str) -> Iterator[_Process]:
    """A host that serves, or has come so far that it prints a line that matches `until`."""
    command = [sys.executable, "-W", "ignore", "-m", "durable_status", "start", "--app", str(folder)]
    with subprocess.Popen(
        [*command, "--port", "0", "--rpc-port", "0", *options],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        running = _Process(process)
        try:
            if until is None:
                running.until_served()
            else:
                running.until_line(until)
            yield running
        finally:
            process.kill()


def write_app(folder: Path, version: str = "one") -> None:
    """An app that tells its version and has an orchestrator `wait`."""
    _write(folder, _APP.format(version=version))


def _write(folder: Path, code: str) -> None:
    (folder / "host.json").write_text('{"version": "2.0"}')
    (folder / "function_app.py").write_text(code)


def test_the_banner_lists_what_runs_and_what_does_not() -> None:
    with started(APPS / "function_json", "--storage", "memory", TASKHUB_NAME="TestHub") as host:
        text = "\n".join(host.seen)

    assert "Start: [POST,GET] http://localhost" in text
    assert "orchestrators: Chain" in text
    assert "Tick: timer 0 0 5 * * *" in text
    assert "Function 'Broken' fails in every call" in text
    assert "\x1b[" not in text


@pytest.mark.conforms("H5-44")
def test_a_strict_host_goes_on_with_the_version_before_one_that_the_platform_would_load_nothing_of(
    tmp_path: Path,
) -> None:
    write_app(tmp_path, "first")
    lost = _APP.format(version="lost") + '\n@app.activity_trigger(input_name="x")\ndef bad(x: list[int]): ...\n'
    with started(tmp_path, "--reload", "--strict", "--storage", "memory") as host:
        (tmp_path / "function_app.py").write_text(lost)
        host.until_line(r"^Not loaded: Function 'bad' cannot be loaded .*this app has no function at all.* goes on")

        assert host.get("/api/version") == "first"


@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_a_changed_file_is_live_and_instances_stay(tmp_path: Path, storage: str) -> None:
    _write(tmp_path, _APP.format(version="first"))
    with started(tmp_path, "--reload", "--storage", storage) as host:
        assert host.get("/api/version") == "first"
        host.get("/runtime/webhooks/durabletask/orchestrators/wait/kept", "POST")

        (tmp_path / "function_app.py").write_text("def (")
        host.until_line(r"^Not loaded: .*SyntaxError.*function_app.py, line 1")
        assert host.get("/api/version") == "first"
        (tmp_path / "function_app.py").write_text(_APP.format(version="third"))
        host.until_line("Ctrl-C stops the host")

        assert host.get("/api/version") == "third"
        (kept,) = json.loads(host.get("/runtime/webhooks/durabletask/instances"))
        assert kept["instanceId"] == "kept"
        host.get("/runtime/webhooks/durabletask/instances/kept/terminate?reason=enough", "POST")
        host.until_line("Instance 'kept' of wait: Terminated")


@pytest.mark.parametrize("options", [(), ("--reload",)])
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_the_host_cleanly(tmp_path: Path, options: tuple[str, ...]) -> None:
    _write(tmp_path, _APP.format(version="only"))
    with started(tmp_path, "--storage", "memory", *options) as host:
        host.process.send_signal(signal.SIGINT)
        host.until_line("^Stopping.$")

        assert host.process.wait(_PATIENCE_SECONDS) == 0
        assert not [line for line in host.seen if "Traceback" in line]


_BROKEN = """
import logging

@app.route(route="broken")
def broken(req: func.HttpRequest) -> str:
    logging.debug("a detail")
    logging.warning("packed\\n[12:00:00] ERROR   forged\\x1b[2J")
    raise ValueError("bad\\n[12:00:00] ERROR   forged")
"""


def _call_broken(host: _Process) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        host.get("/api/broken")
    error.value.close()


def test_quiet_prints_where_the_app_is_and_logs_what_is_wrong(tmp_path: Path) -> None:
    _write(tmp_path, _APP.format(version="only") + _BROKEN)
    with started(tmp_path, "--quiet", "--storage", "memory", until="is at http://localhost") as host:
        host.base_url = host.seen[-1].rpartition(" ")[2]
        assert host.get("/api/version") == "only"
        _call_broken(host)
        host.until_line("Traceback")

    assert host.seen[0] == f"{tmp_path} is at {host.base_url}"
    assert not any("INFO" in line for line in host.seen)
    (warning,) = [line for line in host.seen if "WARNING" in line]
    assert warning.endswith("packed")


@pytest.mark.parametrize(("level", "known"), [("debug", {"DEBUG", "INFO", "WARNING", "ERROR"}), ("ERROR", {"ERROR"})])
def test_no_log_line_is_below_the_level_and_none_is_forged(tmp_path: Path, level: str, known: set[str]) -> None:
    _write(tmp_path, _APP.format(version="only") + _BROKEN)
    with started(tmp_path, "--log-level", level, "--storage", "memory") as host:
        _call_broken(host)
        host.until_line("ERROR +Function 'broken' failed: ValueError: bad")
        host.until_line(r"^ +\| +raise ValueError")
        host.process.send_signal(signal.SIGINT)
        host.until_line("^Stopping.$")

    log = [found for line in host.seen if (found := re.match(r"\[[\d:]+\] ([A-Z]+) +(.*)", line))]
    assert {found[1] for found in log} == known
    assert not any(found[2].startswith("forged") for found in log)
    assert "\x1b" not in "".join(host.seen)


def test_a_name_in_the_settings_breaks_no_line_of_the_banner(tmp_path: Path) -> None:
    _write(tmp_path, _APP.format(version="only"))
    odd = {"version": "2.0", "extensions": {"durableTask": {"storageProvider": {"x\n  forged\x1b[2J": 1}}}}
    (tmp_path / "host.json").write_text(json.dumps(odd))

    for options in ((), ("--quiet",)):
        with started(tmp_path, "--storage", "memory", *options, until="has no effect") as host:
            assert "storageProvider has no member x\\n  forged\\u001b[2J, so" in host.seen[-1]


def test_an_app_that_cannot_start_says_so_in_one_line(tmp_path: Path) -> None:
    _write(tmp_path, _APP.format(version="x"))
    (tmp_path / "host.json").write_text(
        '{"version": "2.0", "extensions": {"durableTask": {"extendedSessionsEnabled": true}}}'
    )
    command = [sys.executable, "-m", "durable_status", "start", "--app", str(tmp_path), "--port", "0"]

    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.startswith("Error: host.json: extendedSessionsEnabled is not available to Python apps")
    assert len(done.stderr.splitlines()) == 1
