"""Dates as .NET's lenient parser takes them (invariant culture): many forms, month before day, local time zone.

What .NET takes for no date counts as absent. A form of which it is not known how .NET reads it is refused: a purge must
not find another date in it than the platform would.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone

from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks, ticks_from_datetime

_LAST = parse_ticks("9999-12-31T23:59:59.9999999Z")
_LARGEST_OFFSET = timedelta(hours=14)


def _numbers(names: str, first: int) -> dict[str, int]:
    """Names and their abbreviations, numbered."""
    return {name[:size]: number for number, name in enumerate(names.split(), first) for size in (3, len(name))}


_MONTH_NUMBERS = _numbers(
    "january february march april may june july august september october november december", first=1
)
_DAY_NUMBERS = _numbers("monday tuesday wednesday thursday friday saturday sunday", first=0)
_WORDS = frozenset({"t", "z", "gmt", "am", "pm", *_MONTH_NUMBERS, *_DAY_NUMBERS})

_MONTH = rf"(?P<month_name>{'|'.join(sorted(_MONTH_NUMBERS, key=len, reverse=True))})"
_DAY = rf"(?:(?P<day_name>{'|'.join(sorted(_DAY_NUMBERS, key=len, reverse=True))}),?\s+)?"
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:\.(?P<fraction>\d+))?)?(?:\s*(?P<half>am|pm))?"
)
_TIME = rf"{_CLOCK}(?:\s*(?P<zone>z|gmt|[+-]\d\d:?\d\d))?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"(?P<year>\d{{4}})(?P<mark>[-/])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}})(?:(?:t|\s+){_TIME})?",
        rf"(?P<month>\d{{1,2}})(?P<mark>[-/])(?P<day>\d{{1,2}})(?P=mark)(?P<year>\d{{4}})(?:\s+{_TIME})?",
        r"(?P<year>\d{4})[-/](?P<month>\d{1,2})",
        rf"{_DAY}(?P<day>\d{{1,2}})\s+{_MONTH},?\s+(?P<year>\d{{4}})(?:\s+{_TIME})?",
        rf"{_DAY}{_MONTH}\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}})(?:\s+{_TIME})?",
        rf"{_MONTH},?\s+(?P<year>\d{{4}})",
        _CLOCK,
    )
)
_TIME_OF_DAY = re.compile(r"(?<![\d:+-])\d{1,2}:\d\d")
_SHORT_YEAR_BEFORE_T = re.compile(r"\d{1,2}-\d{1,2}-\d{1,2}t.*", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")


class UnknownDateError(ValueError):
    """The text may be a date for .NET, or another one than it looks like; the text says what to write."""


def read_date(text: str) -> Ticks | None:
    """The moment that `text` names, or None: neither Unix seconds nor ``20240102`` nor ``2024`` are dates.

    Raises:
        UnknownDateError: it is not known how .NET reads it.
    """
    if _is_no_date(text):
        return None
    for form in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            try:
                return _moment(found.groupdict())
            except (ValueError, OverflowError):  # a thirteenth month, a Tuesday that is none
                return None
    raise UnknownDateError(f"'{text}' is no form of a date that this host reads; write it as 2024-01-02T03:04:05Z.")


def _is_no_date(text: str) -> bool:
    """Whether .NET does not take it for a date."""
    words = {word.casefold() for word in _WORD.findall(text)}
    return (
        not text.isascii()
        or text.isdigit()
        or not any(map(str.isdigit, text))
        or not words <= _WORDS
        or len(_TIME_OF_DAY.findall(text)) > 1  # the second was an offset whose plus is a blank now
        or ("," in text and words.isdisjoint(_MONTH_NUMBERS))  # two parameters of one name
        or _SHORT_YEAR_BEFORE_T.fullmatch(text) is not None  # Python's datetime.min
    )


def _moment(parts: dict[str, str | None]) -> Ticks | None:
    zone = parts.get("zone")
    whole = datetime.combine(_date(parts), _time_of_day(parts), None if zone is None else timezone(_offset(zone)))
    if zone is None:
        whole = whole.astimezone()  # local time of this machine
    ticks = ticks_from_datetime(whole) + _fraction(parts.get("fraction") or "")
    return Ticks(ticks) if 0 <= ticks <= _LAST else None


def _date(parts: dict[str, str | None]) -> date:
    year = parts.get("year")
    if year is None:
        return datetime.now().date()
    name = parts.get("month_name")
    month = _MONTH_NUMBERS[name.casefold()] if name else int(parts.get("month") or 1)
    read = date(int(year), month, int(parts.get("day") or 1))
    day_name = parts.get("day_name")
    if day_name and _DAY_NUMBERS[day_name.casefold()] != read.weekday():
        raise ValueError(f"{read} is no {day_name}")
    return read


def _time_of_day(parts: dict[str, str | None]) -> time:
    hour, half = int(parts.get("hour") or 0), (parts.get("half") or "").casefold()
    if half:
        if hour > 12:
            raise ValueError(f"{hour} {half}")
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, int(parts.get("minute") or 0), int(parts.get("second") or 0))


def _offset(zone: str) -> timedelta:
    if zone.casefold() in ("z", "gmt"):
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    offset = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or offset > _LARGEST_OFFSET:
        raise ValueError(zone)
    return -offset if zone.startswith("-") else offset


def _fraction(digits: str) -> int:
    """Ticks; what is beyond the seventh digit is rounded."""
    ticks: int = round(int(digits or 0) * PER_SECOND / 10 ** len(digits))
    return ticks
