"""Runs the `durable-status` command as a process of its own, the way a user does."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.hosts import Address, RunningHost
from tests.paths import ROOT

_PATIENCE_SECONDS = 180.0
_COMMAND = (sys.executable, "-m", "durable_status")
_ANY_PORTS = ("--port", "0", "--rpc-port", "0")
_LAST_LINE = "Ctrl-C stops the host."
_URL = re.compile(r"curl .*?(http://localhost:\d+)/runtime/webhooks/durabletask/instances")


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def error_lines(self) -> list[str]:
        """What it wrote to stderr, by lines."""
        return self.stderr.splitlines()


def run_command(*arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> Outcome:
    """Run `durable-status` with `arguments` to its end."""
    done = subprocess.run(
        [*_COMMAND, *arguments],
        cwd=cwd,
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def refusal_to_start(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """The one line with which `durable-status start` refuses."""
    outcome = run_command("start", "--app", str(folder), *_ANY_PORTS, *arguments, environment=environment)
    assert outcome.code == 1, (outcome.code, outcome.stderr)
    assert outcome.stdout == ""
    (line,) = outcome.error_lines
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")


@dataclass(frozen=True)
class HostProcess(RunningHost):
    """A running `durable-status start`, to be talked to like a host in this process."""

    process: Process
    banner: Sequence[str]
    stderr_path: Path

    @property
    def stderr(self) -> str:
        """What it has written to stderr so far."""
        return self.stderr_path.read_text()

    async def until_line(self, wanted: str) -> None:
        """Read what it writes to stdout until it is `wanted`, which may have come before the banner was complete."""

        async def read() -> None:
            assert self.process.stdout is not None
            async for line in self.process.stdout:
                if line.decode().rstrip("\n") == wanted:
                    return
            raise AssertionError(f"the host ended without the line {wanted!r}")

        if wanted not in self.banner:
            await asyncio.wait_for(read(), _PATIENCE_SECONDS)

    async def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        await self.process.wait()

    async def stop(self, number: int = signal.SIGINT) -> int:
        """End it with a signal; returns the exit code."""
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), _PATIENCE_SECONDS)


@asynccontextmanager
async def host_process(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[HostProcess]:
    """Run `durable-status start` on free ports while the context lasts."""
    with tempfile.NamedTemporaryFile(suffix=".stderr") as errors:
        process = await asyncio.create_subprocess_exec(
            *_COMMAND,
            *("start", "--app", str(folder), *_ANY_PORTS, *arguments),
            env=_environment(environment),
            stdout=PIPE,
            stderr=errors,
        )
        try:
            banner = await asyncio.wait_for(_banner(process), _PATIENCE_SECONDS)
            assert banner[-1:] == [_LAST_LINE], Path(errors.name).read_text()
            async with aiohttp.ClientSession() as session:
                address = Address(next(found[1] for line in banner if (found := _URL.search(line))))
                yield HostProcess(address, session, process, banner, Path(errors.name))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def _banner(process: Process) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    async for line in process.stdout:
        lines.append(line.decode().rstrip("\n"))
        if lines[-1] == _LAST_LINE:
            break
    return lines


def _environment(changes: Mapping[str, str] | None) -> dict[str, str]:
    """The environment without what the app's own settings would lose against."""
    kept = {name: value for name, value in os.environ.items() if name not in ("HELLO_SECONDS", "TASKHUB_NAME")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | dict(changes or {})
