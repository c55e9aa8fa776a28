"""Request bodies as JSON: standard JSON, NaN and the infinities, nothing of the platform's lenient dialect."""

from __future__ import annotations

import codecs
import json
from typing import Any

from durable_status.local_host.management.refusal import bad_json, failure
from durable_status.stored_text import read_first_value

_DEEPEST = 64
_BYTE_ORDER_MARKS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def decode_body(body: bytes, content_type: str) -> str:
    """The body as text, in the charset its content type names, else as its byte order mark says, else UTF-8.

    Bytes that are not of the charset become U+FFFD, as on the platform.

    Raises:
        Refusal: there is no such charset.
    """
    charset = _charset(content_type) or _charset_by_mark(body)
    try:
        codecs.lookup(charset)
        b"".decode(charset)  # refuses codecs that are no character sets
    except (LookupError, ValueError):
        raise failure(
            "The character set provided in ContentType is invalid."
            " Cannot read content as string using an invalid character set."
        ) from None
    return body.decode(charset, "replace").removeprefix("\ufeff")


def parse_json(text: str, *, first_value_only: bool) -> Any:
    """Parse `text`; with `first_value_only` what follows the first value is ignored.

    Raises:
        Refusal: it is no JSON, or deeper than 64 levels.
    """
    try:
        value = read_first_value(text) if first_value_only else json.loads(text)
    except ValueError as error:
        raise bad_json(f"The body is not valid JSON: {error}.") from error
    except RecursionError as error:
        raise bad_json(f"The JSON is deeper than {_DEEPEST} levels.") from error
    if _depth(value) > _DEEPEST:
        raise bad_json(f"The JSON is deeper than {_DEEPEST} levels.")
    return value


def without_type_markers(value: Any) -> Any:
    """What extension 2.13 keeps of a start's body: members ``$type`` and ``$id`` go, a reference is null.

    Its reader takes only the first members of the outermost object for such.

    Raises:
        Refusal: 500, a reference has other members too.
    """
    if not isinstance(value, dict):
        return value
    kept = dict(value)
    for name, item in value.items():
        if name == "$ref" and item is not None:
            if next(reversed(value)) == name:
                return None
            raise failure(
                "Additional content found in JSON reference object."
                " A JSON reference object should only have a $ref property.",
                "Newtonsoft.Json.JsonSerializationException",
            )
        if name not in ("$type", "$id", "$ref"):
            break
        del kept[name]
    return kept


def media_type(content_type: str) -> str:
    """The media type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().casefold()


def _charset(content_type: str) -> str | None:
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().casefold() == "charset":
            return value.strip().strip('"')
    return None


def _charset_by_mark(body: bytes) -> str:
    return next((charset for mark, charset in _BYTE_ORDER_MARKS if body.startswith(mark)), "utf-8")


def _depth(value: Any) -> int:
    """How many objects and arrays are one in another, counted up to one too many."""
    depth, level = 0, [value]
    while depth <= _DEEPEST:
        level = [item for item in level if isinstance(item, dict | list)]
        if not level:
            break
        depth += 1
        level = [item for parent in level for item in (parent.values() if isinstance(parent, dict) else parent)]
    return depth
