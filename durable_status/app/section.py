"""One object of host.json, read as the Functions host reads it: names in any case, every scalar a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from durable_status.app.errors import AppError

HOST_FILE = "host.json"

_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?")


class Section:
    """An object with the name that errors call it by."""

    def __init__(self, name: str, content: object) -> None:
        if not isinstance(content, dict):
            raise AppError(f"{name} must be an object, not {content!r}.")
        self._name = name
        self._content: dict[str, Any] = {key.casefold(): value for key, value in content.items()}
        self.names = tuple(content)
        """The names in it, as they are written."""

    def __iter__(self) -> Iterator[str]:
        """The names in it, in lower case."""
        return iter(self._content)

    def value(self, key: str) -> Any:
        """The value as it is, or None."""
        return self._content.get(key.casefold())

    def section(self, key: str) -> Section:
        """The object under `key`; an absent one is empty."""
        value = self.value(key)
        return Section(f"{self._name}: {key}", {} if value is None else value)

    def text(self, key: str) -> str | None:
        """A text, or None if there is none."""
        value = self.value(key)
        if value is not None and not isinstance(value, str):
            raise AppError(f"{self._name}: {key} must be a text, not {value!r}.")
        return value

    def texts(self, key: str) -> list[str] | None:
        """A list of texts, or None if there is none."""
        value = self.value(key)
        if value is not None and not (isinstance(value, list) and all(isinstance(item, str) for item in value)):
            raise AppError(f"{self._name}: {key} must be a list of texts, not {value!r}.")
        return value

    def number(self, key: str, default: int, *, least: int = 1, most: int | None = None) -> int:
        """A whole number within bounds. All scalars are texts to the host, so "5" is as good as 5."""
        value = self.value(key)
        if value is None:
            return default
        text = str(value).strip()
        if isinstance(value, bool) or not text.isdecimal() or int(text) < least or (most and int(text) > most):
            bounds = f"from {least} to {most}" if most else "above zero" if least == 1 else "of zero or more"
            raise AppError(f"{self._name}: {key} must be a whole number {bounds}, not {value!r}.")
        return int(text)

    def truth(self, key: str, default: bool = False) -> bool:
        """True or false, as JSON or as text."""
        value = self.value(key)
        text = str(value).casefold()
        if value is not None and text not in ("true", "false"):
            raise AppError(f"{self._name}: {key} must be true or false, not {value!r}.")
        return default if value is None else text == "true"

    def choice(self, key: str, options: tuple[str, ...]) -> str:
        """One of `options`, matched in any case; the first if there is none."""
        value = self.text(key)
        if value is None:
            return options[0]
        for option in options:
            if option.casefold() == value.casefold():
                return option
        raise AppError(f"{self._name}: {key} must be {' or '.join(options)}, not {value!r}.")

    def span_seconds(self, key: str) -> float | None:
        """A span of time such as "00:05:00" in seconds, or None if there is none."""
        value = self.value(key)
        found = None if value is None else _SPAN.fullmatch(str(value))
        if value is not None and found is None:
            raise AppError(f'{self._name}: {key} must be a span of time such as "00:05:00", not {value!r}.')
        return None if found is None else _seconds(found)


def _seconds(span: re.Match[str]) -> float:
    days, hours, minutes, seconds = (float(part or 0) for part in span.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def overlay(content: dict[str, Any], environment: Mapping[str, str], prefix: str) -> dict[str, Any]:
    """`content` with the variables that begin with `prefix` laid over it; ``__`` leads into an object.

    ``<prefix>extensions__durableTask__hubName=X`` sets that member, whatever the case it is written in.
    """
    merged = dict(content)
    for variable, value in environment.items():
        if variable.casefold().startswith(prefix.casefold()):
            _put(merged, variable[len(prefix) :].split("__"), value)
    return merged


def _put(content: dict[str, Any], path: list[str], value: str) -> None:
    name = next((key for key in content if key.casefold() == path[0].casefold()), path[0])
    if len(path) == 1:
        content[name] = value
        return
    inner = content.get(name)
    content[name] = dict(inner) if isinstance(inner, dict) else {}
    _put(content[name], path[1:], value)
