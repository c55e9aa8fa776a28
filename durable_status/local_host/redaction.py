"""Keeps management keys out of log lines: whoever reads one could purge the task hub with it."""

from __future__ import annotations

import logging
import re

_KEY = re.compile(r"(code=|x-functions-key['\"]?\s*[:=]\s*['\"]?)[^&\s'\"<>)]+", re.IGNORECASE)
_FORMATTER = logging.Formatter()


def redact_keys(record: logging.LogRecord) -> bool:
    """A logging filter, for handlers: replaces the keys in message and traceback by ``***``, and lets the line pass."""
    record.msg, record.args = _without_keys(record.getMessage()), ()
    if record.exc_info:
        record.exc_text = _without_keys(_FORMATTER.formatException(record.exc_info))
    return True


def _without_keys(text: str) -> str:
    return _KEY.sub(r"\1***", text)
