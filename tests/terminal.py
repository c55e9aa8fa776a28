"""Runs the `durable-status` command on a pseudo-terminal, and tells what is on the screen of one who sits before it."""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import pytest

from tests.paths import ROOT

pty = pytest.importorskip("pty", reason="a pseudo-terminal takes a POSIX system")
fcntl = pytest.importorskip("fcntl")
termios = pytest.importorskip("termios")

_PATIENCE_SECONDS = 120
_CHOSEN = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")


class Terminal:
    """A command, and the terminal it writes to."""

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int, screen: pyte.Screen) -> None:
        self.process = process
        self.raw = ""
        """All that was written."""
        self._descriptor = descriptor
        self._deadline = time.monotonic() + _PATIENCE_SECONDS
        self._screen = screen
        self._stream = pyte.ByteStream(screen)

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without the empty lines at its end."""
        lines = [self._line(number) for number in range(self._screen.lines)]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def shows_cursor(self) -> bool:
        """Whether one sees where one types."""
        return not self._screen.cursor.hidden

    def _line(self, number: int) -> str:
        cells = self._screen.buffer[number]
        return "".join(cells[column].data for column in range(self._screen.columns)).rstrip()

    def until(self, *texts: str) -> None:
        """Read until all these texts are on the screen at once."""
        while not all(any(text in line for line in self.lines) for text in texts):
            assert self._read(), "\n".join([f"{texts} was not shown; the screen:", *self.lines])

    def ended(self) -> int:
        """Read to the end, and return the exit code."""
        while self._read():
            pass
        return self.process.wait(_PATIENCE_SECONDS)

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.ended()

    def _read(self) -> bool:
        """Read what comes next; false at the end, and when it takes longer than any machine needs."""
        left = self._deadline - time.monotonic()
        if left <= 0 or not select.select([self._descriptor], [], [], left)[0]:
            return False
        try:
            written = os.read(self._descriptor, 65_536)
        except OSError:  # what Linux says at the end of a terminal
            return False
        self.raw += written.decode(errors="replace")
        self._stream.feed(written)
        return bool(written)


@contextmanager
def on_terminal(
    *arguments: str, columns: int = 80, lines: int = 24, url: str = "", cwd: Path | None = None, **settings: str
) -> Iterator[Terminal]:
    """Run `durable-status` on a terminal of this size while the context lasts."""
    descriptor, end = pty.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in _CHOSEN}
    environment = kept | {"TERM": "xterm", "PYTHONPATH": str(ROOT), "DURABLE_STATUS_URL": url} | settings
    command = [sys.executable, "-m", "durable_status", *arguments]
    with subprocess.Popen(command, stdin=end, stdout=end, stderr=end, env=environment, cwd=cwd) as process:
        os.close(end)
        try:
            yield Terminal(process, descriptor, pyte.Screen(columns, lines))
        finally:
            process.kill()
            os.close(descriptor)


def seen(*arguments: str, code: int = 0, **options: object) -> list[str]:
    """What the screen shows when the command has ended."""
    with on_terminal(*arguments, **options) as terminal:  # type: ignore[arg-type]
        assert terminal.ended() == code, terminal.lines
        assert terminal.shows_cursor
        return terminal.lines
