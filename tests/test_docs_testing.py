"""docs/testing.md, and the test in the README: the code runs, and the output is what is printed."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from durable_status.testing.bench import DurableBench
from durable_status.testing.errors import RuleBroken
from durable_status.testing.moves import event
from tests.paths import ROOT

_README_TEST = re.search(r"\n## Test it\n.*?\n## ", (ROOT / "README.md").read_text(), re.DOTALL)
assert _README_TEST
_TEXT = (ROOT / "docs" / "testing.md").read_text() + _README_TEST[0]
_CODE = re.findall(r"```python\n(.*?)```", _TEXT, re.DOTALL)
_OUTPUT = re.findall(r"```text\n(.*?)```", _TEXT, re.DOTALL)


def _examples() -> list[Any]:
    on_azurite = [pytest.mark.needs_azurite]
    return [
        pytest.param(code, marks=on_azurite if re.search("task_hub|Azurite", code) else [], id=str(number))
        for number, code in enumerate(_CODE)
    ]


@pytest.mark.parametrize("code", _examples())
def test_the_code_runs(code: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(code, names)
    for name, function in list(names.items()):
        if name.startswith("test_") and inspect.isfunction(function):
            function(*map(request.getfixturevalue, inspect.signature(function).parameters))

    printed = capsys.readouterr().out
    assert not printed or printed in _OUTPUT


@pytest.mark.durable(app="tests/apps/orders")
def test_the_failure_is_told_as_shown(durable: DurableBench) -> None:
    with pytest.raises(RuleBroken) as raised:
        durable.explore("TwoApprovals", events=[event("Approve", "ann"), event("Approve", "bob")])

    assert f"{raised.value}\n" in _OUTPUT
