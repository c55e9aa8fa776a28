"""How log lines look: time, level and text, coloured by what they say; more lines of one entry are marked as such.

What an entry of ours names, such as an id or an error, stays in its line. A ``%s`` that is a line of the message by
itself, such as a traceback, keeps its lines. So does what an app logs. Those lines begin with a mark: none looks like
the beginning of an entry.
"""

from __future__ import annotations

import logging
import re
import sys

import click

from durable_status.cli.output import has_colors, lines_of
from durable_status.harmless_text import masked, one_line

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_MORE = "           | "  # as wide as the time
_TIME = "%H:%M:%S"
_OURS = "durable_status."
_CONVERSION = re.compile(r"%[-#0 +]*\d*(?:\.\d+)?([a-zA-Z%])")
_CHATTY = ("uvicorn", "azure", "asyncio", "aiohttp", "watchfiles")
_SAYS_IT_IN_ERRORS = "azure.identity"  # and logs the same over many lines


def set_up_logging(level: int = logging.INFO) -> None:
    """Send every log line of this level and above to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(colored=has_colors(sys.stderr)))
    logging.basicConfig(handlers=[handler], level=level)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
    logging.getLogger(_SAYS_IT_IN_ERRORS).setLevel(logging.CRITICAL)


class _Formatter(logging.Formatter):
    def __init__(self, *, colored: bool) -> None:
        super().__init__(datefmt=_TIME)
        self._colored = colored

    def format(self, record: logging.LogRecord) -> str:
        parts = [_message(record)]
        if record.exc_info:
            parts.append(self.formatException(record.exc_info))
        if record.stack_info:
            parts.append(record.stack_info)
        first, *more = lines_of("\n".join(part.rstrip("\n") for part in parts))
        begin = f"[{self.formatTime(record, self.datefmt)}] {record.levelname:<7} {first}"
        text = "\n".join([begin, *(f"{_MORE}{line}" for line in more)])
        text = masked(text)  # apps log management URLs, and those hold a key
        color = _color(record) if self._colored else None
        return click.style(text, fg=color) if color else text


def _message(record: logging.LogRecord) -> str:
    """The message; in one of ours each argument is in one line, unless it is lines by itself."""
    if not record.name.startswith(_OURS) or not isinstance(record.args, tuple):
        return record.getMessage()
    template = str(record.msg)
    found = [conversion for conversion in _CONVERSION.finditer(template) if conversion[1] != "%"]
    return template % tuple(
        one_line(str(argument)) if conversion[1] == "s" and not _is_line(conversion, template) else argument
        for conversion, argument in zip(found, record.args, strict=True)
    )


def _is_line(conversion: re.Match[str], template: str) -> bool:
    begin, end = conversion.span()
    return template[:begin][-1:] in ("", "\n") and template[end:][:1] in ("", "\n")


def _color(record: logging.LogRecord) -> str | None:
    if record.levelno >= logging.ERROR:
        return "red"
    if record.levelno >= logging.WARNING:
        return "yellow"
    if str(record.msg).startswith("Executing "):
        return "bright_black"
    return "green" if str(record.msg).startswith("Executed ") else None
