"""The README says what is so."""

from __future__ import annotations

import ast
import json
import re

from durable_status.app.links import WEBHOOK_BASE
from tests.hosts import app_in
from tests.paths import GOLDENS, ROOT

_README = (ROOT / "README.md").read_text()


def test_every_link_and_folder_exists() -> None:
    named = [*re.findall(r"\]\(([\w./-]+)\)", _README), *re.findall(r"^\| `([\w./]+)`", _README, re.MULTILINE)]

    assert len(named) >= 8
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_its_python_is_python() -> None:
    blocks = re.findall(r"```python\n(.*?)```", _README, re.DOTALL)

    assert blocks
    for block in blocks:
        ast.parse(block)


def test_the_urls_are_those_of_the_app_and_the_management_api() -> None:
    names = {function.durable_name for function in app_in(ROOT).functions}
    paths = re.findall(r"http://localhost:7071(/[^\s?\"]*)", _README)

    assert paths
    for path in paths:
        assert path.startswith((f"{WEBHOOK_BASE}/instances/", "/api/orchestrators/")), path
        if path.startswith("/api/"):
            assert path.split("/")[3] in names


def test_the_documents_shown_are_those_that_were_recorded() -> None:
    shown = [json.loads(line) for line in _README.splitlines() if line.startswith('{"name":"E1_HelloSequence"')]
    recorded = [
        json.loads(answer["body"]) for answer in json.loads((GOLDENS / "scenarios.json").read_text())["answers"]["S1"]
    ]

    def essence(document: dict[str, object]) -> tuple[object, ...]:
        return (list(document), document["runtimeStatus"], document["customStatus"], document["output"])

    assert len(shown) == 3
    assert [essence(document) for document in shown] == [
        essence(document) for document in recorded if document["customStatus"] is not None
    ]
