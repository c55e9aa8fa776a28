"""`durable-status replay` and `durable-status record`, from the recording of a running hub to the verdict."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from durable_status.cli.main import main
from durable_status.local_host.storage.sqlite import SqliteStorage
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
        (["record", "--storage", "memory", "--instance", "i"], "takes sqlite:PATH"),
        (["record", "--storage", "sqlite:no-such-file", "--instance", "i"], "there is no task hub in "),
        (["record", "--storage", f"sqlite:{ROOT / 'host.json'}", "--instance", "i"], "there is no task hub in "),
        (["record", "ftp://somewhere"], "must be the statusQueryGetUri"),
        (["record", "http://localhost:1/instances/i?code=secret"], "http://localhost:1/instances/i cannot be read"),
        (["record", "http://local host/instances/i"], "cannot be read"),
    ],
)
def test_bad_input_is_one_clear_line(arguments: list[str], message: str) -> None:
    result = _run(*arguments, *(["--app", str(ROOT)] if arguments[0] == "replay" else []))

    assert result.exit_code in (1, 2)
    assert message in result.output.splitlines()[-1]
    assert "secret" not in result.output
    assert not Path("no-such-file").exists()


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


def test_a_recording_of_a_running_hub_is_redacted_on_request(tmp_path: Path) -> None:
    out = tmp_path / "ticket.json"

    async def main_() -> None:
        async with running_host() as host:
            await host.start("ReserveTicket", "t", "vip-customer")
            await host.until("t", lambda document: document["customStatus"] is not None)
            url = f"{host.host.base_url}/runtime/webhooks/durabletask/instances/t"
            await asyncio.to_thread(_run, "record", url, "--redact", "--out", out)

    asyncio.run(main_())

    text = out.read_text()
    assert "vip-customer" not in text
    assert "myawesomebookingweb" not in text
    assert "CalculateDiscount" in text
    assert _run("replay", out, "--app", ROOT).exit_code == 0


def test_the_file_of_a_stopped_host_is_recorded_and_replays(tmp_path: Path) -> None:
    hub, out = tmp_path / "hub.sqlite3", tmp_path / "ticket.json"
    arguments = ("record", "--storage", f"sqlite:{hub}", "--instance", "t", "--out", out)

    async def main_() -> Result:
        async with running_host(storage=lambda clock: SqliteStorage(hub, clock)) as host:
            await host.start("ReserveTicket", "t", "vip1")
            await host.until("t", lambda document: document["customStatus"] is not None)
            return await asyncio.to_thread(_run, *arguments)

    held = asyncio.run(main_())
    assert (held.exit_code, out.exists()) == (1, False)
    assert held.output == (
        f"Error: another host is running on {hub}; stop it, or choose another file with --storage sqlite:PATH.\n"
    )

    assert _run(*arguments).output == f"recorded {out}\n"
    assert json.loads(out.read_text())["instanceId"] == "t"
    (checked,) = DurableBench.of_folder(ROOT).check_replay(out)
    assert (checked.problem, checked.notes) == (None, ())
    out.write_text(out.read_text().replace("CalculateDiscount", "AskTheBoss"))
    assert "would fail" in _run("replay", out, "--app", ROOT).output

    unknown = _run("record", "--storage", f"sqlite:{hub}", "--instance", "nobody")
    assert (unknown.exit_code, unknown.output) == (
        1,
        f"Error: sqlite:{hub} has no history of an instance 'nobody'.\n",
    )
    no_folder = _run(*arguments[:-1], tmp_path / "nowhere" / "x.json")
    assert (no_folder.exit_code, no_folder.output.count("\n")) == (1, 1)
    assert "nowhere/x.json cannot be written: No such file or directory." in no_folder.output


def test_another_database_is_refused_and_not_changed(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE birds (name TEXT)")
        connection.commit()
    before = other.read_bytes()

    result = _run("record", "--storage", f"sqlite:{other}", "--instance", "t")

    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "is a database of something else" in result.output
    assert other.read_bytes() == before


@pytest.mark.parametrize("command", ["record", "replay"])
def test_the_help_shows_how_it_is_used(command: str) -> None:
    help_text = _run(command, "--help").output

    assert f"\n    durable-status {command} " in help_text
    assert "histories/" in help_text


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
