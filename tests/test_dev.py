"""dev.py, run on a copy of itself beside a `.venv` of scripts that note how they are called."""

from __future__ import annotations

import ast
import json
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
_PACKAGE_FILES = ("package.json", "package-lock.json")
_GATE_PROGRAMS = ("ruff", "mypy", "lint-imports")
_PROGRAM = """#!/bin/sh
name=$(basename "$0")
[ "$1" = "-c" ] && exec {python} "$@"
echo "$name $*" >> {calls}
for failing in $FAILING; do
    case "$name $*" in *"$failing"*) echo "$PIP_SAYS"; exit 1;; esac
done
[ "$name" = npm ] && mkdir -p node_modules
exit 0
"""
_NPM_CI = (
    "npm --no-audit --no-fund --ignore-scripts --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000 ci"
)
_TOOLS_OF_THE_STAND_INS = ("sh", "basename", "mkdir")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")

_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AzureWebJobsStorage")}


@dataclass
class Copy:
    """A copy of dev.py and what it reads."""

    root: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `dev.py` with the Python of the tests."""
        return subprocess.run(
            [sys.executable, str(self.root / "dev.py"), *arguments],
            env={**_ENVIRONMENT, "PATH": str(self.root / "path"), **environment},
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

    def install_stand_ins(self, folder: str, *names: str) -> None:
        """Put programs into a folder which do nothing but note how they are called."""
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        for name in names:
            program = self.root / folder / name
            program.write_text(_PROGRAM.format(python=sys.executable, calls=self.root / "calls"))
            program.chmod(0o755)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    for name in ("dev.py", "local.settings.json", *_REQUIREMENT_FILES, *_PACKAGE_FILES):
        shutil.copy(ROOT / name, tmp_path)
    copied = Copy(tmp_path)
    copied.install_stand_ins(".venv/bin", "python", *_GATE_PROGRAMS)
    copied.install_stand_ins("path", "node", "npm")
    for name in _TOOLS_OF_THE_STAND_INS:
        (tmp_path / "path" / name).symlink_to(str(shutil.which(name)))
    return copied


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


def test_start_on_azure_storage_runs_the_host_with_azurite(copy: Copy) -> None:
    assert copy.run("start", "--port", "0", "--storage", "azure").returncode == 0
    first = copy.calls()
    assert copy.run("start", "--storage=azure", AzureWebJobsStorage="UseDevelopmentStorage=true").returncode == 0
    second = copy.calls()

    host = f"python -m durable_status start --app {copy.root}"
    with_azurite = f"python -m durable_status.testing.azurite {copy.root} {copy.root}/.venv/bin/{host}"
    assert first[-2:] == [_NPM_CI, f"{with_azurite} --port 0 --storage azure"]
    assert second == [f"{with_azurite} --storage=azure"]


@pytest.mark.parametrize(
    "setting",
    [{"AzureWebJobsStorage": "AccountName=mine;AccountKey=a2V5"}, {"AZUREWEBJOBSSTORAGE__accountName": "mine"}],
)
def test_an_account_that_is_named_is_used_without_azurite(installed: Copy, setting: dict[str, str]) -> None:
    installed.run("start", "--storage", "azure", **setting)
    of_the_shell = installed.calls()
    (installed.root / "local.settings.json").write_text(json.dumps({"Values": setting}))
    installed.run("start", "--storage", "azure")
    of_the_file = installed.calls()

    assert of_the_shell == of_the_file == [f"python -m durable_status start --app {installed.root} --storage azure"]


@pytest.mark.parametrize("text", ["", "[]", '{"Values": null}', '{"Values": {"AzureWebJobsStorage": ""}}'])
def test_local_settings_that_name_no_account_leave_it_to_azurite(installed: Copy, text: str) -> None:
    (installed.root / "local.settings.json").write_text(text)

    installed.run("start", "--storage", "azure")

    assert "durable_status.testing.azurite" in "".join(installed.calls())


def test_other_storage_needs_no_node(copy: Copy) -> None:
    (copy.root / "path" / "node").unlink()

    assert copy.run("start", "--storage", "memory").returncode == 0
    assert not [call for call in copy.calls() if call.startswith("npm")]


@pytest.mark.parametrize(
    ("missing", "told"),
    [(["node"], "Node.js is missing"), (["npm"], "npm is missing"), (["node", "npm"], "Node.js and npm are missing")],
)
def test_without_node_azure_storage_is_refused_and_the_tests_say_what_they_skip(
    installed: Copy, missing: list[str], told: str
) -> None:
    for name in missing:
        (installed.root / "path" / name).unlink()

    refused = installed.run("start", "--storage", "azure")
    tested = installed.run("test")

    assert refused.returncode == 1
    assert refused.stderr == f"dev.py: Azurite cannot run, {told}; install Node.js 18 or newer with npm.\n"
    lines = tested.stdout.splitlines()
    assert tested.returncode == 0
    assert lines[0] == (f"Skipping the tests that need Azurite, as {told}; install Node.js 18 or newer with npm.")
    assert lines[-1] == f"All gates passed, but {told}: nothing was tested on Azurite."


def test_azurite_is_installed_again_when_the_lockfile_has_changed(installed: Copy) -> None:
    for name in _PACKAGE_FILES:
        path = installed.root / name
        path.write_text(f"{path.read_text()}\n")
        installed.run("test", "-q")
        first = installed.calls()
        installed.run("test", "-q")

        assert first == [_NPM_CI, "python -m pytest -q"], name
        assert installed.calls() == ["python -m pytest -q"], name


@pytest.mark.parametrize(
    ("npm_says", "told"),
    [
        (
            "npm error code ECONNREFUSED",
            "packages cannot be installed: no npm registry can be reached; check the network, or name one in "
            "NPM_CONFIG_REGISTRY.",
        ),
        ("npm error code ENOSPC", "packages cannot be installed: the disk is full; free some room and try again."),
        ("npm error code EWHATEVER", "packages cannot be installed; npm's last lines are above."),
    ],
)
def test_what_keeps_npm_from_installing_is_told_and_tried_again(copy: Copy, npm_says: str, told: str) -> None:
    failed = copy.run("start", "--storage", "azure", FAILING="--ignore-scripts", PIP_SAYS=npm_says)

    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == f"dev.py: {told}"
    assert not [call for call in copy.calls() if "durable_status.testing.azurite" in call]
    copy.run("start", "--storage", "azure")
    assert _NPM_CI in copy.calls()


def test_the_test_command_runs_every_gate(installed: Copy) -> None:
    passed = installed.run("test")

    assert passed.returncode == 0
    assert installed.calls() == [
        "ruff check .",
        "ruff format --check .",
        "mypy ",
        "lint-imports ",
        "python -m tests.check_goldens tests/goldens/replay",
        "python -m pytest -q -n auto --dist worksteal",
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


def test_package_lock_pins_azurite_and_names_the_public_registry_only() -> None:
    pinned = json.loads((ROOT / "package.json").read_text())["devDependencies"]["azurite"]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert packages["node_modules/azurite"]["version"] == pinned
    addresses = [package["resolved"] for path, package in packages.items() if path]
    assert addresses == [address for address in addresses if address.startswith("https://registry.npmjs.org/")]
    assert all(package["integrity"] for path, package in packages.items() if path)


@pytest.fixture
def ci(copy: Copy) -> Copy:
    """What `.ci/run` sees, with Python that has everything."""
    shutil.copytree(ROOT / ".ci", copy.root / ".ci")
    copy.install_stand_ins("path", "apt-get")
    for name, lines in {"python3": '[ "$1" = -c ] && exit "$NO_VENV"', "id": 'echo "$USER_ID"'}.items():
        (copy.root / "path" / name).write_text(f'#!/bin/sh\n{lines}\necho "{name} $*" >> {copy.root}/calls\n')
        (copy.root / "path" / name).chmod(0o755)
    (copy.root / "path" / "dirname").symlink_to(str(shutil.which("dirname")))
    return copy


def _run_ci(ci: Copy, *, user: int = 0, no_venv: bool = False) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(ci.root / "path"), "USER_ID": str(user), "NO_VENV": str(int(no_venv))}
    command = [str(shutil.which("bash")), str(ci.root / ".ci" / "run")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_ci_runs_exactly_the_test_command(ci: Copy) -> None:
    assert _run_ci(ci).returncode == 0
    assert ci.calls() == ["python3 dev.py test"]
    assert (ROOT / ".ci" / "run").read_text().endswith("\nexec python3 dev.py test\n")
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_ci_installs_the_debian_packages_that_are_missing(ci: Copy) -> None:
    (ci.root / "path" / "node").unlink()
    (ci.root / "path" / "npm").unlink()

    assert _run_ci(ci, no_venv=True).returncode == 0
    *installing, last = [call for call in ci.calls() if not call.startswith("id ")]
    assert [call for call in installing if call.startswith("apt-get")] == installing
    assert installing[-1].endswith(" python3-venv nodejs npm")
    assert last == "python3 dev.py test"


def test_ci_without_the_right_to_install_says_what_is_missing(ci: Copy) -> None:
    (ci.root / "path" / "npm").unlink()

    refused = _run_ci(ci, user=1000)

    assert refused.returncode == 1
    assert refused.stderr == ".ci/run: packages are missing; run as root: apt-get install npm\n"
    assert not [call for call in ci.calls() if call.startswith(("apt-get", "python3"))]
