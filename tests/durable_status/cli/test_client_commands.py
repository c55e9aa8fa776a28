"""The commands that talk to a host: what they print, and the exit codes that a script can go by."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from durable_status.cli.main import main
from tests.hosts import TRANSCRIPTS, RunningHost, running_host

Run = Callable[..., Awaitable[Result]]


def _play(story: Callable[[Run, RunningHost], Awaitable[None]]) -> None:
    async def play() -> None:
        async with running_host(TRANSCRIPTS) as host:

            async def run(command: str, *arguments: str, stdin: str | bytes | None = None) -> Result:
                line = [command, "--url", host.host.base_url, *arguments]
                return await asyncio.to_thread(CliRunner().invoke, main, line, stdin)

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


def test_input_and_payload_may_be_in_a_file_or_piped_in(tmp_path: Path) -> None:
    order = tmp_path / "order.json"
    order.write_text('\ufeff{"articles": ["lámpara"]}', encoding="utf-8")

    async def story(run: Run, host: RunningHost) -> None:
        assert (await run("start-new", "WaitGo", "--input", f"@{order}", "--id", "file")).stdout == "file\n"
        assert (await run("start-new", "WaitGo", "--input", "-", "--id", "piped", stdin="[1, 2]")).exit_code == 0
        assert (await run("raise-event", "file", "go", f"@{order}")).exit_code == 0
        assert (await run("raise-event", "piped", "go", "-", stdin='"yes"')).exit_code == 0

        assert (await host.until_status("file", "Completed"))["output"] == {"got": {"articles": ["lámpara"]}}
        assert (await host.until_status("piped", "Completed"))["output"] == {"got": "yes"}
        assert json.loads((await run("status", "piped", "--input")).stdout)["input"] == "[1, 2]"

    _play(story)


@pytest.mark.parametrize(
    ("given", "stdin", "told"),
    [
        ("@no-such-file", b"", "The input cannot be read from no-such-file: No such file or directory."),
        ("@.", b"", "The input cannot be read from .: Is a directory."),
        ("-", b"{not", "The input that was piped in is not JSON: Expecting property name"),
        ("-", b"", "The input that was piped in is not JSON: Expecting value"),
        ("-", b"\xff\xfe", "The input that was piped in is not UTF-8."),
        ("-", b"[" * 100_000, "The input that was piped in is not JSON: it is nested too deep."),
        ("Tokyo", b"", "The input is not JSON: Expecting value: line 1 column 1 (char 0). A text needs its quotes"),
    ],
)
def test_what_is_no_input_is_named_and_nothing_is_started(given: str, stdin: bytes, told: str) -> None:
    async def story(run: Run, _host: RunningHost) -> None:
        refused = await run("start-new", "Greet", "--input", given, stdin=stdin)

        assert refused.exit_code == 2
        assert told in refused.stderr.splitlines()[-1]
        assert _lines(await run("list")) == []

    _play(story)


def test_a_start_may_be_watched_to_its_end() -> None:
    async def story(run: Run, host: RunningHost) -> None:
        assert _lines(await run("start-new", "Greet", "--input", '"Ann"', "--watch"))[-1]["output"] == "Hello Ann!"
        assert (await run("start-new", "FailNow", "--watch")).exit_code == 5
        late = await run("start-new", "WaitGo", "--id", "w", "--watch", "--timeout", "0")
        assert late.exit_code == 6
        assert (await run("start-new", "WaitGo", "--timeout", "1")).exit_code == 2
        assert [line["instanceId"] for line in _lines(await run("list", "--status", "Running"))] == ["w"]
        await host.raise_event("w", "go", 1)

    _play(story)


def test_what_is_not_installed_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "durable_status.client.status_client", None)
    monkeypatch.setitem(sys.modules, "httpx", None)
    monkeypatch.delitem(sys.modules, "durable_status.client.status_client")

    result = CliRunner().invoke(main, ["status", "i"])

    assert result.exit_code == 1
    assert result.output == "Error: httpx is not installed: pip install 'durable-status[cli]'\n"
