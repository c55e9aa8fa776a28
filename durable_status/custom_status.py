"""Sets a custom status, and says at the call what would go wrong later.

Left to itself, a bad custom status fails far from its cause: SDK 1.x silently drops some values, and the host fails the
instance for others, after the first episode as "non-deterministic". `set_custom_status` refuses both, in the
orchestrator's own line.

What a reader sees (``customStatus`` of a status query) for each kind of value:

============================  =======================================  ==========================================
value                         a reader sees                            why
============================  =======================================  ==========================================
"Tokyo"                       "Tokyo"                                  a text, as it is
"5"                           "5"                                      a text stays one, JSON or not
"été 🎫"                      "été 🎫"                                 any Unicode, not escaped
{"done": 0, "total": 3}       {"done": 0, "total": 3}                  falsy values inside are safe
["A", "B"]                    ["A", "B"]                               a list, as it is
("A", "B")                    ["A", "B"]                               a tuple becomes a list
{1: "one"}                    {"1": "one"}                             keys become texts
7                             7                                        a number
0.5                           0.5                                      a fraction
True                          true                                     true
None                          refused                                  SDK 1.x drops it: readers see null
False                         refused                                  SDK 1.x drops it: readers see null
0                             refused                                  SDK 1.x drops it: readers see null
0.0                           refused                                  SDK 1.x drops it: readers see null
""                            refused                                  SDK 1.x drops it: readers see null
[]                            refused                                  SDK 1.x drops it: readers see null
{}                            refused                                  SDK 1.x drops it: readers see null
()                            refused                                  SDK 1.x drops it: readers see null
float("nan")                  refused                                  the host stores the text "NaN"
[float("inf")]                refused                                  the host stores the text "Infinity"
datetime(2026, 1, 2)          refused                                  not JSON: the instance fails
{"A", "B"}                    refused                                  not JSON: the instance fails
b"bytes"                      refused                                  not JSON: the instance fails
{("a", "b"): 1}               refused                                  such keys are not JSON: the instance fails
WithToJson()                  refused                                  readers see class and module names
"\\ud800"                      refused                                  half a character: the host replaces it
"x" * 8_191                   refused                                  over 16,384 bytes with its quotes
============================  =======================================  ==========================================

The limit counts the bytes, in UTF-16, of the JSON text the host stores: compact, non-ASCII not escaped, quotes
included. The platform itself fails an instance only from 17,408 bytes; the documented 16 KB are what it promises.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol

from durable_status.errors import StatusEncodeError
from durable_status.stored_json import dump_stored, utf16_size

MAX_STATUS_BYTES = 16_384
"""The largest custom status, in bytes of UTF-16 of its stored JSON text."""

_JSON_KEYS = (str, int, float, bool, type(None))


class StatusSetter(Protocol):
    """What `set_custom_status` needs of an orchestration context."""

    def set_custom_status(self, status: Any) -> None:
        """Keep `status` until the episode ends."""


def set_custom_status(context: StatusSetter, status: Any) -> None:
    """Set the custom status that readers see from the end of this episode on.

    It has to be set again on every replay, so do not guard the call with ``context.is_replaying``. Of several calls
    before the next ``yield`` only the last one is ever seen.

    Args:
        context: the orchestration context.
        status: a text, number, True, list or object of JSON; see the table above.

    Raises:
        StatusEncodeError: a reader would not see `status`; nothing was set.
    """
    problem = next(_problems(status, "the status"), None)
    if problem is not None:
        raise StatusEncodeError(problem, status_type=type(status))
    if not status:
        raise StatusEncodeError(
            f"A custom status cannot be {status!r}: SDK 1.x drops it and erases the status before it. "
            'Set an object that holds it, such as {"done": 0}.',
            status_type=type(status),
        )
    size = utf16_size(dump_stored(status))
    if size > MAX_STATUS_BYTES:
        raise StatusEncodeError(
            f"This {type(status).__name__} takes {size:,} bytes as a custom status, the limit is {MAX_STATUS_BYTES:,} "
            "(UTF-16 of its JSON text). Keep large values in external storage and put a reference into the status.",
            status_type=type(status),
            size=size,
        )
    context.set_custom_status(status)


def _problems(value: Any, place: str) -> Iterator[str]:
    """Sentences about the parts of `value` that are not JSON, outermost first."""
    match value:
        case str():
            if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
                yield f"{place} holds half of a surrogate pair, which is no character; the host would replace it."
        case None | bool() | int():
            return
        case float():
            if not math.isfinite(value):
                yield f"{place} is {value}, which JSON has no number for; use None or a text inside an object."
        case dict():
            for key, item in value.items():
                if not isinstance(key, _JSON_KEYS):
                    yield f"{place} has the key {key!r}, a {type(key).__name__}; JSON keys are texts."
                yield from _problems(item, f"{place}[{key!r}]")
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _problems(item, f"{place}[{index}]")
        case _:
            yield f"{place} is a {type(value).__name__}, which is not JSON. {_cure(value)}"


def _cure(value: Any) -> str:
    if hasattr(value, "isoformat"):
        return "Use its text: value.isoformat()."
    if hasattr(value, "to_json"):
        return "The SDK would show readers its class and module; use a dict of what they need."
    if isinstance(value, set | frozenset):
        return "Use a sorted list."
    return "Use texts, numbers, booleans, lists and dicts of them."
