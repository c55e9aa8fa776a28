"""`durable-status doctor`: findings, cures and exit codes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from durable_status.app.doctor import Finding, examine

_HEAD = """
import azure.durable_functions as df
app = df.DFApp()
"""
_CODE = (
    _HEAD
    + """
@app.activity_trigger(input_name="{name}")
def pack({name}): return {name}

@app.activity_trigger(input_name="x")
def fine(x): return x
"""
)
_HOST = """{
  "version": "2.0",
  "extensionBundle": {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"},
  "extensions": {"durableTask": {"hubName": "Mine"}}
}"""
_LOCAL = '{"IsEncrypted": false, "Values": {"AzureWebJobsStorage": "UseDevelopmentStorage=true", %s}}'
_RUNTIME = '"FUNCTIONS_WORKER_RUNTIME": "python"'


@pytest.fixture(autouse=True)
def _own_modules() -> Iterator[None]:
    path = list(sys.path)
    yield
    sys.path[:] = path
    sys.modules.pop("function_app", None)


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    """An app with which nothing is wrong."""
    (tmp_path / "host.json").write_text(_HOST)
    (tmp_path / "local.settings.json").write_text(_LOCAL % _RUNTIME)
    (tmp_path / "function_app.py").write_text(_CODE.format(name="x"))
    (tmp_path / "requirements.txt").write_text("azure-functions-durable>=1.2,<2  # the SDK\n")
    (tmp_path / ".funcignore").write_text("local.settings.json\n")
    return tmp_path


def _texts(findings: list[Finding], *, errors: bool) -> list[str]:
    return [finding.text for finding in findings if finding.is_error is errors]


def test_nothing_is_found_in_a_healthy_app(healthy: Path) -> None:
    assert examine(healthy, {}) == []


def test_a_folder_that_is_not_there_is_the_only_finding(tmp_path: Path) -> None:
    gone = tmp_path / "gone"

    assert examine(gone, {}) == [Finding(f"there is no folder {gone}.", is_error=True)]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("host.json", "{", "host.json is not valid JSON"),
        ("host.json", _HOST.replace("Mine", "no-dash"), "Task hub name 'no-dash'"),
        ("function_app.py", _CODE.format(name="my__x"), "The binding name my__x is invalid"),
        ("function_app.py", _HEAD, "has no function that can be loaded"),
        ("requirements.txt", "azure-functions-durable>=1\nnot-there-at-all==9", "not-there-at-all==9, which is not"),
        ("requirements.txt", "azure-functions-durable==1.0.0", "asks for azure-functions-durable==1.0.0, installed is"),
        ("requirements.txt", "azure-functions-durable>=1\n= 5", "'= 5' is no requirement"),
        ("local.settings.json", '{"IsEncrypted": true}', "local.settings.json is encrypted"),
    ],
)
def test_what_keeps_an_app_from_running_is_an_error(healthy: Path, file: str, content: str, words: str) -> None:
    (healthy / file).write_text(content)

    errors = _texts(examine(healthy, {}), errors=True)

    assert len(errors) == 1
    assert words in errors[0]


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("host.json", _HOST.replace("[4.*, 5.0.0)", "[2.*, 3.0.0)"), "the bundle's version is [2.*, 3.0.0); write"),
        ("host.json", _HOST.replace("hubName", "other"), "names no task hub"),
        ("host.json", '{"version": "2.0"}', "names no extension bundle"),
        ("local.settings.json", _LOCAL % '"A": "b"', "FUNCTIONS_WORKER_RUNTIME is not set"),
        ("local.settings.json", '{"Values": {' + _RUNTIME + "}}", "AzureWebJobsStorage has no value"),
        (".funcignore", "docs/", "in neither .funcignore nor .gitignore"),
        ("requirements.txt", "azure-functions", "does not list azure-functions-durable"),
    ],
)
def test_what_is_only_unwise_is_a_remark(healthy: Path, file: str, content: str, words: str) -> None:
    (healthy / file).write_text(content)

    findings = examine(healthy, {})

    assert not _texts(findings, errors=True)
    assert [text for text in _texts(findings, errors=False) if words in text]


@pytest.mark.conforms("H5-44")
def test_each_function_that_the_worker_refuses_is_an_error_and_so_is_what_it_costs(healthy: Path) -> None:
    refused = "\n".join(
        f'@app.activity_trigger(input_name="x")\ndef {name}(x: {annotation}): return x'
        for name, annotation in (("one", "list[int]"), ("two", "int | None"))
    )
    (healthy / "function_app.py").write_text(_CODE.format(name="x") + refused)

    one, two, loss = _texts(examine(healthy, {}), errors=True)

    assert one.startswith("Function 'one' cannot be loaded (function_app.py, line 10): the annotation of 'x' must be")
    assert two.startswith("Function 'two' cannot be loaded (function_app.py, line 12): the annotation of 'x' must be")
    assert loss == (
        "On the platform this app has no function at all, because the Python worker gives up on all of them when it "
        "refuses one: mend 'one', 'two'."
    )
