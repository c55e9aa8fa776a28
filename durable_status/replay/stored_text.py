"""How a text in storage becomes the JSON that readers and orchestrators see.

Inputs, custom statuses, outputs and results are stored as JSON text; reasons and failures as raw text. One rule reads
them all, so a raw text that starts like JSON is cut to its first value: ``42 is enough`` reads as 42.
"""

from __future__ import annotations

import json

from durable_status.stored_json import Json

_DECODER = json.JSONDecoder()


def read_stored(text: str | None) -> Json:
    """Read the first JSON value of `text`; None reads as null, blank text as ``""``, text that is no JSON as itself."""
    if text is None:
        return None
    stripped = text.lstrip()
    if not stripped:
        return ""
    try:
        value: Json = _DECODER.raw_decode(stripped)[0]
    except ValueError:
        return text
    return value
