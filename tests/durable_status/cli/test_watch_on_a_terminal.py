"""`durable-status watch` as a process on a pseudo-terminal: bars, and Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.hosts import TRANSCRIPTS, running_host

pty = pytest.importorskip("pty", reason="a pseudo-terminal takes a POSIX system")


@dataclass
class Watching:
    """The command, and the terminal it writes to."""

    process: subprocess.Popen[bytes]
    terminal: int
    seen: str = ""

    def until(self, text: str) -> None:
        """Read until the terminal has shown `text`."""
        while text not in self.seen:
            self.seen += os.read(self.terminal, 4096).decode(errors="replace")


@contextmanager
def _watching(url: str, *instance_ids: str) -> Iterator[Watching]:
    terminal, end = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120", "DURABLE_STATUS_URL": url, "NO_COLOR": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "durable_status", "watch", *instance_ids],
        stdin=end,
        stdout=end,
        stderr=end,
        env=environment,
    ) as process:
        os.close(end)
        try:
            yield Watching(process, terminal)
        finally:
            process.kill()
            os.close(terminal)


def test_each_instance_has_a_bar_and_ctrl_c_ends_with_130() -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS) as host:
            await host.start("StatusThenWait", "order-7", {"stage": "packing", "done": 1, "total": 3})
            await host.start("WaitGo", "order-8")
            with _watching(host.host.base_url, "order-7", "order-8") as watching:
                for shown in ("order-7", "1/3 Running packing", "order-8"):
                    await asyncio.to_thread(watching.until, shown)
                assert "━" in watching.seen
                assert "runtimeStatus" not in watching.seen
                watching.process.send_signal(signal.SIGINT)

                assert await asyncio.to_thread(watching.process.wait, 30) == 130
                assert "Traceback" not in watching.seen

    asyncio.run(main())


def test_bars_end_with_the_instances() -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS) as host:
            await host.start("Greet", "greeting", "Ann")
            with _watching(host.host.base_url, "greeting") as watching:
                await asyncio.to_thread(watching.until, "1/1 Completed")

                assert await asyncio.to_thread(watching.process.wait, 30) == 0

    asyncio.run(main())


def test_what_would_steer_the_terminal_is_shown_and_not_done() -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS) as host:
            await host.start("StatusThenWait", "order-7", "\x1b[2J[bold]\x9b\u202e")
            with _watching(host.host.base_url, "order-7") as watching:
                await asyncio.to_thread(watching.until, "Running \\u001b[2J[bold]\\u009b\\u202e")

                assert "\x1b[2J" not in watching.seen

    asyncio.run(main())
