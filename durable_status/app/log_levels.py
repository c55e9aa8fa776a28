"""``logging.logLevel`` of host.json: which log lines of which category are let through (as .NET's logging filters)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from durable_status.app.errors import AppError
from durable_status.app.section import HOST_FILE, Section

_DEFAULT = "default"
_LEVELS = {
    "trace": 5,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": 100,
}


@dataclass(frozen=True, slots=True)
class LogLevels:
    """The lowest level of each category, as numbers of Python's logging; names in lower case, ``""`` is the default."""

    of_categories: Mapping[str, int]

    @property
    def lowest(self) -> int:
        """The lowest level of any category."""
        return min(self.of_categories.values(), default=logging.INFO)

    def of(self, category: str) -> int:
        """The lowest level that is logged of `category`: the rule with the longest name that it begins with."""
        name = category.casefold()
        matching = [rule for rule in self.of_categories if name.startswith(rule)]
        return self.of_categories[max(matching, key=len)] if matching else logging.INFO


def read_log_levels(content: Section) -> LogLevels | None:
    """The levels that host.json asks for; None if it says nothing of them.

    Raises:
        AppError: a level does not exist.
    """
    section = content.section("logging").section("logLevel")
    levels = {name: _level(name, section.value(name)) for name in section if section.value(name) not in (None, "")}
    if not levels:
        return None
    default = levels.pop(_DEFAULT, logging.INFO)
    return LogLevels({"": default} | levels)


def _level(category: str, value: object) -> int:
    text = str(value).strip().casefold()
    names = list(_LEVELS)
    if text.isdecimal() and int(text) < len(names):
        text = names[int(text)]
    if text not in _LEVELS:
        raise AppError(
            f"{HOST_FILE}: logging.logLevel.{category} must be Trace, Debug, Information, Warning, Error, Critical or "
            f"None, not {value!r}."
        )
    return _LEVELS[text]
