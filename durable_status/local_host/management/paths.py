"""Matches a management path as it was sent: our own table, because ids may hold what a router library would eat.

The platform resolves dot segments, cuts its base off by length, trims slashes and decodes each segment once, except
``%2F`` and what is no UTF-8. Extension 3.x decodes the whole path first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus, unquote_to_bytes

_ANY_VERB = "*"
_ESCAPES = re.compile("(?:%[0-9A-Fa-f]{2})+")
_DOT_ESCAPE = re.compile("%2E", re.IGNORECASE)
_SLASH_ESCAPE = re.compile("(%2F)", re.IGNORECASE)
_LONE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")

_ROUTES: tuple[tuple[str, Mapping[str, str]], ...] = (
    ("orchestrators/{name}", {"POST": "start"}),
    ("orchestrators/{name}/{instance_id}", {"POST": "start"}),
    ("entities", {"GET": "list_entities", "POST": "signal_entity", "DELETE": "delete_entity"}),
    ("entities/{entity_name}", {"GET": "list_entities", "POST": "signal_entity", "DELETE": "delete_entity"}),
    (
        "entities/{entity_name}/{entity_key}",
        {"GET": "show_entity", "POST": "signal_entity", "DELETE": "delete_entity"},
    ),
    ("instances", {"GET": "list_instances", "DELETE": "purge_many"}),
    ("instances/{instance_id}", {"GET": "show", "DELETE": "purge_one"}),
    ("instances/{instance_id}/raiseEvent/{event_name}", {"POST": "raise_event"}),
    ("instances/{instance_id}/terminate", {"POST": "terminate"}),
    ("instances/{instance_id}/suspend", {"POST": "suspend"}),
    ("instances/{instance_id}/resume", {"POST": "resume"}),
    ("instances/{instance_id}/rewind", {"POST": "rewind"}),
    ("instances/{instance_id}/restart", {"POST": "restart"}),
    ("makeprimary", {_ANY_VERB: "make_primary"}),
)


@dataclass(frozen=True, slots=True)
class Match:
    """What a request is for: the operation, and the values in its path."""

    operation: str
    values: Mapping[str, str]


def match(method: str, path: str, *, decodes_first: bool) -> Match | None:
    """Find the operation for `path`, the part after the base; None for a route or verb that does not exist."""
    segments = _segments(path, decodes_first=decodes_first)
    for pattern, operations in _ROUTES:
        values = _values(pattern.split("/"), segments)
        operation = operations.get(method) or operations.get(_ANY_VERB)
        if values is not None and operation is not None:
            return Match(operation, values)
    return None


def _values(pattern: list[str], segments: list[str]) -> Mapping[str, str] | None:
    if len(pattern) != len(segments):
        return None
    values: dict[str, str] = {}
    for expected, segment in zip(pattern, segments, strict=True):
        if expected.startswith("{"):
            if not segment:
                return None
            values[expected[1:-1]] = segment
        elif expected.casefold() != segment.casefold():
            return None
    return values


def _segments(path: str, *, decodes_first: bool) -> list[str]:
    if decodes_first:
        return unquote_plus(path).strip("/").split("/")
    return [_decode(segment) for segment in path.strip("/").split("/")]


def resolve_dots(path: str) -> str:
    """`path` without its ``.`` and ``..`` segments, which may be escaped."""
    segments = _DOT_ESCAPE.sub(".", path).split("/")[1:]
    resolved: list[str] = []
    for segment in segments:
        if segment == "..":
            del resolved[-1:]
        elif segment != ".":
            resolved.append(segment)
    if segments[-1:] in (["."], [".."]):
        resolved.append("")
    return "/" + "/".join(resolved)


def request_url(origin: str, path: str, query: str) -> str:
    """The URL that the platform makes of a request: with escapes where they are needed, and only there."""
    written = quote(_decode(path), safe="/%!$&'()*+,;=:@~")
    if query:
        written += "?" + quote(query, safe="/%!$&'()*+,;=:@~?#[]")
    return origin + _LONE_PERCENT.sub("%25", written)


def _decode(text: str) -> str:
    parts = _SLASH_ESCAPE.split(text)
    return "".join(part if index % 2 else _ESCAPES.sub(_decoded, part) for index, part in enumerate(parts))


def _decoded(escapes: re.Match[str]) -> str:
    """What a run of escapes stands for; those that are no UTF-8 stay."""
    text, position = "", 0
    for character in unquote_to_bytes(escapes[0]).decode("utf-8", "surrogateescape"):
        size = 3 * len(character.encode("utf-8", "surrogateescape"))
        is_broken = "\ud800" <= character <= "\udfff"
        text += escapes[0][position : position + size] if is_broken else character
        position += size
    return text
