"""`durable-status start --storage azure` as a process: who may run a hub, and what is said when nobody can."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.cli.test_start import started, write_app
from tests.host_process import refusal_to_start, run_command

pytestmark = pytest.mark.needs_azurite

_AZURE = ("--storage", "azure")


def test_a_second_host_is_told_who_runs_the_hub_and_one_that_waits_goes_on_with_what_was_left(
    tmp_path: Path, task_hub: FreshTaskHub
) -> None:
    write_app(tmp_path)
    with started(tmp_path, *_AZURE, **task_hub.settings) as first:
        first.get("/runtime/webhooks/durabletask/orchestrators/wait/kept", "POST")
        refused = refusal_to_start(tmp_path, *_AZURE, environment=task_hub.settings)
        assert f"(process {first.process.pid}) runs the task hub '{task_hub.name}'" in refused
        assert refused.endswith("or wait with --wait.")

        with started(tmp_path, *_AZURE, "--wait", **task_hub.settings, until=r"waiting until it is gone\.$") as second:
            first.process.kill()
            second.until_served()
            (kept,) = json.loads(second.get("/runtime/webhooks/durabletask/instances"))
            assert kept["instanceId"] == "kept"


def test_a_host_whose_hub_is_deleted_ends_and_says_so(tmp_path: Path, task_hub: FreshTaskHub) -> None:
    write_app(tmp_path)
    with started(tmp_path, *_AZURE, **task_hub.settings) as host:
        task_hub.delete()
        host.until_line(rf"^Error: the task hub '{task_hub.name}' has been deleted")

        assert host.process.wait(60) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_while_waiting_leaves_the_hub_to_its_host(tmp_path: Path, task_hub: FreshTaskHub) -> None:
    write_app(tmp_path)
    with started(tmp_path, *_AZURE, **task_hub.settings) as first:
        with started(tmp_path, *_AZURE, "--wait", **task_hub.settings, until=r"waiting until it is gone\.$") as second:
            second.process.send_signal(signal.SIGINT)
            second.until_line(r"^Stopping\.$")
            assert second.process.wait(60) == 0
        assert first.get("/api/version") == "one"
        first.process.send_signal(signal.SIGINT)
        assert first.process.wait(60) == 0
    with started(tmp_path, *_AZURE, **task_hub.settings) as third:
        assert third.get("/api/version") == "one"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"AzureWebJobsStorage": ""}, "the setting AzureWebJobsStorage is missing or empty; set it to"),
        ({"AzureWebJobsStorage": "x"}, "the setting AzureWebJobsStorage is no connection string"),
        ({"AzureFunctionsJobHost__extensions__durableTask__hubName": "a-b"}, "Task hub name 'a-b' should contain only"),
    ],
)
def test_settings_that_are_wrong_are_one_line(
    tmp_path: Path, task_hub: FreshTaskHub, settings: dict[str, str], told: str
) -> None:
    write_app(tmp_path)

    assert told in refusal_to_start(tmp_path, *_AZURE, environment={**task_hub.settings, **settings})


def test_an_identity_that_gives_no_token_is_one_line(tmp_path: Path) -> None:
    write_app(tmp_path)
    by_secret = {f"AzureWebJobsStorage__{name}": "x" * 8 for name in ("clientId", "tenantId", "clientSecret")}
    settings = {"AzureWebJobsStorage": "", "AzureWebJobsStorage__accountName": "orders", **by_secret}

    refusal = refusal_to_start(
        tmp_path, *_AZURE, environment={**settings, "AZURE_AUTHORITY_HOST": "https://localhost:1"}
    )

    assert refusal.startswith("the identity of AzureWebJobsStorage gives no token: ")


def test_waiting_is_for_azure_storage_only() -> None:
    refused = run_command("start", "--wait", "--storage", "memory")

    assert refused.code == 2
    assert "--wait goes with --storage azure" in refused.stderr


def test_the_missing_package_is_named_with_its_cure(tmp_path: Path) -> None:
    write_app(tmp_path)
    code = (
        "import sys; sys.modules['aiohttp'] = None\n"
        "from durable_status.local_host.storage.choice import parse_storage_choice\n"
        "from durable_status.app.host_settings import HostSettings\n"
        "settings = HostSettings(max_concurrent_orchestrators=1, max_concurrent_activities=1,"
        " max_concurrent_entities=1)\n"
        "parse_storage_choice('azure').open_for(None, settings, {}, None)\n"
    )

    failed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert "--storage azure needs the package aiohttp: pip install 'durable-status[azure]'." in failed.stderr
