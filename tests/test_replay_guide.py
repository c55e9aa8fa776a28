"""The guide to the replay engine names files and rows that exist, and every file of the engine."""

from __future__ import annotations

import re

from tests.paths import ROOT

_GUIDE = (ROOT / "docs" / "replay.md").read_text()
_ROWS = set(re.findall(r"^\| ([A-Z]+[\d.]*-\d+) \|", (ROOT / "docs" / "conformance.md").read_text(), re.MULTILINE))


def test_it_names_every_file_of_the_engine_and_no_other() -> None:
    named = set(re.findall(r"`(\w+\.py)`", _GUIDE))
    files = {path.name for path in (ROOT / "durable_status" / "replay").glob("*.py")} - {"__init__.py"}

    assert named == files


def test_it_names_rows_and_sections_that_exist() -> None:
    named = re.findall(r"\b(?:R|XR)\d*(?:\.\d+)?(?:-\d+)?\b", "\n".join(re.findall(r"\|[^|]*\|\n", _GUIDE)))

    assert len(named) > 30
    assert [name for name in named if name not in _ROWS and not any(row.startswith(f"{name}-") for row in _ROWS)] == []
