"""mypy accepts the typed examples, and rejects the wrong ones in the lines that are wrong."""

from __future__ import annotations

import re
import subprocess
import sys
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

    assert len(blocks) == 3
    assert "Success: no issues found" in _check(example)
