"""`durable-status replay` and `durable-status record`, from the recording of a running hub to the verdict."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from durable_status.cli.main import main
from durable_status.testing.bench import DurableBench
from durable_status.testing.recorder import record_histories, to_folder
from durable_status.testing.redaction import redact
from tests.hosts import running_host
from tests.paths import APPS, GOLDENS, ROOT

_HELLO = GOLDENS / "storage" / "hello.json"
_RECORDED_APP = APPS / "recorded"


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_histories_that_survive_are_told_and_exit_with_0() -> None:
    result = _run("replay", _HELLO, "--app", _RECORDED_APP)

    assert result.exit_code == 0
    assert result.output.splitlines()[-1].endswith("hello.json): survives")


def test_a_history_that_would_fail_exits_with_1_and_says_where(tmp_path: Path) -> None:
    changed = tmp_path / "changed.json"
    changed.write_text(_HELLO.read_text().replace("E1_SayHello", "E1_Greet"))

    result = _run("replay", changed, _HELLO, "--app", _RECORDED_APP)

    assert result.exit_code == 1
    assert "would fail\n  in episode 2 of 4" in result.output
    assert result.output.splitlines()[-1].endswith("survives")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay", "no-such-file.json"], "cannot be read as JSON"),
        (["replay", str(ROOT / "host.json")], "holds no history"),
        (["replay", str(_HELLO)], "there is no orchestrator 'Hello'"),
        (["record"], "give either the URL of an instance, or --storage"),
        (["record", "--storage", "sqlite:x"], "--storage needs --instance"),
        (["record", "ftp://somewhere"], "must be the statusQueryGetUri"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: list[str], message: str) -> None:
    result = _run(*arguments, *(["--app", str(ROOT)] if arguments[0] == "replay" else []))

    assert result.exit_code in (1, 2)
    assert message in result.output


def test_an_instance_of_a_running_hub_is_recorded_and_replays(tmp_path: Path) -> None:
    out = tmp_path / "hello.json"

    async def main_() -> Result:
        async with running_host() as host:
            await host.start("E1_HelloSequence", "h")
            await host.until_status("h", "Completed")
            url = f"{host.host.base_url}/runtime/webhooks/durabletask/instances/h?code=secret"
            return await asyncio.to_thread(_run, "record", url, "--out", out)

    recorded = asyncio.run(main_())

    assert recorded.output == f"recorded {out}\n"
    assert "secret" not in out.read_text()
    assert _run("replay", out, "--app", ROOT).exit_code == 0


def test_redaction_keeps_shapes_and_names_only() -> None:
    rows = json.loads(_HELLO.read_text())["history"]

    text = json.dumps(redact(rows))
    assert "Tokyo" not in text
    assert "E1_SayHello" in text
    assert next(row.get("Result") for row in redact(rows) if "Result" in row) == '"xxxxxxxxxxxx"'


def test_a_redacted_history_with_entities_still_replays() -> None:
    durable = DurableBench.of_folder(_RECORDED_APP, extension="2.13")
    document = json.loads((GOLDENS / "storage" / "entity-call.json").read_text())

    assert durable.check_replay(redact(document))[0].problem is None


def test_the_recorder_keeps_the_latest_trigger_of_each_instance(tmp_path: Path) -> None:
    import azure.durable_functions as df

    app = df.DFApp()

    @app.orchestration_trigger(context_name="context")
    def Kept(context):  # type: ignore[no-untyped-def] # noqa: N802
        return (yield context.wait_for_external_event("go"))

    record_histories(app, to_folder(tmp_path / "histories"))
    from durable_status.testing.context import FakeOrchestrationContext

    context = FakeOrchestrationContext(Kept, allow=("io",))
    context.raise_event("go", 1)
    Kept(context)
    (kept,) = (tmp_path / "histories").iterdir()
    assert kept.name == "instance.json"
    assert [event["EventType"] for event in json.loads(kept.read_text())["history"]] == [12, 0, 13, 12, 15]
