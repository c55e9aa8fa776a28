"""JSON on the command line: as it is, ``@FILE``, or ``-`` for what is typed or piped in."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

HOW_TO_GIVE_JSON = "JSON, @FILE for what is in a file, or - for what is piped in"


def read_json_argument(text: str | None, what: str) -> Any:
    """Read a value; None without one.

    Raises:
        click.BadParameter: it is no JSON, or there is no such file.
    """
    if text is None:
        return None
    if text == "-":
        return _parsed(_read_stdin(what), f"{what} that was piped in")
    if text.startswith("@"):
        path = Path(text[1:])
        return _parsed(_read_file(path, what), f"{what} in {path}")
    return _parsed(text, what, " A text needs its quotes, as in '\"Tokyo\"'; a file has @ before its name.")


def _read_stdin(what: str) -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{what} that was piped in is not UTF-8.") from error


def _read_file(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise click.BadParameter(f"{what} cannot be read from {path}: {error.strerror or error}.") from error
    except ValueError as error:  # not UTF-8, or a NUL in the name
        raise click.BadParameter(f"{what} in {path} is not UTF-8.") from error


def _parsed(text: str, what: str, cure: str = "") -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = str(error).rstrip(".") if isinstance(error, ValueError) else "it is nested too deep"
        raise click.BadParameter(f"{what} is not JSON: {reason}.{cure}") from error
