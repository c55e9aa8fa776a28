"""What the commands say of an instance that has failed, and of an orchestrator that there is not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from durable_status.cli.main import main
from durable_status.local_host.failures import FAILURES_PATH
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.hosts import TRANSCRIPTS, RunningHost, running_host
from tests.paths import APPS
from tests.terminal import seen

Run = Callable[..., Awaitable[Result]]

_LINES = (TRANSCRIPTS / "function_app.py").read_text().splitlines()


def _play(story: Callable[[Run, RunningHost], Awaitable[None]], app: Path = TRANSCRIPTS, **options: Any) -> None:
    async def play() -> None:
        async with running_host(app, **options) as host:

            async def run(command: str, *arguments: str) -> Result:
                line = [command, "--url", host.host.base_url, *arguments]
                return await asyncio.to_thread(CliRunner().invoke, main, line)

            await story(run, host)

    asyncio.run(play())


def _at(text: str, function: str) -> str:
    """How a line of the app is told."""
    number = next(at for at, line in enumerate(_LINES, 1) if text in line)
    return f"tests/apps/transcripts/function_app.py:{number} in {function}"


def test_watch_and_status_tell_the_exception_of_an_orchestrator_and_its_line() -> None:
    async def story(run: Run, _host: RunningHost) -> None:
        await run("start-new", "FailNow", "--id", "bad")
        failed = await run("watch", "bad")
        shown = await run("status", "bad")

        why = f"ValueError: bad luck ({_at('bad luck', 'FailNow')})"
        assert failed.stderr == f"Error: The instance 'bad' of FailNow ended Failed: {why}.\n"
        assert failed.exit_code == 5
        assert shown.stderr == f"Failed: {why}\n"
        assert json.loads(shown.stdout)["output"] == "Orchestrator function 'FailNow' failed: bad luck"

    _play(story)


def test_on_a_terminal_the_table_of_a_status_has_the_failure_and_a_line_for_each_of_its_lines() -> None:
    async def story(run: Run, host: RunningHost) -> None:
        await run("start-new", "FailingUncaught", "--id", "bad")
        await run("watch", "bad")
        table = await asyncio.to_thread(seen, "status", "bad", columns=100, lines=60, url=host.host.base_url)

        row = next(number for number, line in enumerate(table) if line.startswith("Failure "))
        assert table[row].split(maxsplit=1)[1] == "Activity function 'Boom' failed: ValueError: boom x"
        assert [line.split()[-1] for line in table[row + 1 : row + 3]] == ["Boom", "FailingUncaught"]
        assert table[row + 3].startswith("Output ")

    _play(story)


def test_each_instance_that_has_failed_is_told_with_the_lines_of_its_activity() -> None:
    async def story(run: Run, _host: RunningHost) -> None:
        for name in ("one", "two"):
            await run("start-new", "FailingUncaught", "--id", name)
        failed = await run("watch", "one", "two")

        first, second = failed.stderr.splitlines()
        assert (failed.exit_code, {line[:27] for line in (first, second)}) == (
            5,
            {"Error: The instance 'one' o", "Error: The instance 'two' o"},
        )
        for line in (first, second):
            assert (
                "Activity function 'Boom' failed: ValueError: boom x (tests/apps/transcripts/function_app.py:" in line
            )
            assert " in Boom, " in line
            assert "$type" not in line

    _play(story)


def test_why_one_was_terminated_is_told() -> None:
    async def story(run: Run, host: RunningHost) -> None:
        await run("start-new", "WaitGo", "--id", "w")
        await run("terminate", "w", "--reason", "out of stock")
        await host.until_status("w", "Terminated")

        told = (await run("watch", "w")).stderr
        assert told == "Error: The instance 'w' of WaitGo ended Terminated: out of stock.\n"
        assert (await run("status", "w")).stderr == ""

    _play(story)


@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)
def test_an_orchestrator_that_there_is_not_is_refused_with_those_that_there_are(profile: Profile) -> None:
    async def story(run: Run, host: RunningHost) -> None:
        for name in ("Nope", "Echo"):  # one is an activity
            refused = await run("start-new", name, "--id", "n")
            assert (refused.exit_code, refused.stdout) == (2, "")
            assert refused.stderr.startswith(
                f"Error: There is no orchestrator '{name}' in the app, so nothing was started."
            )
            assert "FailNow" in refused.stderr
        assert (await host.manage("GET", "instances/n")).status == 404
        assert (await run("start-new", "failnow", "--id", "f")).exit_code == 0

    _play(story, profile=profile)


def test_an_orchestrator_that_is_switched_off_is_refused_in_other_words() -> None:
    async def story(run: Run, host: RunningHost) -> None:
        refused = await run("start-new", "Off_Orchestrator", "--id", "n")

        assert (refused.exit_code, refused.stdout) == (2, "")
        assert refused.stderr == (
            "Error: The orchestrator 'Off_Orchestrator' is switched off by a setting, so nothing was started.\n"
        )
        assert (await host.manage("GET", "instances/n")).status == 404

    _play(story, APPS / "switched_off")


def test_without_the_key_to_what_a_host_says_of_itself_a_start_goes_on(tmp_path: Path) -> None:
    async def story(run: Run, host: RunningHost) -> None:
        key = json.loads((tmp_path / "keys.json").read_text())["durabletask_extension"]
        assert (await run("start-new", "Nope", "--id", "n", "--key", key)).stdout == "n\n"
        failed = await run("watch", "n", "--key", key)
        assert "The function 'Nope' doesn't exist" in failed.stderr

        assert (await host.request("GET", f"{FAILURES_PATH}?instanceId=n")).status == 401

    _play(story, enable_auth=True, state_folder=tmp_path)


def test_failures_are_told_to_programs_on_this_machine_only() -> None:
    async def story(run: Run, host: RunningHost) -> None:
        await run("start-new", "FailNow", "--id", "bäd")
        await run("watch", "bäd")
        path = f"{FAILURES_PATH}?instanceId=b%C3%A4d"

        told = await host.request("GET", path)
        assert (told.status, told.json["reason"]) == (200, "ValueError: bad luck")
        assert [frame["function"] for frame in told.json["frames"]] == ["FailNow"]
        assert (await host.request("GET", path, headers={"Origin": "http://evil.example"})).status == 403
        assert (await host.request("GET", path, headers={"Host": "evil.example"})).status == 403
        assert (await host.request("POST", path)).status == 404
        assert (await host.request("GET", f"{FAILURES_PATH}?instanceId=none")).status == 404
        assert (await host.request("GET", FAILURES_PATH)).status == 404

    _play(story)
