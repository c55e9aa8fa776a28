"""JSON text exactly as the Functions host writes it.

The host parses what the Python worker answers and writes it again before it stores it: custom statuses, outputs,
inputs and results are all in this form, and the 16 KB limit of a custom status is counted on it. The writer is .NET's
(Newtonsoft.Json, no indentation); it differs from ``json.dumps`` in three ways, each of them observed:

- floats: plain digits for 0.0001 <= abs(x) < 1e17, else an exponent as ``1E+30`` or ``1E-05``;
- NaN and the infinities are the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``;
- non-ASCII text is not escaped, but U+0085, U+2028 and U+2029 are; half a surrogate pair becomes U+FFFD.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

Json = dict[str, Any] | list[Any] | str | int | float | bool | None
"""A value made of what JSON has: objects, arrays, strings, numbers, booleans and null."""

_ESCAPED_BY_HOST = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def dump_stored(value: Any) -> str:
    """Write `value` (dict, list, tuple, str, int, float, bool or None, nested) as the host stores it.

    Keys that are not text are written as ``json.dumps`` writes them.

    Raises:
        TypeError: something in `value` is not JSON.
    """
    match value:
        case str():
            return _dump_text(value)
        case None | bool():
            return "null" if value is None else "true" if value else "false"
        case int():
            return int.__repr__(value)
        case float():
            return _dump_float(value)
        case list() | tuple():
            return "[" + ",".join([dump_stored(item) for item in value]) + "]"
        case Mapping():
            return "{" + ",".join(f"{_dump_key(key)}:{dump_stored(item)}" for key, item in value.items()) + "}"
        case _:
            raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def utf16_size(text: str) -> int:
    """Count the bytes of `text` in UTF-16, the unit of the platform's limits."""
    return 2 * len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass"))


def well_formed(text: str) -> str:
    """Replace what is no character (half a surrogate pair) by U+FFFD, as writing it out does on the platform."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _dump_text(text: str) -> str:
    written = encode_basestring(text)
    if not written.isascii():
        written = well_formed(written)
        for character, escape in _ESCAPED_BY_HOST.items():
            written = written.replace(character, escape)
    return written


def _dump_key(key: Any) -> str:
    if isinstance(key, str):
        return _dump_text(key)
    # json.dumps knows which other keys it takes (numbers, booleans, None) and how it spells them.
    return json.dumps({key: 0})[1:].rpartition(":")[0]


def _dump_float(number: float) -> str:
    if math.isnan(number):
        return '"NaN"'
    if math.isinf(number):
        return '"Infinity"' if number > 0 else '"-Infinity"'
    text = float.__repr__(number)
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    if int(exponent) == 16:  # the one power that Python writes with an exponent and the host does not
        digits = mantissa.replace(".", "")
        return digits.ljust(17 + digits.startswith("-"), "0") + ".0"
    return f"{mantissa}E{exponent}"
