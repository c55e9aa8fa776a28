"""The date detection of .NET's JSON reader, which the failure path of an orchestrator goes through.

The state of a failing orchestrator is parsed with it, all other answers without. Text that is an ISO 8601 date and
time is read as a date and written again: an offset is converted to the host's zone (UTC here), trailing zeros of the
fraction go. An error that is itself such a text comes out in .NET's invariant format.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from durable_status.replay.ticks import Ticks, format_ticks, parse_ticks

_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?(Z|[+-]\d\d:?\d\d)?")


def rewrite_dates(value: Any) -> Any:
    """Rewrite every text inside `value` (JSON) that reads as a date; keys stay."""
    match value:
        case str():
            return _as_json_writer(value)
        case dict():
            return {key: rewrite_dates(item) for key, item in value.items()}
        case list():
            return [rewrite_dates(item) for item in value]
        case _:
            return value


def date_as_plain_text(text: str) -> str:
    """What .NET makes of a date where plain text is wanted; other texts stay."""
    ticks = _parse(text)
    if ticks is None:
        return text
    moment = datetime.fromisoformat(format_ticks(ticks)[:19])
    return moment.strftime("%m/%d/%Y %H:%M:%S")


def _as_json_writer(text: str) -> str:
    ticks = _parse(text)
    if ticks is None:
        return text
    zone = text[_zone_start(text) :]
    return format_ticks(ticks)[:-1] + ("+00:00" if zone not in ("", "Z") else zone)


def _parse(text: str) -> Ticks | None:
    if _DATE.fullmatch(text) is None:
        return None
    start = _zone_start(text)
    zone = text[start:]
    if len(zone) == len("+0000"):
        zone = f"{zone[:3]}:{zone[3:]}"
    try:
        return parse_ticks(text[:start] + zone)
    except ValueError:
        return None


def _zone_start(text: str) -> int:
    found = _DATE.fullmatch(text)
    return found.start(3) if found is not None and found[3] else len(text)
