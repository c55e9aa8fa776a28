"""The constraints of route parameters (ASP.NET's): each says whether a text will do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from dateutil import parser as dates

Constraint = Callable[[str], bool]


class RouteTemplateError(ValueError):
    """The template cannot be served; the text says why."""


_INT, _LONG = 2**31, 2**63
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_GUID = re.compile(r"\{?[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)
_CALL = re.compile(r"(?P<name>[a-zA-Z]+)(?:\((?P<arguments>.*)\))?", re.DOTALL)


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\s*[+-]?\d+\s*", text) else None


def _is_whole_below(bound: int) -> Constraint:
    def check(text: str) -> bool:
        number = _whole(text)
        return number is not None and -bound <= number < bound

    return check


def _is_date(text: str) -> bool:
    try:
        dates.parse(text, default=datetime(2000, 1, 1))
    except (ValueError, OverflowError):
        return False
    return not text.isdecimal()


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


_PLAIN: dict[str, Constraint] = {
    "alpha": lambda text: re.fullmatch("[a-zA-Z]*", text) is not None,
    "bool": lambda text: text.casefold() in ("true", "false"),
    "datetime": _is_date,
    "decimal": lambda text: _is_number(text) and "e" not in text.casefold(),
    "double": _is_number,
    "file": lambda text: "." in text.rpartition("/")[2].rstrip("."),
    "float": _is_number,
    "guid": lambda text: _GUID.fullmatch(text) is not None,
    "int": _is_whole_below(_INT),
    "long": _is_whole_below(_LONG),
    "nonfile": lambda text: "." not in text.rpartition("/")[2].rstrip("."),
    "required": bool,
}

# What is counted, and the bounds as (least, most) by the arguments.
_BOUNDED: dict[str, tuple[Callable[[str], int | None], int]] = {
    "length": (len, 0),
    "minlength": (len, 1),
    "maxlength": (len, 1),
    "min": (_whole, 1),
    "max": (_whole, 1),
    "range": (_whole, 2),
}


def read_constraints(text: str) -> tuple[Constraint, ...]:
    """Read ``:one:two(3)``; colons inside of parentheses belong to their constraint.

    Raises:
        RouteTemplateError: one is unknown, or its arguments are wrong.
    """
    return tuple(_read(part) for part in _split(text))


def _split(text: str) -> list[str]:
    parts: list[str] = []
    depth = 0
    for character in text:
        if character == ":" and depth == 0:
            parts.append("")
            continue
        depth += {"(": 1, ")": -1}.get(character, 0)
        parts[-1] += character
    return parts


def _read(part: str) -> Constraint:
    found = _CALL.fullmatch(part)
    name = found["name"].casefold() if found else part
    arguments = found["arguments"] if found else None
    if name in _PLAIN and not arguments:
        return _PLAIN[name]
    if name == "regex" and arguments:
        return _matches(arguments)
    if name in _BOUNDED and arguments:
        return _within(part, name, arguments)
    known = ", ".join(sorted([*_PLAIN, *(f"{bounded}(n)" for bounded in _BOUNDED), "regex(expression)"]))
    raise RouteTemplateError(f"the route constraint '{part}' is not known; known are {known}.")


def _matches(escaped: str) -> Constraint:
    expression = escaped.replace("{{", "{").replace("}}", "}").replace("[[", "[").replace("]]", "]")
    try:
        pattern = re.compile(expression, re.IGNORECASE)
    except re.error as error:
        raise RouteTemplateError(f"the route constraint 'regex({escaped})' cannot be read: {error}.") from error
    return lambda text: pattern.search(text) is not None


def _within(part: str, name: str, arguments: str) -> Constraint:
    count, wanted = _BOUNDED[name]
    numbers = [_whole(argument) for argument in arguments.split(",")]
    bounds = [number for number in numbers if number is not None]
    if len(bounds) < len(numbers) or len(numbers) not in ((wanted,) if wanted else (1, 2)):
        raise RouteTemplateError(f"the route constraint '{part}' needs {wanted or 'one or two'} whole number(s).")
    least = None if name.startswith("max") else bounds[0]
    most = None if name.startswith("min") else bounds[-1]

    def check(text: str) -> bool:
        number = count(text)
        return number is not None and (least is None or least <= number) and (most is None or number <= most)

    return check
