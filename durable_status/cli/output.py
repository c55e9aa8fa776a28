"""What the command writes, and the one place where text from outside loses what a terminal or a log would obey.

Ids, names, statuses, error texts: they come from users, apps and servers, and go to lines of ours. Nothing in them may
move the cursor, set a title, turn the direction of writing, or begin a line that looks like one of ours. So every line
that is printed or logged, and every cell of a table, goes through `one_line` (of `harmless_text`) or
`lines_of`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

import click

from durable_status.harmless_text import one_line

_TAB_WIDTH = 4


def lines_of(text: str) -> list[str]:
    """The lines of a text that may have several, such as a traceback, each harmless by itself."""
    return [one_line(line) for line in text.replace("\r\n", "\n").expandtabs(_TAB_WIDTH).split("\n")]


def echo(text: object, *, err: bool = False, label: str = "", color: str | None = None) -> None:
    """Print a line to stdout or stderr, after a label of ours that may have a colour."""
    stream = sys.stderr if err else sys.stdout
    colored = color is not None and has_colors(stream)
    click.echo(f"{click.style(label, fg=color) if colored else label}{one_line(str(text))}", err=err, color=colored)


def echo_lines(text: object) -> None:
    """Print a text that may have lines to stdout; none but the first begins where a line of ours begins."""
    first, *more = lines_of(str(text))
    for line in (first, *(line if line.startswith("  ") else f"  {line}" for line in more)):
        echo(line)


def echo_json(value: Any, *, indent: int | None = None) -> None:
    """Print JSON."""
    click.echo(json_text(value, indent=indent))


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON in which only what can be printed stands for itself: it steers no terminal, and every file can hold it."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def has_colors(stream: TextIO) -> bool:
    """Whether to write colours: to a terminal, unless NO_COLOR is set; anywhere with FORCE_COLOR."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def is_for_people() -> bool:
    """Whether somebody sits before what is printed; programs get JSON."""
    return sys.stdout.isatty()


def take_any_character() -> None:
    """Let stdout write what its encoding lacks as an escape, as stderr always does; and let there be a stdout."""
    if sys.stdout is None:  # it was closed before Python began
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115, as long as the process
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
