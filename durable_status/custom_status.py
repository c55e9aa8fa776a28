"""Sets a custom status, and says at the call what would go wrong later.

Left to itself, a bad custom status fails far from its cause: SDK 1.x silently drops some values, and the host fails the
instance for others, after the first episode as "non-deterministic". `set_custom_status` refuses both, in the
orchestrator's own line. Typed values it writes as plain JSON (see `durable_status.status_codec`).

What a reader sees (``customStatus`` of a status query) for each kind of value:

================================  =======================================  ==========================================
value                             a reader sees                            why
================================  =======================================  ==========================================
"Tokyo"                           "Tokyo"                                  a text, as it is
"5"                               "5"                                      a text stays one, JSON or not
"été 🎫"                           "été 🎫"                                  any Unicode, not escaped
{"done": 0, "total": 3}           {"done": 0, "total": 3}                  falsy values inside are safe
["A", "B"]                        ["A", "B"]                               a list, as it is
("A", "B")                        ["A", "B"]                               a tuple becomes a list
{1: "one"}                        {"1": "one"}                             keys become texts
7                                 7                                        a number
0.5                               0.5                                      a fraction
1.0                               1.0                                      a fraction stays one
1e30                              1E+30                                    the host writes its own exponents
True                              true                                     true
Stage.PACKED                      "packed"                                 an enum is its value
{Stage.PACKED: 2}                 {"packed": 2}                            as a key, too
datetime(2026, 1, 2)              "2026-01-02T00:00:00"                    ISO 8601; a zone if it has one
datetime.fromtimestamp(0, UTC)    "1970-01-01T00:00:00Z"                   Z when that is its zone
UUID(int=5)                       "00000000-0000-0000-0000-000000000005"   a text
Decimal("1.50")                   "1.50"                                   a text: no digit is lost
timedelta(seconds=90)             "PT1M30S"                                ISO 8601
Order(number=1)                   {"number": 1, "when": null}              a dataclass: its fields
Parcel(weight=2)                  {"weight": 2}                            a pydantic model: its fields or aliases
[Order(number=0)]                 [{"number": 0, "when": null}]            typed values inside
None                              refused                                  SDK 1.x drops it: readers see null
False                             refused                                  SDK 1.x drops it: readers see null
0                                 refused                                  SDK 1.x drops it: readers see null
0.0                               refused                                  SDK 1.x drops it: readers see null
""                                refused                                  SDK 1.x drops it: readers see null
[]                                refused                                  SDK 1.x drops it: readers see null
{}                                refused                                  SDK 1.x drops it: readers see null
()                                refused                                  SDK 1.x drops it: readers see null
float("nan")                      refused                                  the host stores the text "NaN"
[float("inf")]                    refused                                  the host stores the text "Infinity"
[float("-inf")]                   refused                                  the host stores the text "-Infinity"
{float("nan"): 1}                 refused                                  the host stores the text "NaN"
{"A", "B"}                        refused                                  not JSON: the instance fails
b"bytes"                          refused                                  not JSON: the instance fails
{("a", "b"): 1}                   refused                                  not JSON: the instance fails
WithToJson()                      refused                                  readers see class and module names
object()                          refused                                  not JSON: the instance fails
Empty()                           refused                                  not JSON: the instance fails
Order(number="1")                 refused                                  not JSON: the instance fails
Decimal("NaN")                    refused                                  not JSON: the instance fails
"\\ud800"                          refused                                  half a character: the host replaces it
{"\\ud800": 1}                     refused                                  half a character: the host replaces it
{1: "a", "1": "b"}                refused                                  one key in JSON: readers see "b" only
{"$type": "T", "a": 1}            refused                                  the host takes the key as its own
{"durableStatusOffloaded": 1}     refused                                  readers would look for a blob
10**379                           refused                                  the host reads no number as long as this
nested(61)                        refused                                  the host reads nothing as deep as this
"x" * 8_191                       refused                                  over 16,384 bytes with its quotes
================================  =======================================  ==========================================

The limit counts the bytes, in UTF-16, of the JSON text the host stores: compact, non-ASCII not escaped, quotes
included. The platform itself fails an instance only from 17,408 bytes; the documented 16 KB are what it promises.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Literal, Protocol

from durable_status.errors import StatusEncodeError
from durable_status.offloaded import OFFLOADED_KEY
from durable_status.status_codec import to_plain
from durable_status.stored_json import dump_stored, utf16_size
from durable_status.trimming import trimmed

MAX_STATUS_BYTES = 16_384
"""The largest custom status, in bytes of UTF-16 of its stored JSON text."""

# The host reads the worker's answer with Newtonsoft.Json, which stops at 64 levels (some are left for what stands
# around the status) and at whole numbers of 380 characters, and takes these members of an outermost object for itself.
_DEEPEST_LEVEL = 60
_MOST_DIGITS = 379
_HOST_KEYS = frozenset({"$id", "$ref", "$type", "$values"})

_JSON_KEYS = (str, int, float, type(None))
_LONGEST_KEY_SHOWN = 40


class StatusSetter(Protocol):
    """What `set_custom_status` needs of an orchestration context."""

    def set_custom_status(self, status: Any) -> None:
        """Keep `status` until the episode ends."""


def set_custom_status(context: StatusSetter, status: Any, *, too_large: Literal["error", "trim"] = "error") -> None:
    """Set the custom status that readers see from the end of this episode on.

    It has to be set again on every replay, so do not guard the call with ``context.is_replaying``. Of several calls
    before the next ``yield`` only the last one is ever seen. The context gets a copy in plain JSON.

    Args:
        context: the orchestration context.
        status: a text, number, True, list, dict, dataclass, TypedDict, pydantic model or enum, with datetimes, UUIDs
            and Decimals inside; see the table above.
        too_large: what to do with a status over the limit. ``"error"`` refuses it. ``"trim"`` drops the oldest items
            of its `RecentItems` until it fits, then cuts the texts called ``message``; see `durable_status.trimming`.
            To put it into storage instead takes time, so that is a generator: `publish_status`.

    Raises:
        StatusEncodeError: a reader would not see `status`; nothing was set.
    """
    plain = checked_status(status)
    if too_large == "trim":
        plain = trimmed(plain, MAX_STATUS_BYTES)
    size = utf16_size(dump_stored(plain))
    if size > MAX_STATUS_BYTES:
        raise StatusEncodeError(
            f"This {type(status).__name__} takes {size:,} bytes as a custom status, the limit is {MAX_STATUS_BYTES:,} "
            "(UTF-16 of its JSON text). Put it into storage: yield from publish_status(context, status).",
            status_type=type(status),
            size=size,
        )
    context.set_custom_status(plain)


def checked_status(status: Any) -> Any:
    """A copy of `status` in plain JSON, of any size.

    Raises:
        StatusEncodeError: a reader would not see `status`.
    """
    plain = to_plain(status, _DEEPEST_LEVEL)
    problem = next(_problems(plain, ""), None)
    if problem is not None:
        raise StatusEncodeError(problem, status_type=type(status))
    if not plain:
        raise StatusEncodeError(
            f"A custom status cannot be {status!r} ({type(status).__name__}): SDK 1.x does not send it, and readers "
            'would see null instead. Set an object that holds it, such as {"done": 0}.',
            status_type=type(status),
        )
    return plain


def clear_custom_status(context: StatusSetter) -> None:
    """Take the custom status away: readers see null from the end of this episode on.

    It is the same null as before the first status. A status that an earlier generation left is carried over
    ``continue_as_new`` once; the second episode of the new generation shows null by itself (replay.md §4).
    """
    context.set_custom_status(None)


def _problems(value: Any, path: str, level: int = 1) -> Iterator[str]:
    """Sentences about the parts of `value` that a reader would not see as they are, outermost first."""
    place = f"status{path}" if path else "The status"
    match value:
        case None | bool() | str() | int() | float():
            yield from _scalar_problems(value, place)
        case dict() | list() | tuple() if level > _DEEPEST_LEVEL:
            yield f"The status holds itself or has over {_DEEPEST_LEVEL} levels; the host reads no more. Flatten it."
        case dict():
            yield from _key_problems(value, path, place)
            for key, item in value.items():
                yield from _problems(item, f"{path}[{_shown(key)}]", level + 1)
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _problems(item, f"{path}[{index}]", level + 1)
        case _:
            yield f"{place} is {_a(value)}, which is not JSON. {_cure(value)}"


def _scalar_problems(value: Any, place: str) -> Iterator[str]:
    match value:
        case str():
            if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
                yield f"{place} holds half of a surrogate pair, which is no character and would be replaced. Mend it."
        case int():
            if abs(value) >= 10**_MOST_DIGITS:
                yield f"{place} is a number of more than {_MOST_DIGITS} digits, which the host cannot read. Use a text."
        case float():
            if not math.isfinite(value):
                yield f"{place} is {value}, which JSON has no number for. Use None or a text, inside an object."


def _key_problems(value: dict[Any, Any], path: str, place: str) -> Iterator[str]:
    for key in value:
        if not isinstance(key, _JSON_KEYS):
            yield f"{place} has {_a(key)} as a key, and keys are texts in JSON. Use a text."
            return
        yield from _scalar_problems(key, f"A key of {place[0].lower()}{place[1:]}")
    if len({key if isinstance(key, str) else json.dumps(key) for key in value}) < len(value):
        yield f'{place} has keys that are one in JSON, such as 1 and "1"; readers would see only one. Use texts.'
    if not path and not _HOST_KEYS.isdisjoint(value):
        keys = ", ".join(sorted(_HOST_KEYS.intersection(value)))
        yield f"{place} has the key {keys}, which the host takes as its own. Use another name."
    if not path and OFFLOADED_KEY in value:
        yield f"{place} has the key {OFFLOADED_KEY}, which stands for a status in a blob. Use another name."


def _cure(value: Any) -> str:
    if hasattr(value, "to_json"):
        return "The SDK would show readers its class and module; use a dict of what they need."
    if isinstance(value, set | frozenset):
        return "Use a sorted list."
    return "Use texts, numbers, booleans, lists and dicts of them."


def _a(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _shown(key: Any) -> str:
    text = json.dumps(key, ensure_ascii=False)
    return text if len(text) <= _LONGEST_KEY_SHOWN else f"{text[:_LONGEST_KEY_SHOWN]}..."
