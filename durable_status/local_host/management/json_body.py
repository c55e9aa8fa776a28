"""Request bodies as JSON: standard JSON, NaN and the infinities, nothing of the platform's lenient dialect."""

from __future__ import annotations

import codecs
import json
from typing import Any

from durable_status.local_host.management.refusal import bad_json, failure

_DEEPEST = 64


def decode_body(body: bytes, content_type: str) -> str:
    """The body as text, in the charset its content type names (else UTF-8).

    Raises:
        Refusal: there is no such charset, or the bytes are not in it.
    """
    charset = _charset(content_type)
    try:
        codecs.lookup(charset)
        b"".decode(charset)  # refuses codecs that are no character sets
    except (LookupError, ValueError):
        raise failure(f"The character set provided in ContentType is invalid: {charset}.") from None
    try:
        text = body.decode(charset)
    except UnicodeError as error:
        raise bad_json(f"The body is not {charset} text: {error}.") from error
    return text.removeprefix("\ufeff")


def parse_json(text: str, *, first_value_only: bool) -> Any:
    """Parse `text`; with `first_value_only` what follows the first value is ignored.

    Raises:
        Refusal: it is no JSON, or deeper than 64 levels.
    """
    try:
        value = json.JSONDecoder().raw_decode(text.lstrip())[0] if first_value_only else json.loads(text)
    except ValueError as error:
        raise bad_json(f"The body is not valid JSON: {error}.") from error
    except RecursionError as error:
        raise bad_json(f"The JSON is deeper than {_DEEPEST} levels.") from error
    if _depth(value) > _DEEPEST:
        raise bad_json(f"The JSON is deeper than {_DEEPEST} levels.")
    return value


def without_type_markers(value: Any) -> Any:
    """What extension 2.13 keeps of a start's body: members ``$type`` and ``$id`` go, references become null."""
    match value:
        case dict():
            if "$ref" in value:
                return None
            return {key: without_type_markers(item) for key, item in value.items() if key not in ("$type", "$id")}
        case list():
            return [without_type_markers(item) for item in value]
        case _:
            return value


def media_type(content_type: str) -> str:
    """The media type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().casefold()


def _charset(content_type: str) -> str:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().casefold() == "charset":
            return value.strip().strip('"')
    return "utf-8"


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        if deepest > _DEEPEST:
            break
        level = [
            item
            for parent in level
            if isinstance(parent, dict | list)
            for item in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return deepest
