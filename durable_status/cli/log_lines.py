"""How log lines look in a terminal: time and text, coloured by what they say."""

from __future__ import annotations

import logging
import os
import re
import sys

import click

_KEY = re.compile(r"(\bcode=)[^&\s\"']+")
_CHATTY = ("uvicorn", "azure", "asyncio", "aiohttp", "watchfiles")
_SAYS_IT_IN_ERRORS = "azure.identity"  # and logs the same over many lines


def set_up_logging() -> None:
    """Send every log line to stderr; with colours only to a terminal, and not when NO_COLOR is set."""
    handler = logging.StreamHandler(sys.stderr)
    has_colors = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    handler.setFormatter(_Formatter("[%(asctime)s] %(message)s", "%H:%M:%S", has_colors=has_colors))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger(_SAYS_IT_IN_ERRORS).setLevel(logging.CRITICAL)


class _Formatter(logging.Formatter):
    def __init__(self, line: str, time: str, *, has_colors: bool) -> None:
        super().__init__(line, time)
        self._has_colors = has_colors

    def format(self, record: logging.LogRecord) -> str:
        text = _KEY.sub(r"\1***", super().format(record))  # apps log management URLs, and those hold a key
        color = _color(record) if self._has_colors else None
        return click.style(text, fg=color) if color else text


def _color(record: logging.LogRecord) -> str | None:
    if record.levelno >= logging.ERROR:
        return "red"
    if record.levelno >= logging.WARNING:
        return "yellow"
    if str(record.msg).startswith("Executing "):
        return "bright_black"
    return "green" if str(record.msg).startswith("Executed ") else None
