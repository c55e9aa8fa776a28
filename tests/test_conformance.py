"""docs/conformance.md and the tests name each other: every row its tests, every test its rows."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.paths import ROOT

_ROW = re.compile(r"\| (?P<row>[A-Z]+[\d.]*-\d+) \|(?P<rule>.*)\|(?P<code>[^|]*)\|(?P<tests>[^|]*)\|")
_TESTS = ROOT / "tests"
_ROWS = [
    match
    for line in (ROOT / "docs" / "conformance.md").read_text().splitlines()
    if (match := _ROW.fullmatch(line.replace("\\|", "&#124;")))
]


def _named_tests(cell: str) -> list[str]:
    return [] if "differs:" in cell else re.findall(r"`([^`]+::[^`]+)`", cell)


def _cited_rows() -> dict[str, set[str]]:
    """The rows that each test cites, by ``file::test``."""
    cited: dict[str, set[str]] = defaultdict(set)
    for path in sorted(_TESTS.rglob("test_*.py")):
        for test, row in _citations(path):
            cited[f"{path.relative_to(_TESTS).as_posix()}::{test}"].add(row)
    return cited


def _citations(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.conforms":
                yield from ((node.name, ast.literal_eval(argument)) for argument in decorator.args)


def test_rows_are_numbered_once_and_well_formed() -> None:
    lines = (ROOT / "docs" / "conformance.md").read_text().splitlines()
    table_lines = [line for line in lines if re.match(r"\| [A-Z]+[\d.]*-", line)]
    numbers = [match["row"] for match in _ROWS]

    assert len(table_lines) == len(_ROWS)
    assert sorted(numbers) == sorted(set(numbers))


def test_every_row_names_code_that_exists_and_a_test_or_why_we_differ() -> None:
    problems = [
        f"{match['row']}: {code}"
        for match in _ROWS
        for code in re.findall(r"`([^`]+)`", match["code"])
        if not (ROOT / code).exists()
    ]
    problems += [
        f"{match['row']}: no test"
        for match in _ROWS
        if not _named_tests(match["tests"]) and not re.search(r"differs: \S", match["tests"])
    ]

    assert problems == []


def test_rows_and_tests_name_each_other() -> None:
    named = {(test, match["row"]) for match in _ROWS for test in _named_tests(match["tests"])}
    cited = {(test, row) for test, rows in _cited_rows().items() for row in rows}

    assert sorted(named - cited) == [], "rows name tests that do not cite them"
    assert sorted(cited - named) == [], "tests cite rows that do not name them"
