"""Makes a status that is over its budget fit, by giving up the past before the present.

What is given up, in this order and only as much as it takes:

1. the oldest items of the windows: objects of exactly the keys ``items``, ``start`` and ``total`` that add up, which is
   how `RecentItems` is written; ``start`` goes up with every item dropped, so readers see that there were more;
2. the ends of the texts called ``message``, the longest first; a cut text ends in "…".

Next actions (whatever stands under ``nextActions``) are never touched: a reader acts on them. What is still too large
then stays so, and `set_custom_status` refuses it. `durable_status.publishing` puts a status into storage instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from durable_status.stored_json import dump_stored, utf16_size

NEXT_ACTIONS = "nextActions"
"""The key that trimming never looks into."""

_MESSAGE = "message"
_WINDOW_KEYS = {"items", "start", "total"}
_COMMA = 2  # bytes
_LARGEST_CHARACTER = 12  # bytes: a control character is written as six
_CUT = "…"


def trimmed(status: Any, budget: int) -> Any:
    """A copy of plain JSON that takes at most `budget` bytes of UTF-16, if giving up windows and messages suffices."""
    excess = _size(status) - budget
    if excess <= 0:
        return status
    status = json.loads(json.dumps(status))
    while excess > 0 and _drop_oldest(list(_windows(status)), excess):
        excess = _size(status) - budget
    while excess > 0 and _cut_longest(list(_messages(status)), excess):
        excess = _size(status) - budget
    return status


def _drop_oldest(windows: list[dict[str, Any]], excess: int) -> bool:
    """Drop items of the largest window, at least one and at most what `excess` asks for; False if there are none."""
    window = max((window for window in windows if window["items"]), key=_size, default=None)
    if window is None:
        return False
    dropped = freed = 0
    for item in window["items"]:
        if dropped and freed >= excess:
            break
        freed += _size(item) + _COMMA
        dropped += 1
    del window["items"][:dropped]
    window["start"] += dropped
    return True


def _cut_longest(holders: list[dict[str, Any]], excess: int) -> bool:
    """Cut the longest message, by at least one character and at most what `excess` asks for; False if none is left."""
    holder = max(
        (holder for holder in holders if len(holder[_MESSAGE]) > len(_CUT)),
        key=lambda holder: len(holder[_MESSAGE]),
        default=None,
    )
    if holder is None:
        return False
    text = holder[_MESSAGE].removesuffix(_CUT)
    characters = max(1, excess // _LARGEST_CHARACTER)
    holder[_MESSAGE] = text[:-characters] + _CUT
    return True


def _size(value: Any) -> int:
    return utf16_size(dump_stored(value))


def _windows(value: Any) -> Iterator[dict[str, Any]]:
    """The outermost windows in `value`."""
    match value:
        case dict() if value.keys() == _WINDOW_KEYS and _adds_up(**value):
            yield value
        case dict():
            for key, item in value.items():
                if key != NEXT_ACTIONS:
                    yield from _windows(item)
        case list():
            for item in value:
                yield from _windows(item)


def _adds_up(items: Any, start: Any, total: Any) -> bool:
    return isinstance(items, list) and type(start) is int and type(total) is int and start + len(items) == total


def _messages(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in `value` that hold a message."""
    match value:
        case dict():
            if isinstance(value.get(_MESSAGE), str):
                yield value
            for key, item in value.items():
                if key != NEXT_ACTIONS:
                    yield from _messages(item)
        case list():
            for item in value:
                yield from _messages(item)
