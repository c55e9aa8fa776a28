"""Time as the platform counts it: ticks of 100 ns since the start of year 1, UTC.

Python's ``datetime`` ends at microseconds. The platform's seventh digit matters: a retry timer is due at the clock plus
the interval with all seven digits, and the id of an entity request is a hash of the clock's text.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NewType

Ticks = NewType("Ticks", int)
"""A moment (100 ns units since 0001-01-01T00:00:00Z) or a span of time in the same unit."""

PER_MICROSECOND = 10
PER_MILLISECOND = 10_000
PER_SECOND = 10_000_000
PER_DAY = 24 * 60 * 60 * PER_SECOND

_START = datetime(1, 1, 1, tzinfo=UTC)
_TEXT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7})\d*)?(Z|[+-]\d\d:\d\d)?")


def parse_ticks(text: str) -> Ticks:
    """Read ISO 8601 text with up to seven digits of fraction; text without a zone is UTC.

    Raises:
        ValueError: `text` is no such time.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"not an ISO 8601 time: {text!r}")
    whole, fraction, zone = found.groups()
    seconds = ticks_from_datetime(datetime.fromisoformat(whole + (zone or "Z")))
    return Ticks(seconds + int((fraction or "").ljust(7, "0")))


def format_ticks(ticks: Ticks) -> str:
    """Write a moment as history events carry it: UTC, up to seven digits of fraction, trailing zeros cut."""
    whole, fraction = _split(ticks)
    return f"{whole}.{fraction:07d}".rstrip("0") + "Z" if fraction else f"{whole}Z"


def format_ticks_in_full(ticks: Ticks) -> str:
    """Write a moment with all seven digits (.NET's round-trip format)."""
    whole, fraction = _split(ticks)
    return f"{whole}.{fraction:07d}Z"


@lru_cache(maxsize=16)  # the same few in every trigger
def format_span(span: Ticks) -> str:
    """Write a span of time as .NET's constant format does: ``[-][d.]hh:mm:ss[.fffffff]``."""
    seconds, fraction = divmod(abs(span), PER_SECOND)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    text = f"{'-' if span < 0 else ''}{f'{day}.' if day else ''}{hour:02d}:{minute:02d}:{second:02d}"
    return f"{text}.{fraction:07d}" if fraction else text


def ticks_from_datetime(moment: datetime) -> Ticks:
    """Convert an aware ``datetime``."""
    since = moment - _START
    return Ticks((since.days * 86_400 + since.seconds) * PER_SECOND + since.microseconds * PER_MICROSECOND)


def datetime_from_ticks(ticks: Ticks) -> datetime:
    """Convert to an aware UTC ``datetime``; the seventh digit is lost."""
    return _START + timedelta(microseconds=in_microseconds(ticks))


def in_microseconds(ticks: Ticks) -> int:
    """Whole microseconds of a moment or a span: what user code sees of it, so what its spans have to be judged by."""
    return ticks // PER_MICROSECOND


def _split(ticks: Ticks) -> tuple[str, int]:
    seconds, fraction = divmod(ticks, PER_SECOND)
    return _second_text(seconds), fraction


@lru_cache(maxsize=256)  # the events of an episode share a second or two
def _second_text(seconds: int) -> str:
    return (_START + timedelta(seconds=seconds)).isoformat()[: len("0001-01-01T00:00:00")]
