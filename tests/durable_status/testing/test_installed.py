"""The harness in another repository: the library installed as pip installs it, and no conftest of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from tests.paths import ROOT

_APP = """
import azure.durable_functions as df
app = df.DFApp()

@app.activity_trigger(input_name="n")
def Double(n: int) -> int:
    return 2 * n

@app.orchestration_trigger(context_name="context")
def Main(context):
    context.set_custom_status("working")
    return (yield context.call_activity("Double", context.get_input()))

@app.orchestration_trigger(context_name="context")
def Forgetful(context):
    context.call_activity("Double", 1)
    return (yield context.call_activity("Double", 2))
"""
_TESTS = """
import durable_status, pytest

def test_story(durable):
    durable.snapshot(durable.start("Main", 3))

@pytest.mark.durable(allow=["unyielded"])
def test_allowed(durable):
    assert durable.start("Forgetful").output == 4
    print("installed in", durable_status.__file__)
"""
_INI = "[pytest]\ndurable_app = shop\naddopts = --strict-markers -s\n"
_OF_THE_LOCAL_HOST = ("click", "cronsim", "filelock", "httpx", "pytest", "rich", "starlette", "uvicorn", "watchfiles")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the library as pip installs it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "durable_status", source / "durable_status")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-compile",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", target, source], check=True, capture_output=True)
    return target


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with an app and two tests, which knows the library by its name only."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "shop" / "function_app.py").write_text(_APP)
    (tmp_path / "test_shop.py").write_text(_TESTS)
    (tmp_path / "pytest.ini").write_text(_INI)
    return tmp_path


def _run(installed: Path, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    environment.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(
        [sys.executable, *arguments], cwd=project, env=environment, capture_output=True, text=True, check=False
    )


def test_fixture_ini_marker_and_flag_come_with_the_package(installed: Path, project: Path) -> None:
    printed = _run(installed, project, "-m", "pytest", "--durable-update").stdout

    assert "2 passed" in printed, printed
    assert f"installed in {installed}" in printed
    assert "Completed" in (project / "timelines" / "test_shop" / "test_story.txt").read_text()


def test_without_pytest_nothing_is_needed_but_the_extra(installed: Path, project: Path) -> None:
    code = (
        "import sys\n"
        "from durable_status.testing import DurableBench\n"
        "print(DurableBench.of_folder('shop').start('Main', 4).output)\n"
        f"print([name for name in {_OF_THE_LOCAL_HOST!r} if name in sys.modules])"
    )

    assert _run(installed, project, "-c", code).stdout == "8\n[]\n"


def test_the_metadata_has_the_extra_and_the_plugin(installed: Path) -> None:
    (folder,) = installed.glob("durable_status-*.dist-info")
    distribution = Distribution.at(folder)

    (plugin,) = distribution.entry_points.select(group="pytest11")
    assert plugin.value == "durable_status.testing.pytest_plugin"
    assert set(distribution.metadata.get_all("Provides-Extra") or ()) >= {"cli", "client", "local-host", "testing"}
    needed = [text for text in distribution.requires or () if 'extra == "testing"' in text]
    assert {text.split(">")[0].split("<")[0] for text in needed} == {
        "azure-functions",
        "azure-functions-durable",
        "json-with-comments",
    }
