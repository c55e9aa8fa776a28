"""The import rules of pyproject.toml: no module is left out of them, and breaking one is noticed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT

_PACKAGES = ("durable_status", "orchestrators", "activities", "clients")
_UNBOUND = {
    "durable_status": "the root package itself only re-exports",
    "durable_status.__main__": "calls the command",
}


def _contracts() -> list[dict[str, Any]]:
    contracts: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    return contracts


def _modules() -> set[str]:
    names = set()
    for package in _PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            names.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def _is_in(module: str, packages: set[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def test_every_module_is_bound_by_a_rule() -> None:
    sources = {source for contract in _contracts() for source in contract["source_modules"]}

    left_out = {
        module
        for module in _modules()
        if not _is_in(module, sources | {"durable_status.cli"}) and module not in _UNBOUND  # cli may import everything
    }
    assert left_out == set()


def test_every_contract_module_has_the_contracts_rule() -> None:
    (rule,) = [contract for contract in _contracts() if contract["name"].startswith("Contracts import")]

    assert set(rule["source_modules"]) == {module for module in _modules() if module.endswith("_contract")}


def test_orchestrator_code_is_forbidden_to_clients_activities_and_contracts() -> None:
    code = {module for module in _modules() if module.startswith("orchestrators.") and "_contract" not in module}
    for contract in _contracts():
        if set(contract["source_modules"]) & {"clients", "activities", "orchestrators.hello_sequence_contract"}:
            assert code <= set(contract["forbidden_modules"]), contract["name"]


def test_every_part_of_the_library_is_forbidden_to_the_app() -> None:
    parts = {module for module in _modules() if module.count(".") == 1 and (ROOT / module.replace(".", "/")).is_dir()}
    hidden = {part for part in parts if part.startswith("durable_status.")} - {
        "durable_status.client",
        "durable_status.endpoint",
        "durable_status.payloads",
        "durable_status.task_hub",
    }
    for contract in _contracts():
        if set(contract["source_modules"]) & {"clients", "activities", "orchestrators"}:
            assert hidden - {"durable_status.testing"} <= set(contract["forbidden_modules"]), contract["name"]


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("durable_status/custom_status.py", "import azure.functions", "The library's root imports neither"),
        ("durable_status/replay/ticks.py", "import time", "The replay core imports the root only"),
        ("durable_status/local_host/clock.py", "import orchestrators", "The local host loads apps by path"),
        ("durable_status/task_hub/names.py", "import random", "The format of a task hub imports the root only"),
        ("clients/waiting.py", "import activities.hello_sequence", "Clients know contracts"),
    ],
)
def test_a_broken_rule_is_noticed(tmp_path: Path, module: str, line: str, broken: str) -> None:
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / module
    path.write_text(f"{path.read_text()}\n{line}\n")

    linted = _lint(tmp_path)

    assert linted.returncode == 1, linted.stdout + linted.stderr
    told = " ".join(linted.stdout.split())  # long names are wrapped
    assert re.search(f"{broken}[^.]* BROKEN", told), told
    assert "1 broken." in told
