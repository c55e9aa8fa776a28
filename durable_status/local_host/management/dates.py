"""Dates as .NET's lenient parser takes them (invariant culture): many forms, month before day, local time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from dateutil.parser import parse

from durable_status.replay.ticks import Ticks, parse_ticks, ticks_from_datetime

_LAST = parse_ticks("9999-12-31T23:59:59.9999999Z")
_WITH_ZONE = re.compile(r".*T.*(?:Z|[+-]\d\d:\d\d)")
_NUMERIC = re.compile(r"(?:(?P<year>\d{4})[-/](?P<month>\d{1,2})|(?P<us_month>\d{1,2})/\d{1,2}/\d{4})\b.*", re.DOTALL)
_TIME_OF_DAY = re.compile(r"(?<![\d:+-])\d{1,2}:\d\d")
_WORD = re.compile(r"[^\W\d_]+")
_MONTHS = "january february march april may june july august september october november december"
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
_NAMES = {name for full in f"{_MONTHS} {_DAYS}".split() for name in (full, full[:3])}
# dateutil reads more than .NET does: other time zones, for one.
_WORDS = frozenset({"t", "z", "gmt", "am", "pm", *_NAMES})


def read_date(text: str) -> Ticks | None:
    """The moment that `text` names, or None: neither Unix seconds nor ``20240102`` nor ``2024`` are dates."""
    if not text.isascii() or text.isdigit() or not any(map(str.isdigit, text)):
        return None
    if _WITH_ZONE.fullmatch(text):
        try:
            return _representable(parse_ticks(text))  # all seven digits of the fraction
        except ValueError:
            pass
    if len(_TIME_OF_DAY.findall(text)) > 1:  # the second was an offset whose plus is a blank now
        return None
    if not {word.casefold() for word in _WORD.findall(text)} <= _WORDS or not _has_a_real_month(text):
        return None
    today = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    # What names no time of day and no day means the first of the month.
    default = today if ":" in text else today.replace(day=1)
    try:
        return _representable(ticks_from_datetime(parse(text, default=default).astimezone(UTC)))
    except (ValueError, OverflowError):
        return None


def _representable(ticks: Ticks) -> Ticks | None:
    return ticks if 0 <= ticks <= _LAST else None


def _has_a_real_month(text: str) -> bool:
    """Whether a numeric date is not read with day and month swapped, as dateutil would when the month is too large."""
    found = _NUMERIC.fullmatch(text)
    return found is None or 1 <= int(found["month"] or found["us_month"]) <= 12
