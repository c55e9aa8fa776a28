"""Starting is fast because nothing is searched for garbage meanwhile; afterwards it is again."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from durable_status.cli.main import main


@pytest.fixture(autouse=True)
def _process_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have undone what the command does to its process."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "function_app", ModuleType("function_app"))
    for name in ("AZURE_FUNCTIONS_ENVIRONMENT", "AzureWebJobsScriptRoot"):
        monkeypatch.setenv(name, "")


def test_garbage_is_collected_again_after_an_app_could_not_be_loaded(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text("import gc\nraise ValueError(f'collecting: {gc.isenabled()}')\n")
    result = CliRunner().invoke(main, ["start", "--app", str(tmp_path), "--storage", "memory"])
    assert "collecting: False" in result.output
    assert gc.isenabled()
