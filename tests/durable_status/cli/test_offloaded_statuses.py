"""A status that is too large is in files of the local host: commands beside them show it, and not the reference."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from durable_status.offloaded import OFFLOADED_KEY
from durable_status.payloads.folder import FolderPayloadStore
from tests.host_process import HostProcess, Outcome, host_process, run_command
from tests.paths import APPS
from tests.terminal import seen

_LARGE = {"stage": "packing", "done": 1, "total": 2, "text": "x" * 20_000}


def _app(folder: Path) -> Path:
    return shutil.copytree(APPS / "offloading", folder, ignore=shutil.ignore_patterns("__pycache__"))


async def _published(host: HostProcess) -> None:
    await host.start("Publish", "large", _LARGE)
    document = await host.until("large", lambda document: OFFLOADED_KEY in (document["customStatus"] or {}))
    assert document["runtimeStatus"] == "Running"


def _run(host: HostProcess, *arguments: str, cwd: Path | None = None, **settings: str) -> Outcome:
    url = {"DURABLE_STATUS_URL": host.host.base_url}
    outcome = run_command(*arguments, cwd=cwd, environment=url | settings)
    assert outcome.code == 0, outcome
    return outcome


def _custom_statuses(outcome: Outcome) -> list[Any]:
    return [json.loads(line)["customStatus"] for line in outcome.stdout.splitlines()]


@pytest.mark.parametrize("storage", ["memory", "sqlite", "sqlite:elsewhere"])
def test_commands_in_the_folder_of_the_app_show_what_is_in_the_files(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _app(tmp_path / "app")
    monkeypatch.chdir(tmp_path)

    async def main() -> None:
        async with host_process(folder, "--storage", storage) as host:
            await _published(host)
            await asyncio.to_thread(show, host)
            assert await host.stop() == 0
        assert not list((folder / ".durable-status").glob("payload-folder-*")), "the note is gone with the host"

    def show(host: HostProcess) -> None:
        assert json.loads(_run(host, "status", "large", cwd=folder).stdout)["customStatus"] == _LARGE
        assert _custom_statuses(_run(host, "list", "--app", str(folder))) == [_LARGE]
        elsewhere = json.loads(_run(host, "status", "large").stdout)["customStatus"]
        assert OFFLOADED_KEY in elsewhere
        _run(host, "raise-event", "large", "go")
        assert _custom_statuses(_run(host, "watch", "large", cwd=folder))[-1] == _LARGE
        lines = seen("list", url=host.host.base_url, cwd=folder, columns=120)
        assert lines[1].endswith("packing")
        assert 'Instance \'large\' of Publish: custom status {"stage":"packing","done":1,' in host.stderr

    asyncio.run(main())


def test_a_status_that_is_gone_is_shown_as_its_reference_and_said_to_be_gone(tmp_path: Path) -> None:
    folder = _app(tmp_path / "app")

    async def main() -> None:
        async with host_process(folder) as host:
            await _published(host)
            await asyncio.to_thread(show, host)

    def show(host: HostProcess) -> None:
        for path in (folder / ".durable-status").glob("*.payloads/*/*"):
            path.unlink()
        shown = _run(host, "status", "large", cwd=folder)
        assert OFFLOADED_KEY in json.loads(shown.stdout)["customStatus"]
        assert shown.error_lines[0].startswith("The status of 'large' is gone from ")
        assert OFFLOADED_KEY in _custom_statuses(_run(host, "list", cwd=folder))[0]

    asyncio.run(main())


def test_a_host_that_can_leave_no_note_serves_all_the_same(tmp_path: Path) -> None:
    folder = _app(tmp_path / "app")

    async def main() -> None:
        async with host_process(folder, "--storage", "memory") as host:
            port = host.host.base_url.rpartition(":")[2]
            assert (folder / ".durable-status" / f"payload-folder-{port}.txt").is_file()
            shutil.rmtree(folder / ".durable-status")
            (folder / ".durable-status").write_text("a file where a folder would have to be")
            await _published(host)
            found = await asyncio.to_thread(_run, host, "status", "large", cwd=folder)
            assert OFFLOADED_KEY in json.loads(found.stdout)["customStatus"]
            assert await host.stop() == 0

    asyncio.run(main())


def test_the_folder_may_be_named_by_the_setting(tmp_path: Path) -> None:
    folder = _app(tmp_path / "app")

    async def main() -> None:
        async with host_process(folder, "--storage", f"sqlite:{tmp_path / 'hub'}") as host:
            await _published(host)
            found = await asyncio.to_thread(
                _run, host, "status", "large", DURABLE_STATUS_PAYLOADS=str(tmp_path / "hub.payloads")
            )
            assert json.loads(found.stdout)["customStatus"] == _LARGE

    asyncio.run(main())
    assert FolderPayloadStore(tmp_path / "hub.payloads").names("large")
