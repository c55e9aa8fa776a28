"""`list` and `status`: tables as wide as the terminal, JSON for programs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from durable_status.cli.main import main
from tests.hosts import TRANSCRIPTS, RunningHost, running_host
from tests.terminal import seen

_LONG_ID = "0123456789abcdef0123456789abcdef"
_WIDE_ID = "予約-チケット-🎫"
_STATUS = {"stage": "packing", "done": 12, "total": 20, "message": "a lamp that does not fit"}


def _play(story: Callable[[RunningHost], Awaitable[None]]) -> None:
    async def play() -> None:
        async with running_host(TRANSCRIPTS) as host:
            await host.start("StatusThenWait", _LONG_ID, _STATUS)
            await host.until(_LONG_ID, lambda document: document["customStatus"] is not None)
            await host.start("Greet", "greeting", "Ann")
            await host.until_status("greeting", "Completed")
            await story(host)

    asyncio.run(play())


async def _seen(host: RunningHost, *arguments: str, columns: int = 80, **settings: str) -> list[str]:
    return await asyncio.to_thread(seen, *arguments, columns=columns, url=host.host.base_url, **settings)


@pytest.mark.parametrize(
    ("columns", "headings"),
    [
        (200, ["Instance", "Orchestration", "Runtime status", "Created", "Last updated", "Custom status"]),
        (120, ["Instance", "Orchestration", "Runtime status", "Created", "Custom status"]),
        (80, ["Instance", "Orchestrati…", "Runtime s…", "Custom status"]),
        (60, ["Instance", "Runtime s…", "Custom status"]),
        (40, ["Instance", "Runti…"]),
    ],
)
def test_a_list_fits_the_terminal_and_no_id_is_cut_or_wrapped(columns: int, headings: list[str]) -> None:
    async def story(host: RunningHost) -> None:
        heading, first, second = await _seen(host, "list", columns=columns)

        assert " ".join(heading.split()) == " ".join(headings)
        assert first.startswith(f"{_LONG_ID}  ")
        assert second.startswith("greeting  ")

    _play(story)


def test_wide_characters_keep_the_columns_in_line() -> None:
    async def story(host: RunningHost) -> None:
        await host.start("StatusThenWait", quote(_WIDE_ID), "倉庫で梱包中 📦")
        lines = await _seen(host, "list", columns=100)

        wide = next(line for line in lines if line.startswith(_WIDE_ID))
        assert cell_len(wide.partition("Running")[0]) == lines[0].index("Runtime status")

    _play(story)


def test_an_instance_is_a_table_on_a_terminal_with_its_history_if_asked_for() -> None:
    async def story(host: RunningHost) -> None:
        lines = await _seen(host, "status", "greeting", "--input", "--history")
        text = "\n".join(" ".join(line.split()) for line in lines)

        assert lines[0].split() == ["Instance", "greeting"]
        assert 'Output "Hello Ann!"' in text
        assert 'Input "\\"Ann\\""' in text
        assert "0 20" in text
        assert "ExecutionCompleted" in text
        narrow = await _seen(host, "status", _LONG_ID, columns=40)
        assert "".join(narrow[:2]) == f"Instance        {_LONG_ID}"
        assert narrow[2].split() == ["Orchestration", "StatusThenWait"]

    _play(story)


@pytest.mark.parametrize("settings", [{}, {"FORCE_COLOR": "1"}])
def test_programs_get_json_and_so_does_who_asks_for_it(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(host: RunningHost) -> None:
        def run(*arguments: str) -> str:
            return CliRunner().invoke(main, [*arguments, "--url", host.host.base_url]).stdout

        listed = [json.loads(line) for line in (await asyncio.to_thread(run, "list")).splitlines()]
        shown = json.loads(await asyncio.to_thread(run, "status", "greeting"))
        asked = json.loads("\n".join(await _seen(host, "status", "greeting", "--json", **settings)))
        lines = await _seen(host, "list", "--json", "--prefix", "greeting", columns=400, **settings)

        assert [document["instanceId"] for document in listed] == [_LONG_ID, "greeting"]
        assert shown == asked == json.loads(lines[0])

    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    _play(story)


def test_a_table_that_is_cut_says_so() -> None:
    async def story(host: RunningHost) -> None:
        for number in range(100):
            await host.start("Greet", f"many-{number}", "Ann")
        lines = await asyncio.to_thread(seen, "list", lines=200, url=host.host.base_url)

        assert len(lines) == 1 + 100 + 1
        assert lines[-1] == "There are more than 100; --max shows more, --json all."

    _play(story)
