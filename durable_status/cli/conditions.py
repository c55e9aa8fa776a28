"""Conditions on a custom status, as they are written on the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Self

import click

from durable_status.stored_json import Json


@dataclass(frozen=True, slots=True)
class CustomStatusCondition:
    """A place in a custom status, and the value to find there."""

    path: tuple[str, ...]
    """Keys from the outside in; none for the whole status."""
    value: Json
    text: str
    """The value as it was written: what is no JSON is a text."""

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read ``PATH=VALUE``, the keys of the path with dots between them.

        Raises:
            click.BadParameter: it is none.
        """
        path, equals, text = written.partition("=")
        if not equals:
            raise click.BadParameter(f"{written!r} is no condition such as stage=packing or progress.done=3.")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        return cls(tuple(path.split(".")) if path else (), value, text)

    def holds(self, status: Json) -> bool:
        """Whether the status has the value there. A text is compared as it is written, too: ``id=7`` finds "7"."""
        found = status
        for key in self.path:
            if not isinstance(found, dict) or key not in found:
                return False
            found = found[key]
        return (found == self.value and isinstance(found, bool) == isinstance(self.value, bool)) or found == self.text
