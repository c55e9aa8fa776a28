"""What is deployed: `.funcignore` as its two readers understand it, and an app that starts without the rest."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from pathspec import GitIgnoreSpec

from tests.hosts import app_in
from tests.paths import ROOT

_FOLDERS = ("activities", "clients", "orchestrators", "durable_status")
_FILES = {"function_app.py", "host.json", "requirements.txt", "constraints.txt", "LICENSE"}
_LIBRARY_KEPT_OUT = tuple(f"durable_status/{part}/" for part in ("app", "cli", "local_host", "replay", "testing"))
_LEFT_BY_TOOLS = [
    *(".env", ".git/HEAD", ".venv/bin/python", ".venv.lock", ".durable-status/Hub.sqlite3", ".mypy_cache/3.11/x.json"),
    *(
        ".azure/dev/.env",
        ".github/workflows/ci.yml",
        "node_modules/azurite/package.json",
        "build/lib/x.py",
        "dist/x.whl",
    ),
    *("__pycache__/function_app.pyc", "clients/__pycache__/starters.cpython-311.pyc", ".hypothesis/x", ".ruff_cache/x"),
    *("durable_status/__pycache__/errors.cpython-311.pyc", "durable_status/app/__pycache__/load.cpython-311.pyc"),
    *("infra/main.bicep", "infra/.bicepconfig", "local.settings.json", "package.json", ".pytest_cache/README.md"),
]


def _patterns() -> list[str]:
    return [line for line in (ROOT / ".funcignore").read_text().splitlines() if line]


def _as_core_tools(patterns: list[str]) -> re.Pattern[str]:
    """Core Tools makes one expression of the file: from the start of the path to the end of a word."""

    def expression(pattern: str) -> str:
        return re.escape(pattern.removeprefix("/")).replace(r"\*\*", "(.+)").replace(r"\*", "([^/]+)")

    return re.compile(rf"^(({')|('.join(map(expression, patterns))}))\b")


def _candidates() -> list[str]:
    """Files that stand in a checkout: those of the repository, and what tools leave behind."""
    ours = [
        path.relative_to(ROOT).as_posix()
        for top in sorted(ROOT.iterdir())
        if top.name not in (".git", ".venv", "node_modules", ".durable-status") and not top.name.endswith("_cache")
        for path in ([top] if top.is_file() else sorted(top.rglob("*")))
        if path.is_file()
    ]
    return [*ours, *_LEFT_BY_TOOLS]


def _package() -> list[str]:
    spec = GitIgnoreSpec.from_lines(_patterns())
    return [path for path in _candidates() if not spec.match_file(path)]


def _run_in_package(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run Python code where there is the package and nothing else of the repository."""
    for path in set(_package()) - set(_LEFT_BY_TOOLS):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_both_readers_of_funcignore_come_to_the_same_package() -> None:
    core_tools = _as_core_tools(_patterns())

    assert [path for path in _candidates() if not core_tools.match(path)] == _package()


def test_the_package_is_the_app_and_the_part_of_the_library_it_uses() -> None:
    package = _package()

    assert {path for path in package if "/" not in path} == _FILES
    assert {path.partition("/")[0] for path in package if "/" in path} == set(_FOLDERS)
    assert not [
        path for path in package if path.startswith(tuple(f"durable_status/{part}" for part in _LIBRARY_KEPT_OUT))
    ]
    assert not [path for path in package if path.endswith((".pyc", ".sqlite3", ".env", "local.settings.json"))]
    assert {"function_app.py", "clients/starters.py", "durable_status/custom_status.py"} <= set(package)


def test_the_app_starts_from_the_package_alone(tmp_path: Path) -> None:
    script = (
        "import sys, function_app, durable_status\n"
        "print(len(function_app.app.get_functions()), durable_status.__file__)\n"
        "print(*[name for name in sys.modules if name.startswith('durable_status.')])\n"
        "print(*{'httpx', 'pydantic', 'rich'}.intersection(sys.modules))\n"
    )
    done = _run_in_package(tmp_path, script)

    assert done.returncode == 0, done.stderr
    first, modules, slow = done.stdout.splitlines()
    assert slow == "", "each takes its time at every cold start"
    assert first == f"{len(app_in(ROOT).functions)} {tmp_path}/durable_status/__init__.py"
    parts = {name.split(".")[1] for name in modules.split()}
    assert parts.isdisjoint(path.split("/")[1] for path in _LIBRARY_KEPT_OUT)


def test_what_offloads_a_status_is_in_the_package_and_costs_no_cold_start(tmp_path: Path) -> None:
    script = (
        "import sys, durable_status.client.durable_client\n"
        "from durable_status.payloads.blueprint import offload_blueprint\n"
        "offload_blueprint()\n"
        "print('azure.storage' in sys.modules, 'pydantic' in sys.modules)\n"
        "import durable_status.payloads.blob, durable_status.payloads.folder\n"
    )
    done = _run_in_package(tmp_path, script)

    assert (done.returncode, done.stdout) == (0, "False False\n"), done.stderr


def test_requirements_are_short_and_pinned_by_the_constraints() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    constraints = (ROOT / "constraints.txt").read_text()

    assert lines[0] == "-c constraints.txt"
    assert len(lines) <= 7
    for line in lines[1:]:
        name = re.split("[<>=]", line)[0]
        assert re.search(rf"^{name}==", constraints, re.MULTILINE), name
    assert "azure-functions-worker" not in "".join(lines)
