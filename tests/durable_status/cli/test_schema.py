"""`durable-status schema`: the types of the app's statuses, for readers in any language."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from durable_status import Progress, RecentItems
from durable_status.cli.main import main
from durable_status.cli.schema import _status_types
from durable_status.cli.status_schema import schema_of
from durable_status.cli.typescript import typescript
from tests.hosts import app_in
from tests.paths import ROOT


def test_the_status_types_of_the_app_are_found_by_their_orchestrations() -> None:
    app_in(ROOT)

    assert set(_status_types(ROOT)) == {"CityRecommender", "E1_HelloSequence", "ReserveTicket", "SetStatusTest"}


@dataclass
class Everything:
    """A bit of everything."""

    progress: Progress
    recent: RecentItems[str]
    pair: tuple[int, str]
    counts: dict[str, float]
    anything: Any
    odd_names: list[bool | None]


def test_typescript_says_the_same_as_the_json_schema() -> None:
    written = typescript(schema_of({"X-1": Everything}))

    assert (
        "export type Everything = {\n"
        "  progress: Progress;\n"
        "  recent: RecentItems_str_;\n"
        "  pair: [number, string];\n"
        "  counts: Record<string, number>;\n"
        "  anything: unknown;\n"
        "  odd_names: (boolean | null)[];\n"
        "};\n"
    ) in written
    assert "  items: string[];\n  start: number;\n  total: number;\n" in written
    assert '  "X-1": Everything;\n' in written


@pytest.mark.parametrize("arguments", [[], ["--format", "typescript"]])
def test_an_app_without_status_types_is_told_how_to_have_them(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(
        "import azure.durable_functions as df\n"
        "app = df.DFApp()\n"
        "@app.activity_trigger(input_name='x')\n"
        "def echo(x):\n"
        "    return x\n"
    )

    result = CliRunner().invoke(main, ["schema", "--app", str(tmp_path), *arguments])

    assert result.exit_code == 1
    assert "ORCHESTRATION and Status" in result.output


def test_the_command_prints_a_schema() -> None:
    import subprocess
    import sys

    printed = subprocess.run(
        [sys.executable, "-m", "durable_status", "schema"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout

    schema = json.loads(printed)
    assert schema["properties"]["ReserveTicket"] == {"anyOf": [{"$ref": "#/$defs/Offer"}, {"$ref": "#/$defs/Outcome"}]}
    assert schema["$defs"]["NextActions"]["required"] == ["nextActions", "foo"]
