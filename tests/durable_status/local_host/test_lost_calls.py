"""What functions ask of the host and never arrives: calls that nobody awaits, events that no URL can name."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

import pytest

from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.hosts import RunningHost, running_host
from tests.paths import APPS

_APP = APPS / "activity_bindings"
_LINES = (_APP / "function_app.py").read_text().splitlines()
_NEVER = "client.start_new(...) is never awaited, so nothing is sent; write: await client.start_new(...)"


def _warnings(
    caplog: pytest.LogCaptureFixture, story: Callable[[RunningHost], Awaitable[None]], **options: object
) -> list[str]:
    async def play() -> None:
        async with running_host(_APP, **options) as host:  # type: ignore[arg-type]
            await story(host)

    with caplog.at_level(logging.WARNING):
        asyncio.run(play())
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def _line(text: str) -> str:
    number = next(at for at, line in enumerate(_LINES, 1) if text in line and line.endswith("# here"))
    return f"tests/apps/activity_bindings/function_app.py:{number}"


def test_a_starter_that_does_not_await_its_start_is_told_so(caplog: pytest.LogCaptureFixture) -> None:
    async def story(host: RunningHost) -> None:
        assert (await host.request("POST", "/api/start/n")).status == 500
        assert (await host.request("POST", "/api/later")).text == "started"
        assert json.loads((await host.manage("GET", "instances")).text) == []

    assert _warnings(caplog, story) == [
        f"Function 'start': {_line('instance_id = client')}: {_NEVER}",
        f"Function 'later': {_line('DurableClient(client).start_new')}: {_NEVER}",
    ]


def test_so_is_an_activity_but_not_one_whose_call_goes_on_in_a_task(caplog: pytest.LogCaptureFixture) -> None:
    async def story(host: RunningHost) -> None:
        for name in ("StartsNone", "StartsInATask", "StartsOne"):
            await host.start("Calls", name, [name, f"by-{name}"])
            await host.until_status(name, "Completed")
        await host.until_status("by-StartsInATask", "Running")
        assert (await host.manage("GET", "instances/by-StartsNone")).status == 404

    assert _warnings(caplog, story) == [f"Function 'StartsNone': {_line('    client.start_new')}: {_NEVER}"]


@pytest.mark.conforms("R6-34")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)
def test_an_event_whose_name_holds_a_slash_is_told_with_the_cure(
    profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(host: RunningHost) -> None:
        await host.start("Waits", "w")
        await host.until_status("w", "Running")
        assert (await host.manage("POST", "instances/w/raiseEvent/a/b", "1")).status == 404
        assert (await host.manage("POST", "instances/w/raiseEvent/", "1")).status == 404
        assert (await host.manage("POST", "instances/w/raiseEvents/a/b", "1")).status == 404

    assert _warnings(caplog, story, profile=profile) == [
        "The event 'a/b' was not raised: a slash ends its name in the URL. Give the event a name without one."
    ]
