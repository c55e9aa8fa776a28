"""How a text in storage becomes the JSON that readers and orchestrators see.

Inputs, custom statuses, outputs and results are stored as JSON text; reasons and failures as raw text. One rule reads
them all, so a raw text that starts like JSON is cut to its first value: ``42 is enough`` reads as 42.
"""

from __future__ import annotations

import json
import re

from durable_status.stored_json import Json

_DECODER = json.JSONDecoder()
# What the platform's reader takes for one number before it looks at it, so that a date or an address is none.
_NUMBER_RUN = re.compile(r"[-.0-9][-+.0-9a-fA-FxX]*")
_ENDS_SCALAR = re.compile(r"[\s,}\])/]")
_WHOLE = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")


def read_first_value(text: str) -> Json:
    """Read the first JSON value of `text`; what follows it is ignored, but a number or word must end where it ends.

    Raises:
        ValueError: `text` does not start with a JSON value, or it has none.
    """
    stripped = text.lstrip()
    value: Json
    value, end = _DECODER.raw_decode(stripped)
    if stripped[0] not in '"[{' and end < len(stripped) and _ENDS_SCALAR.match(stripped, end) is None:
        raise ValueError(f"{stripped[end]!r} right behind a value")
    return value


def read_stored(text: str | None) -> Json:
    """Read the first JSON value of `text`; None reads as null, blank text as ``""``, text that is no JSON as itself."""
    if text is None:
        return None
    stripped = text.strip()
    if not stripped:
        return ""
    try:
        return read_first_value(stripped)
    except (ValueError, RecursionError):
        number = _number_in_another_spelling(stripped)
        return stripped if number is None else number


def _number_in_another_spelling(text: str) -> int | float | None:
    """A number that JSON has not, but the platform reads: ``010`` (octal), ``0x10``, ``.5``, ``5.``."""
    found = _NUMBER_RUN.match(text)
    if found is None or (found.end() < len(text) and _ENDS_SCALAR.match(text, found.end()) is None):
        return None
    run = found[0]
    try:
        if run[0] == "0" and len(run) > 1 and run[1] not in ".eE":
            return int(run, 16) if run[1] in "xX" else int(run, 8)
        if _WHOLE.fullmatch(run):
            return int(run)
        return float(run) if _DECIMAL.fullmatch(run) else None
    except ValueError:
        return None
