"""mypy accepts the typed examples, and rejects the wrong ones in the lines that are wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.paths import ROOT

_FOLDER = ROOT / "tests" / "typing"


def _check(path: Path) -> str:
    """What mypy says of a file."""
    said = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--config-file",
            "pyproject.toml",
            str(path),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout + said.stderr


def test_what_is_right_is_accepted() -> None:
    assert "Success: no issues found" in _check(_FOLDER / "accepted.py")


def test_every_wrong_line_is_rejected_and_no_other() -> None:
    lines = (_FOLDER / "rejected.py").read_text().splitlines()
    expected = {
        number: set(line.partition("# error: ")[2].split(", "))
        for number, line in enumerate(lines, 1)
        if "# error: " in line
    }

    found: dict[int, set[str]] = {}
    for number, code in re.findall(r"rejected\.py:(\d+): error: .*\[([\w-]+)\]", _check(_FOLDER / "rejected.py")):
        found.setdefault(int(number), set()).add(code)

    assert found == expected


def test_the_examples_of_the_documentation_are_accepted(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "clients.md").read_text(), re.MULTILINE | re.DOTALL)
    example = tmp_path / "documented_example.py"
    example.write_text("\n".join(blocks))

    assert len(blocks) == 6
    assert "Success: no issues found" in _check(example)


_README = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
_WRITES, _READS = _README[0], _README[1]
_WRONG = {
    "no_such_member": (_READS, "custom_status.message", "custom_status.mesage", "attr-defined"),
    "there_may_be_none": (_READS, "        if status.custom_status is not None:\n    ", "", "union-attr"),
    "no_type": (_READS, "(order, Progress)", "(order)", "call-arg"),
    "id_by_position": (_READS, '["lamp", "desk"]', '["lamp", "desk"], "order-7"', "call-arg"),
    "a_number_as_url": (_READS, '"http://localhost:7071"', "7071", "arg-type"),
    "a_text_as_total": (_WRITES, "total=len(articles)", 'total="2"', "arg-type"),
    "done_by_name_only": (_WRITES, "done=number", "don=number", "call-arg"),
    "no_context": (_WRITES, "set_custom_status(context, progress)", "set_custom_status(None, progress)", "arg-type"),
    "a_text_as_time": (_WRITES, "begin(context.current_utc_datetime", 'begin("now"', "arg-type"),
    "unknown_policy": (_WRITES, "(context, progress)", '(context, progress, too_large="cut")', "arg-type"),
}


def _check_examples(folder: Path, examples: Mapping[str, str]) -> str:
    """What mypy says of modules of a package `documented_example`."""
    package = folder / "documented_example"
    package.mkdir()
    for name, code in ({"__init__": ""} | dict(examples)).items():
        (package / f"{name}.py").write_text(code)
    return _check(package)


def test_the_typed_example_of_the_readme_is_accepted(tmp_path: Path) -> None:
    assert "Success: no issues found in 3 source files" in _check_examples(
        tmp_path, {"writes": _WRITES, "reads": _READS}
    )


def test_wrong_variants_of_the_readme_are_rejected(tmp_path: Path) -> None:
    assert [name for name, (example, right, _, _) in _WRONG.items() if right not in example] == []

    said = _check_examples(tmp_path, {name: code.replace(right, bad) for name, (code, right, bad, _) in _WRONG.items()})

    found = set(re.findall(r"(\w+)\.py:\d+: error: .*\[([\w-]+)\]", said))
    assert {(name, code) for name, (*_, code) in _WRONG.items()} <= found
    assert {name for name, _ in found} == set(_WRONG)
