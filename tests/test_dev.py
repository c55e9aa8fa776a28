"""dev.py, run on a copy of itself beside a `.venv` of scripts that note how they are called."""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.paths import ROOT

_REQUIREMENT_FILES = ("requirements.txt", "requirements-dev.txt", "constraints.txt", "pyproject.toml")
_GATE_PROGRAMS = ("ruff", "mypy", "lint-imports")
_PROGRAM = """#!/bin/sh
name=$(basename "$0")
[ "$1" = "-c" ] && exec {python} "$@"
echo "$name $*" >> {calls}
for failing in $FAILING; do
    case "$name $*" in *"$failing"*) echo "$PIP_SAYS"; exit 1;; esac
done
exit 0
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


@dataclass
class Copy:
    """A copy of dev.py and what it reads."""

    root: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `dev.py` with the Python of the tests."""
        return subprocess.run(
            [sys.executable, str(self.root / "dev.py"), *arguments],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def calls(self) -> list[str]:
        """How the programs of `.venv` were called since the last look."""
        path = self.root / "calls"
        found = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return found


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    for name in ("dev.py", *_REQUIREMENT_FILES):
        shutil.copy(ROOT / name, tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", *_GATE_PROGRAMS):
        (programs / name).write_text(_PROGRAM.format(python=sys.executable, calls=tmp_path / "calls"))
        (programs / name).chmod(0o755)
    return Copy(tmp_path)


@pytest.fixture
def installed(copy: Copy) -> Copy:
    assert copy.run("test", "-q").returncode == 0
    copy.calls()
    return copy


@pytest.mark.parametrize("arguments", [[], ["begin"], ["--version"]])
def test_without_a_command_it_shows_its_usage_on_stderr(copy: Copy, arguments: list[str]) -> None:
    shown = copy.run(*arguments)

    assert (shown.returncode, shown.stdout) == (2, "")
    assert "python3 dev.py start [OPTIONS]" in shown.stderr
    assert copy.calls() == []


@pytest.mark.parametrize("arguments", [["-h"], ["--help"], ["help"], ["test", "--help"]])
def test_asked_for_help_it_shows_its_usage(copy: Copy, arguments: list[str]) -> None:
    shown = copy.run(*arguments)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "python3 dev.py test " in shown.stdout


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 10, 13), (3, 14, 0)])
def test_another_python_is_told_in_one_line_which_one_is_needed(copy: Copy, version: tuple[int, ...]) -> None:
    pretend = (
        f"import runpy, sys; sys.version_info = ({version[0]}, {version[1]}, {version[2]}, 'final', 0); "
        f"sys.argv = ['dev.py', 'test']; runpy.run_path({str(copy.root / 'dev.py')!r}, run_name='__main__')"
    )
    refused = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, check=False)

    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"dev.py: this needs Python 3.11 to 3.13, and {sys.executable} is ")
    assert "{}.{}.{}.".format(*version) in line
    assert copy.calls() == []


def test_an_old_python_can_read_it_that_far() -> None:
    ast.parse((ROOT / "dev.py").read_text(), feature_version=(3, 6))


