"""`durable-status watch` on a pseudo-terminal: bars, what ends them, and what takes their place."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.hosts import TRANSCRIPTS, RunningHost, running_host
from tests.terminal import on_terminal, seen

_LONG_ID = "0123456789abcdef0123456789abcdef"


def _play(story: Callable[[RunningHost], Awaitable[None]]) -> None:
    async def play() -> None:
        async with running_host(TRANSCRIPTS) as host:
            await story(host)

    asyncio.run(play())


def test_each_instance_has_a_bar_and_ctrl_c_ends_with_130() -> None:
    async def story(host: RunningHost) -> None:
        await host.start("StatusThenWait", "order-7", {"stage": "packing", "done": 1, "total": 3})
        await host.start("WaitGo", "order-8")
        with on_terminal("watch", "order-7", "order-8", url=host.host.base_url, NO_COLOR="1") as terminal:
            await asyncio.to_thread(terminal.until, "1/3 Running packing", "order-8 ")
            assert "━" in terminal.lines[0]
            assert "runtimeStatus" not in terminal.raw
            assert not terminal.shows_cursor

            assert await asyncio.to_thread(terminal.interrupt) == 130
            assert terminal.shows_cursor
            assert "Traceback" not in terminal.raw

    _play(story)


def test_bars_end_with_the_instances() -> None:
    async def story(host: RunningHost) -> None:
        await host.start("Greet", "greeting", "Ann")

        (line,) = await asyncio.to_thread(seen, "watch", "greeting", url=host.host.base_url)

        assert line.startswith("greeting ━")
        assert line.endswith("━ Completed")

    _play(story)


@pytest.mark.parametrize("columns", [60, 80])
def test_the_id_and_the_count_stay_whole_and_rows_are_in_the_order_given(columns: int) -> None:
    async def story(host: RunningHost) -> None:
        await host.start("StatusThenWait", _LONG_ID, {"stage": "a stage " * 9, "done": 12, "total": 20})
        await host.start("Greet", "a", "Ann")
        await host.until_status("a", "Completed")

        with on_terminal("watch", _LONG_ID, "a", columns=columns, url=host.host.base_url, NO_COLOR="1") as terminal:
            await asyncio.to_thread(terminal.until, "12/20", "Completed")
            first, second = terminal.lines

        assert first.startswith(f"{_LONG_ID} ━")
        assert " 12/20 Running" in first
        assert second.startswith("a  ")

    _play(story)


def test_what_would_steer_the_terminal_is_shown_and_not_done() -> None:
    async def story(host: RunningHost) -> None:
        await host.start("StatusThenWait", "order-7", "\x1b[2J[bold]\x9b\u202e\n\ud800")
        with on_terminal("watch", "order-7", columns=120, url=host.host.base_url) as terminal:
            await asyncio.to_thread(terminal.until, "Running \\u001b[2J[bold]\\u009b\\u202e")

            assert "\x1b[2J" not in terminal.raw
            assert len(terminal.lines) == 1

    _play(story)


def test_a_terminal_that_cannot_go_back_gets_a_line_for_each_change() -> None:
    async def story(host: RunningHost) -> None:
        await host.start("StatusThenWait", "order-7", {"stage": "packing", "done": 1, "total": 3})
        with on_terminal("watch", "order-7", url=host.host.base_url, TERM="dumb") as terminal:
            await asyncio.to_thread(terminal.until, "order-7 1/3 Running packing")
            await host.raise_event("order-7", "go", 1)

            assert await asyncio.to_thread(terminal.ended) == 0
            assert terminal.lines[-1] == "order-7 1/3 Completed packing"
            assert "\x1b" not in terminal.raw

    _play(story)


def test_what_ends_a_watch_is_told_below_the_bars() -> None:
    async def story(host: RunningHost) -> None:
        await host.start("Greet", "greeting", "Ann")
        await host.start("FailNow", "bad")
        await host.until_status("bad", "Failed")
        url = host.host.base_url

        failed = await asyncio.to_thread(seen, "watch", "greeting", "bad", url=url, code=5)
        unknown = await asyncio.to_thread(seen, "watch", "greeting", "nobody", url=url, code=3)

        assert failed[2].startswith("Error: The instance 'bad' of FailNow ended Failed: ValueError: bad luck (tests/")
        assert unknown[2].startswith("Error: There is no instance 'nobody' in the task hub.")
        assert "━" not in failed[1]

    _play(story)


def test_a_start_may_be_watched() -> None:
    async def story(host: RunningHost) -> None:
        lines = await asyncio.to_thread(
            seen, "start-new", "Greet", "--input", '"Ann"', "--id", "ann", "--watch", url=host.host.base_url
        )

        assert [line.split()[0] for line in lines] == ["ann"]
        assert lines[0].endswith("Completed")

    _play(story)
