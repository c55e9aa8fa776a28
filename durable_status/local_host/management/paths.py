"""Matches a management path as it was sent: our own table, because ids may hold what a router library would eat.

The platform cuts its base off by length, trims slashes, resolves dot segments and decodes each segment once, except
``%2F``. Extension 3.x decodes the whole path first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, unquote_plus

_ANY_VERB = "*"
_SLASH_ESCAPE = re.compile("(%2F)", re.IGNORECASE)

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
        return _resolve_dots(unquote_plus(path).strip("/").split("/"))
    # %2E is a dot before anything is matched; the other escapes are decoded in their segment.
    undotted = re.sub("%2e", ".", path, flags=re.IGNORECASE)
    return [_decode(segment) for segment in _resolve_dots(undotted.strip("/").split("/"))]


def _resolve_dots(segments: list[str]) -> list[str]:
    resolved: list[str] = []
    for segment in segments:
        if segment == "..":
            del resolved[-1:]
        elif segment != ".":
            resolved.append(segment)
    return resolved


def _decode(segment: str) -> str:
    parts = _SLASH_ESCAPE.split(segment)
    return "".join(part if index % 2 else unquote(part) for index, part in enumerate(parts))