def test_it_uses_the_standard_library_only() -> None:
    imported = {
        alias.name.partition(".")[0] if isinstance(node, ast.Import) else str(node.module).partition(".")[0]
        for node in ast.walk(ast.parse((ROOT / "dev.py").read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }

    assert imported <= sys.stdlib_module_names


def test_it_installs_once_and_again_when_a_requirement_file_changed(copy: Copy) -> None:
    copy.run("test", "-q")
    first = copy.calls()
    copy.run("test", "-q")
    second = copy.calls()
    for name in _REQUIREMENT_FILES:
        path = copy.root / name
        path.write_text(f"{path.read_text()}# changed\n")
        copy.run("test", "-q")
        assert any("pip install" in call for call in copy.calls()), name

    assert [call for call in first if f"-r {copy.root}/requirements-dev.txt" in call]
    assert [call for call in first if f"--editable {copy.root}" in call]
    assert second == ["python -m pytest -q"]


def test_a_failed_install_is_tried_again_next_time(copy: Copy) -> None:
    failed = copy.run("test", FAILING="requirements-dev.txt", PIP_SAYS="ERROR: No matching distribution found for x")

    assert failed.returncode == 1
    assert failed.stderr == (
        "dev.py: packages cannot be installed: the package index lacks a package; see PIP_INDEX_URL.\n"
    )
    copy.calls()
    assert copy.run("test", "-q").returncode == 0
    assert any("pip install" in call for call in copy.calls())


def test_a_missing_package_index_is_told_in_one_line(copy: Copy) -> None:
    (copy.root / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    # One that is nowhere, so that pip has to ask, and this environment stays as it is.
    (copy.root / "requirements-dev.txt").write_text("durable-status-no-such-package==1\n")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take it
        index = f"http://127.0.0.1:{unused.getsockname()[1]}/simple"
        refused = copy.run("start", PIP_INDEX_URL=index, PIP_EXTRA_INDEX_URL="", PIP_CONFIG_FILE=os.devnull)

    assert refused.returncode == 1
    assert refused.stderr == (
        "dev.py: packages cannot be installed: no package index can be reached; check the network, "
        "or name one in PIP_INDEX_URL.\n"
    )


def test_a_folder_that_takes_no_file_is_told_in_one_line(copy: Copy) -> None:
    (copy.root / ".venv.lock").mkdir()  # modes do not bind root, this does

    refused = copy.run("start")

    assert refused.returncode == 1
    assert refused.stderr == f"dev.py: {copy.root} cannot be written: Is a directory.\n"


def test_start_serves_this_app_and_passes_the_options_on(installed: Copy) -> None:
    started = installed.run("start", "--port", "0", "--storage", "memory", "--extension", "2.13")

    assert started.returncode == 0
    assert installed.calls() == [
        f"python -m durable_status start --app {installed.root} --port 0 --storage memory --extension 2.13"
    ]


def test_start_ends_with_the_code_of_the_host(installed: Copy) -> None:
    assert installed.run("start", FAILING="durable_status").returncode == 1


def test_the_test_command_runs_every_gate(installed: Copy) -> None:
    passed = installed.run("test")

    assert passed.returncode == 0
    assert installed.calls() == [
        "ruff check .",
        "ruff format --check .",
        "mypy ",
        "lint-imports ",
        "python -m tests.check_goldens tests/goldens/replay",
        "python -m pytest -q -n auto",
    ]
    assert passed.stdout.splitlines()[-1] == "All gates passed."


@pytest.mark.parametrize(
    ("failing", "name"),
    [
        ("check", "lint"),
        ("--check", "format"),
        ("mypy", "types"),
        ("lint-imports", "import rules"),
        ("check_goldens", "goldens"),
        ("pytest", "tests"),
    ],
)
def test_a_gate_that_fails_fails_the_command_and_the_others_still_run(installed: Copy, failing: str, name: str) -> None:
    failed = installed.run("test", FAILING=failing, PIP_SAYS="why")

    assert failed.returncode == 1
    assert name in failed.stderr
    assert failed.stderr.startswith("dev.py: failed: ")
    assert len(installed.calls()) == 6
    assert "All gates passed." not in failed.stdout
    if name != "tests":
        assert "why" in failed.stdout


def test_arguments_go_to_pytest_alone(installed: Copy) -> None:
    assert installed.run("test", "tests/test_dev.py", "-k", "x").returncode == 0
    assert installed.calls() == ["python -m pytest tests/test_dev.py -k x"]
    assert installed.run("test", "-x", FAILING="pytest").returncode == 1


def test_ci_runs_exactly_the_test_command() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == [
        "set -eu",
        'cd "$(dirname "$0")/.."',
        "exec python3 dev.py test",
    ]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
