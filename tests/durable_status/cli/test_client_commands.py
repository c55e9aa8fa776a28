"""The commands that talk to a host: what they print, and the exit codes that a script can go by."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from durable_status.cli.bars import Bars
from durable_status.cli.main import main
from durable_status.instance_status import InstanceStatus
from tests.hosts import TRANSCRIPTS, RunningHost, running_host

Run = Callable[..., Awaitable[Result]]


def _play(story: Callable[[Run, RunningHost], Awaitable[None]]) -> None:
    async def play() -> None:
        async with running_host(TRANSCRIPTS) as host:

            async def run(command: str, *arguments: str) -> Result:
                line = [command, "--url", host.host.base_url, *arguments]
                return await asyncio.to_thread(CliRunner().invoke, main, line)

            await story(run, host)

    asyncio.run(play())


def _lines(result: Result) -> list[Any]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_an_instance_is_started_shown_steered_listed_and_purged() -> None:
    async def story(run: Run, host: RunningHost) -> None:
        assert (await run("start-new", "WaitGo", "--input", '{"a": 1}', "--id", "w")).stdout == "w\n"
        await host.until("w", lambda document: document["customStatus"] is not None)

        shown = json.loads((await run("status", "w")).stdout)
        assert (shown["customStatus"], shown["input"]) == ({"waiting": "go"}, None)
        assert json.loads((await run("status", "w", "--input")).stdout)["input"] == '{"a": 1}'
        assert (await run("suspend", "w", "--reason", "lunch")).exit_code == 0
        await host.until_status("w", "Suspended")
        assert (await run("resume", "w")).exit_code == 0
        await host.until_status("w", "Running")
        assert (await run("raise-event", "w", "go", '"now"')).exit_code == 0
        assert _lines(await run("watch", "w"))[-1]["output"] == {"got": "now"}

        assert [line["instanceId"] for line in _lines(await run("list", "--status", "completed"))] == ["w"]
        assert _lines(await run("list", "--from", "2999-01-01")) == []
        assert (await run("purge", "w")).stdout == "1\n"
        assert _lines(await run("list")) == []

    _play(story)


def test_lists_and_purges_are_bounded_by_what_was_asked() -> None:
    async def story(run: Run, host: RunningHost) -> None:
        for name in ("a1", "a2", "b1"):
            await run("start-new", "Greet", "--id", name)
            await host.until_status(name, "Completed")

        assert [line["instanceId"] for line in _lines(await run("list", "--prefix", "a", "--max", "1"))] == ["a1"]
        assert (await run("purge", "--ended", "Failed")).stdout == "0\n"
        assert (await run("purge", "--ended", "Completed", "--from", "2020-01-01T00:00:00Z")).stdout == "3\n"

    _play(story)


def test_watching_many_ends_with_the_last_and_fails_if_one_has_failed() -> None:
    async def story(run: Run, _host: RunningHost) -> None:
        for name in ("one", "two"):
            await run("start-new", "Greet", "--id", name)
        ends = {line["instanceId"]: line["runtimeStatus"] for line in _lines(await run("watch", "one", "two", "one"))}
        assert ends == {"one": "Completed", "two": "Completed"}

        await run("start-new", "FailNow", "--id", "bad")
        failed = await run("watch", "one", "bad")
        assert failed.exit_code == 5
        assert "'bad' of FailNow ended Failed" in failed.stderr

    _play(story)


def test_exit_codes_tell_what_went_wrong() -> None:
    async def story(run: Run, host: RunningHost) -> None:
        await run("start-new", "WaitGo", "--id", "w")
        await host.until("w", lambda document: document["customStatus"] is not None)
        codes = {
            ("status", "none"): 3,
            ("watch", "none"): 3,
            ("terminate", "w", "--reason", "42"): 2,
            ("status", "a/b"): 2,
            ("raise-event", "w", "go", "{not json"): 2,
            ("list", "--from", "yesterday"): 2,
            ("purge",): 2,
            ("purge", "w", "--ended", "Failed"): 2,
            ("purge", "w"): 4,
            ("start-new", "WaitGo", "--id", "w"): 4,
            ("watch", "w", "--timeout", "0"): 6,
            ("status", "w", "--url", "http://localhost:1"): 1,
            ("status", "w", "--url", "nowhere"): 2,
        }
        for line, code in codes.items():
            result = await run(*line)
            assert (line, result.exit_code) == (line, code), result.output
            assert "Traceback" not in result.output
        assert (await run("terminate", "w")).exit_code == 0

    _play(story)


def _status(custom_status: Any, runtime_status: str = "Running", instance_id: str = "order-7") -> InstanceStatus[Any]:
    document = {
        "name": "X",
        "instanceId": instance_id,
        "runtimeStatus": runtime_status,
        "input": None,
        "customStatus": custom_status,
        "output": None,
        "createdTime": "2026-01-02T00:00:00Z",
        "lastUpdatedTime": "2026-01-02T00:00:00Z",
    }
    return InstanceStatus[Any].from_document(document, Any)


@pytest.mark.parametrize(
    ("custom_status", "shown"),
    [
        (None, []),
        ("Tokyo", ["Tokyo"]),
        ({"stage": "greeting", "done": 1, "total": 3, "message": "Tokyo", "eta": None}, ["1/3", "greeting Tokyo"]),
        ({"progress": {"stage": "packing", "done": 2, "total": 4}, "more": 1}, ["2/4", "packing"]),
        ({"done": "x"}, ['{"done": "x"}']),
        (["[red]", 1], ['["[red]", 1]']),
        ("x" * 500, ["x" * 60 + "…"]),
    ],
)
def test_a_bar_shows_how_far_an_instance_is(custom_status: Any, shown: list[str]) -> None:
    terminal = io.StringIO()
    with Bars(Console(file=terminal, force_terminal=True, width=200, color_system=None)) as bars:
        bars(_status("first", instance_id="[other]"))
        bars(_status(custom_status))
        bars(_status(custom_status, "Completed"))

    text = terminal.getvalue()
    assert all(part in text for part in ["order-7", "[other]", "Completed", *shown])


def test_what_is_not_installed_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "durable_status.client.status_client", None)
    monkeypatch.setitem(sys.modules, "httpx", None)
    monkeypatch.delitem(sys.modules, "durable_status.client.status_client")

    result = CliRunner().invoke(main, ["status", "i"])

    assert result.exit_code == 1
    assert result.output == "Error: httpx is not installed: pip install 'durable-status[cli]'\n"
