"""`durable-status hub`, on the recorded hub of the durable extension in Azurite."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import EdmType, EntityProperty, TableClient
from click.testing import CliRunner, Result

from durable_status import Offloaded
from durable_status.cli.main import main
from durable_status.payloads.folder import FolderPayloadStore
from durable_status.testing.azurite import Azurite
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.paths import APPS
from tests.recorded_hubs import LATEST, WAITING, put_hub, recording

_COLUMNS = ["Instance", "Orchestration", "Runtime status", "Created", "Last updated", "Custom status"]
_FINISHED, _WAITING = "CommandHub", "CommandHubWaiting"

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def account(azurite: Azurite) -> str:
    """The connection string of an account with the recorded hub, ended and waiting."""
    put_hub(azurite.connection_string, LATEST, hub=_FINISHED)
    put_hub(azurite.connection_string, WAITING, hub=_WAITING)
    return azurite.connection_string


@pytest.fixture
def run(account: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in the folder of an app whose hub is the recorded one."""
    (tmp_path / "host.json").write_text(
        json.dumps({"version": "2.0", "extensions": {"durableTask": {"hubName": _FINISHED}}})
    )
    (tmp_path / "local.settings.json").write_text(
        json.dumps({"IsEncrypted": False, "Values": {"AzureWebJobsStorage": account, "Other": "not a connection"}})
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    return lambda *arguments: CliRunner().invoke(main, ["hub", *map(str, arguments)])


def _lines(result: Result) -> list[Any]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def _time_of_day(number: int) -> str:
    """The time of a recorded event of ``g-can``."""
    row: dict[str, str] = recording("continue-as-new-1-waiting")["history"][number]
    return row["_Timestamp"].partition("T")[2].rstrip("Z0")


def test_a_table_in_a_pipe_has_no_colours_whatever_is_forced(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [run(*command).stdout for command in (("list",), ("show", "g-term"), ("history", "g-term"))]
    monkeypatch.setenv("FORCE_COLOR", "1")

    assert [run(*command).stdout for command in (("list",), ("show", "g-term"), ("history", "g-term"))] == plain
    assert "u001b" not in "".join(plain)


def test_a_list_is_a_table_or_json_lines_of_what_the_filters_let_through(run: Run) -> None:
    table = run("list").stdout.splitlines()
    failed = _lines(run("list", "--json", "--status", "failed", "--prefix", "g-fail-"))

    assert table[0].split() == " ".join(_COLUMNS).split()
    assert len(table) == 1 + 17
    assert "g-hello" in table[8]
    assert table[8].endswith("London")
    assert [document["instanceId"] for document in failed] == ["g-fail-activity"]
    assert failed[0]["output"] is None
    assert _lines(run("list", "--from", "2026-11-22T11:31:08Z", "--output", "--json"))[0]["output"] == "done"
    assert _lines(run("list", "--to", "2026-11-22", "--json")) == []
    assert len(run("list", "--max", "3").stdout.splitlines()) == 1 + 3


@pytest.mark.parametrize(
    ("conditions", "ids"),
    [
        (["child=true"], ["cf0451e89bb1466b804e09345709c46b:0"]),
        (["=London"], ["g-hello"]),
        (["progress=50", "text=h\u00e9llo"], ["g-wait"]),
        (["progress=50", "text=hello"], []),
        (["s=1"], ["g-term"]),
        (["s=true"], []),
        (["generation.deeper=0"], []),
    ],
)
def test_a_list_is_filtered_by_custom_status(run: Run, conditions: list[str], ids: list[str]) -> None:
    found = _lines(run("list", "--json", *[f"--where={condition}" for condition in conditions]))

    assert [document["instanceId"] for document in found] == ids


def test_a_table_that_is_cut_says_so(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("durable_status.cli.hub._LONGEST_TABLE", 16)

    result = run("list")

    assert len(result.stdout.splitlines()) == 1 + 16
    assert result.stderr == "There are more than 16; --max shows more, --json all.\n"


def test_an_instance_is_shown_for_people_and_for_programs(run: Run) -> None:
    shown = run("show", "g-susp", "--hub", _WAITING, "--input").stdout
    document = json.loads(run("show", "g-large-70000", "--input", "--json").stdout)

    assert [line.split("  ")[0] for line in shown.splitlines()] == [*_COLUMNS, "Input"]
    assert "2026-11-22 11:30:52 UTC" in shown
    assert (document["runtimeStatus"], len(document["input"]), document["output"]) == ("Completed", 70_002, 70_000)


def test_a_history_is_a_line_for_each_event_of_the_current_generation(run: Run) -> None:
    table = run("history", "g-can", "--hub", _WAITING).stdout.splitlines()
    events = _lines(run("history", "g-can", "--hub", _WAITING, "--json"))

    assert len(table) == 1 + 8
    assert table[4].split() == ["3", "2026-11-22", _time_of_day(3), "TaskScheduled", "0", "Echo"]
    assert [event["EventType"] for event in events][:2] == ["OrchestratorStarted", "ExecutionStarted"]
    assert run("history", "g-term").stdout.splitlines()[-2].split()[-4:] == ["Terminated", "no", "longer", "needed"]


def test_what_would_steer_a_terminal_is_shown_and_not_done(run: Run, account: str, task_hub: FreshTaskHub) -> None:
    put_hub(account, ["terminated"], hub=task_hub.name)
    with TableClient.from_connection_string(account, f"{task_hub.name}Instances") as table:
        status = json.dumps("[bold]\x1b[2J\x9b", ensure_ascii=False)
        table.update_entity({"PartitionKey": "g-term", "RowKey": "", "CustomStatus": status})

    for command in (["list"], ["show", "g-term"], ["list", "--json"], ["show", "g-term", "--json"]):
        output = run(*command, "--hub", task_hub.name).stdout
        assert "[bold]" in output
        assert "\x1b" not in output
        assert "\x9b" not in output


def test_an_offloaded_status_that_is_gone_is_shown_as_its_reference_and_said_to_be_gone(
    run: Run, account: str, task_hub: FreshTaskHub
) -> None:
    put_hub(account, ["terminated"], hub=task_hub.name)
    with TableClient.from_connection_string(account, f"{task_hub.name}Instances") as table:
        status = json.dumps(Offloaded.of('"large"', datetime(2026, 1, 2)).to_json())
        table.update_entity({"PartitionKey": "g-term", "RowKey": "", "CustomStatus": status})

    for options in ([], ["--json"]):
        result = run("show", "g-term", "--hub", task_hub.name, *options)
        assert result.exit_code == 0
        assert "durableStatusOffloaded" in result.stdout
        assert result.stderr.startswith("The status of 'g-term' is gone: there is no blob g-term/status-20260102T")


def test_an_offloaded_status_is_read_from_the_folder_that_the_settings_of_the_app_name(
    run: Run, account: str, task_hub: FreshTaskHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps({"stage": "packing", "text": "x" * 20_000})
    offloaded = Offloaded.of(text, datetime(2026, 1, 2))
    FolderPayloadStore(tmp_path / "statuses").put("g-term", offloaded.reference, text)
    monkeypatch.setenv("DURABLE_STATUS_PAYLOADS", str(tmp_path / "statuses"))
    put_hub(account, ["terminated"], hub=task_hub.name)
    with TableClient.from_connection_string(account, f"{task_hub.name}Instances") as table:
        reference = json.dumps(offloaded.to_json())
        table.update_entity({"PartitionKey": "g-term", "RowKey": "", "CustomStatus": reference})

    (listed,) = _lines(run("list", "--json", "--where", "stage=packing", "--hub", task_hub.name))
    shown = run("show", "g-term", "--json", "--hub", task_hub.name)

    assert listed["customStatus"] == json.loads(shown.stdout)["customStatus"] == json.loads(text)
    assert shown.stderr == ""


@pytest.mark.parametrize("name", ["hello", "continue-as-new-2-finished", "large-result-70000", "sub-orchestration"])
def test_an_export_replays(run: Run, tmp_path: Path, name: str) -> None:
    for row in recording(name)["instances"]:
        out = tmp_path / "history.json"
        assert run("export", row["PartitionKey"], "--out", out).output == f"recorded {out}\n"

        replayed = CliRunner().invoke(
            main, ["replay", str(out), "--app", str(APPS / "recorded"), "--extension", "2.13"]
        )
        assert (replayed.exit_code, replayed.output.strip()[-8:]) == (0, "survives")


def test_an_export_is_redacted_on_request_and_record_reads_the_same(run: Run) -> None:
    recorded = CliRunner().invoke(main, ["record", "--storage", "azure", "--instance", "g-hello"])

    assert recorded.output == run("export", "g-hello").output
    assert "Hello Tokyo" in recorded.output
    assert "Hello Tokyo" not in run("export", "g-hello", "--redact").output


def test_the_setting_is_the_one_that_is_named_and_the_environment_wins(
    run: Run, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERS", account)
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=nonsense")

    assert run("show", "g-term", "--connection", "ORDERS").exit_code == 0
    assert run("show", "g-term").exit_code == 2
    monkeypatch.chdir("/")
    assert run("show", "g-term", "--connection", "ORDERS", "--hub", _FINISHED).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["show", "g-nobody"], 3, "There is no instance 'g-nobody' in the task hub."),
        (["history", "g-nobody"], 3, "There is no instance 'g-nobody' in the task hub."),
        (["export", "@counter@one"], 2, "'@counter@one' is an entity"),
        (["list", "--hub", "NoSuchHub"], 1, "has no task hub 'NoSuchHub'"),
        (["list", "--hub", "no-hub"], 2, "'no-hub' cannot be the name of a task hub"),
        (["list", "--connection", "Other"], 2, "the setting Other is no connection string"),
        (["list", "--connection", "Missing"], 2, "the setting Missing is missing or empty"),
        (["list", "--connection", "AccountName=a;AccountKey=secret"], 2, "takes the name of a setting"),
        (["list", "--from", "yesterday"], 2, "'yesterday' is no time"),
        (["list", "--where", "stage"], 2, "'stage' is no condition such as stage=packing"),
        (
            ["list", "--app", "no-such-folder"],
            2,
            "there is no host.json in no-such-folder; give --app FOLDER, or --hub",
        ),
    ],
)
def test_bad_input_is_one_clear_line(run: Run, arguments: list[str], code: int, message: str) -> None:
    result = run(*arguments)

    assert result.exit_code == code
    assert message in result.stderr.splitlines()[-1]
    assert "secret" not in result.output


def test_a_hub_of_a_newer_version_and_a_wrong_key_are_one_line(
    run: Run, account: str, task_hub: FreshTaskHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_hub(account, ["hello"], hub=task_hub.name)
    with TableClient.from_connection_string(account, f"{task_hub.name}Instances") as table:
        table.update_entity({"PartitionKey": "g-hello", "RowKey": "", "RuntimeStatus": "Dreaming"})
    with TableClient.from_connection_string(account, f"{task_hub.name}History") as table:
        table.update_entity({"PartitionKey": "g-hello", "RowKey": f"{4:016X}", "EventType": "DreamStarted"})
    monkeypatch.setenv("WRONG", re.sub("AccountKey=[^;]*", "AccountKey=Zm9yZ2VkIGtleQ==", account))

    for arguments, message in (
        (["list"], "'Dreaming', which this version does not know"),
        (["show", "g-hello"], "'Dreaming', which this version does not know"),
        (["history", "g-hello"], "unknown event type: 'DreamStarted'"),
        (["export", "g-hello"], "unknown event type: 'DreamStarted'"),
        (["list", "--connection", "WRONG"], "does not let this reader in (403"),
    ):
        result = run(*arguments, "--hub", task_hub.name)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
        assert message in result.stderr
        assert "Zm9y" not in result.stderr


def test_without_an_identity_there_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Orders__accountName", "orders")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")  # the one that asks nobody
    for name in [name for name in os.environ if name.startswith("AZURE_CLIENT_")]:
        monkeypatch.delenv(name)

    result = run("list", "--connection", "Orders")

    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "There is no identity to read https://orders.table.core.windows.net with" in result.stderr


def test_a_missing_package_is_named_with_its_extra(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "durable_status.client.task_hub_reader", raising=False)
    monkeypatch.delitem(sys.modules, "durable_status.client.hub_storage", raising=False)
    monkeypatch.setitem(sys.modules, "azure.data.tables", None)

    result = run("list")

    assert result.exit_code == 1
    assert result.stderr == "Error: azure.data.tables is not installed: pip install 'durable-status[azure]'\n"


def test_an_instance_that_has_not_begun_has_no_history_to_export(
    run: Run, account: str, task_hub: FreshTaskHub
) -> None:
    put_hub(account, (), hub=task_hub.name)
    time = EntityProperty("2026-11-22T11:30:46.1069824Z", EdmType.DATETIME)
    row = {"PartitionKey": "p", "RowKey": "", "Name": "Order", "ExecutionId": "e", "RuntimeStatus": "Pending"}
    with TableClient.from_connection_string(account, f"{task_hub.name}Instances") as table:
        table.create_entity(row | {"CreatedTime": time, "LastUpdatedTime": time})

    assert run("history", "p", "--hub", task_hub.name).stdout.splitlines()[1:] == []
    refused = run("export", "p", "--hub", task_hub.name)
    assert (refused.exit_code, refused.stderr) == (
        4,
        "Error: The instance 'p' has no history yet: it is still Pending.\n",
    )
