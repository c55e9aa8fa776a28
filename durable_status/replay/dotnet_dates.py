"""The date detection of .NET's JSON reader, which the failure path of an orchestrator goes through.

The state of a failing orchestrator is parsed with it, all other answers without. Text that is an ISO 8601 date and
time, or .NET's old ``/Date(milliseconds)/``, is read as a date and written again: an offset is converted to the host's
zone (UTC here), trailing zeros of the fraction go. An error that is itself such a text comes out in .NET's invariant
format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from durable_status.replay.ticks import PER_DAY, PER_MILLISECOND, PER_SECOND, Ticks, format_ticks, parse_ticks

# As Newtonsoft.Json reads them: a zone may lack its colon or its minutes, and minutes without hours are passed over.
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,7}))?"
    r"(?:([Zz])|(?:([+-])([0-9]{2}))?(?::(?:([0-9]{2}))?|([0-9]{2}))?)"
)
_MILLISECONDS = re.compile(r"/Date\((-?[0-9]+)([+-][0-9]{2,4})?\)/")
_UNIX_START = parse_ticks("1970-01-01T00:00:00Z")
_LAST = parse_ticks("9999-12-31T23:59:59.9999999Z")
_MIDNIGHT = "24:00:00"


@dataclass(frozen=True, slots=True)
class _Date:
    ticks: Ticks
    zone: str
    """How the zone is written: ``Z``, ``+00:00`` for what had an offset, nothing for what had no zone."""


def rewrite_dates(value: Any) -> Any:
    """Rewrite every text inside `value` (JSON) that reads as a date; keys stay."""
    match value:
        case str():
            date = _read(value)
            return value if date is None else format_ticks(date.ticks).removesuffix("Z") + date.zone
        case dict():
            return {key: rewrite_dates(item) for key, item in value.items()}
        case list():
            return [rewrite_dates(item) for item in value]
        case _:
            return value


def date_as_plain_text(text: str) -> str:
    """What .NET makes of a date where plain text is wanted; other texts stay."""
    date = _read(text)
    if date is None:
        return text
    written = format_ticks(date.ticks)
    return f"{written[5:7]}/{written[8:10]}/{written[:4]} {written[11:19]}"


def _read(text: str) -> _Date | None:
    found = _ISO.fullmatch(text)
    try:
        if found is not None:
            return _read_iso(found)
        found = _MILLISECONDS.fullmatch(text)
        return None if found is None else _read_milliseconds(found)
    except (ValueError, OverflowError):  # the 30th of February, or beyond year 9999
        return None


def _read_iso(found: re.Match[str]) -> _Date:
    day, time, fraction, utc, sign, hours, minutes, bare_minutes = found.groups()
    if time == _MIDNIGHT and not int(fraction or 0):
        ticks = parse_ticks(f"{day}T00:00:00Z") + PER_DAY
    else:
        ticks = parse_ticks(f"{day}T{time}.{fraction or 0}Z")
    if utc:
        return _Date(Ticks(ticks), "Z")
    if not sign:
        return _Date(Ticks(ticks), "")
    offset = (int(hours) * 60 + int(minutes or bare_minutes or 0)) * 60 * PER_SECOND
    shifted = ticks - offset if sign == "+" else ticks + offset
    return _Date(Ticks(min(max(shifted, 0), _LAST)), "+00:00")


def _read_milliseconds(found: re.Match[str]) -> _Date:
    ticks = Ticks(_UNIX_START + int(found[1]) * PER_MILLISECOND)
    format_ticks(ticks)
    return _Date(ticks, "+00:00" if found[2] else "Z")
