"""The tree of errors that the module and the documentation draw is the one there is."""

from __future__ import annotations

import inspect
import re

from durable_status import errors
from durable_status.errors import DurableStatusError
from tests.paths import ROOT


def _drawn(text: str) -> list[tuple[int, str]]:
    """Depth and name of each error in a drawing."""
    lines = re.finditer(r"^ *?((?:[│├└─ ]{4})*)(\w+Error)\b", text, re.MULTILINE)
    return [(len(line[1]) // 4, line[2]) for line in lines]


def _tree(error: type[Exception], depth: int = 0) -> list[tuple[int, str]]:
    inside = [kind for kind in error.__subclasses__() if kind.__module__ == errors.__name__]
    return [(depth, error.__name__), *(line for kind in inside for line in _tree(kind, depth + 1))]


def test_the_docstring_draws_the_tree() -> None:
    assert _drawn(inspect.cleandoc(errors.__doc__ or "").partition("::")[2].replace("\n    ", "\n")) == _tree(
        DurableStatusError
    )


def test_the_documentation_draws_the_same_tree() -> None:
    drawing = re.search(r"```\n(DurableStatusError\n.*?)```", (ROOT / "docs" / "clients.md").read_text(), re.DOTALL)

    assert drawing is not None
    assert drawing[1].strip() in re.sub(r"^    ", "", errors.__doc__ or "", flags=re.MULTILINE)
