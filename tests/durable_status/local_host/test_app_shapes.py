"""Apps of every shape run end to end: the older model, and one orchestration of each usual kind."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from durable_status.app.errors import AppError
from durable_status.replay.ticks import datetime_from_ticks
from tests.clock import ManualClock
from tests.hosts import RunningHost, app_in, running_host
from tests.paths import APPS

FUNCTION_JSON = APPS / "function_json"
PATTERNS = APPS / "patterns"
ENTITIES = APPS / "entities"
UNSUITED = APPS / "unsuited"


@pytest.mark.conforms("H5-1", "H5-2", "H5-3", "H6-1")
def test_an_app_of_the_older_model_runs_with_its_shared_code_and_its_own_client() -> None:
    async def main() -> None:
        async with running_host(FUNCTION_JSON) as host:
            started = await host.request("POST", "/api/begin/Chain")
            document = await host.until_status(started.json["id"], "Completed")

            assert (started.status, started.headers["X-Greeting"]) == (202, "Hello you from shared.greetings")
            assert document["output"] == [
                "Hello Oslo from __app__.shared.greetings",
                "Hello Lima from __app__.shared.greetings",
            ]

    asyncio.run(main())


@pytest.mark.conforms("H5-4", "H5-5")
def test_a_broken_script_is_named_and_a_disabled_function_answers_nothing() -> None:
    async def main() -> None:
        async with running_host(FUNCTION_JSON) as host:
            off = await host.request("GET", "/api/Off")

            assert off.status == 404
            assert list(host.host.problems) == [
                "Function 'Broken' fails in every call: Broken/__init__.py has no function start(); "
                "define it, or name another as entryPoint.",
                "Function 'Off' is disabled by a setting.",
            ]
            assert [timer.name for timer in host.host.timers] == ["Tick"]

    asyncio.run(main())


@pytest.mark.conforms("H5-45")
def test_a_function_that_fails_in_every_call_answers_500_and_fails_its_orchestration(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trigger = '{"bindings": [{"type": "%s", "name": "x"}, {"type": "http", "name": "$return", "direction": "out"}]}'
    for name, kind, code in (
        ("Page", "httpTrigger", "def main(x) -> int: return 1"),
        ("Act", "activityTrigger", "def main(x, y): return 1"),
        ("Orch", "orchestrationTrigger", "def main("),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "function.json").write_text(trigger % kind if kind == "httpTrigger" else _lone(kind))
        (tmp_path / name / "__init__.py").write_text(code)
    (tmp_path / "host.json").write_text('{"version": "2.0"}')

    async def main() -> None:
        async with running_host(tmp_path) as host:
            page = await host.request("GET", "/api/page")
            await host.start("Orch", "o")

            assert (page.status, page.text) == (500, "")
            assert "SyntaxError" in (await host.until_status("o", "Failed"))["output"]

    asyncio.run(main())
    assert "Function 'Page' failed: the function returns func.HttpResponse or str, not int" in caplog.text


def _lone(kind: str) -> str:
    return f'{{"bindings": [{{"type": "{kind}", "name": "x"}}]}}'


_REFUSED = """
import azure.functions as func
import azure.durable_functions as df
app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

@app.activity_trigger(input_name="rows")
def total(rows: list[int]): return sum(rows)

@app.route()
def page(req: func.HttpRequest): return func.HttpResponse("here")
"""


@pytest.mark.conforms("H5-44")
def test_an_app_that_the_platform_would_load_nothing_of_runs_here_and_says_so_unless_strict(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(_REFUSED)

    async def main() -> None:
        async with running_host(tmp_path) as host:
            assert (await host.request("GET", "/api/page")).text == "here"
            refused, loss = host.host.problems
        assert refused.startswith("Function 'total' cannot be loaded (function_app.py, line 6): ")
        assert loss.startswith("On the platform this app has no function at all")
        with pytest.raises(AppError) as failure:
            async with running_host(tmp_path, strict=True):
                pass
        assert str(failure.value) == f"{refused} {loss}"

    asyncio.run(main())


async def _approve(host: RunningHost, _clock: ManualClock) -> None:
    await host.raise_event("i", "Approved", "Ada")


async def _let_the_deadline_pass(_host: RunningHost, clock: ManualClock) -> None:
    clock.advance(300)


async def _let_three_minutes_pass(host: RunningHost, clock: ManualClock) -> None:
    for seen in range(3):
        await host.until("i", lambda document, seen=seen: document["customStatus"] == {"seen": seen})  # type: ignore[misc]
        clock.advance(61)


async def _nothing(_host: RunningHost, clock: ManualClock) -> None:
    clock.advance(1)  # a retry is due


@pytest.mark.parametrize(
    ("name", "act", "output"),
    [
        ("approval", _approve, "approved by Ada"),
        ("approval", _let_the_deadline_pass, "too late"),
        ("monitor", _let_three_minutes_pass, "seen enough"),
        ("total", _nothing, 14),
    ],
)
def test_the_usual_kinds_of_orchestration_end_as_they_should(
    name: str, act: Callable[[RunningHost, ManualClock], Awaitable[None]], output: object
) -> None:
    async def main() -> None:
        clock = ManualClock()
        async with running_host(PATTERNS, clock=clock) as host:
            await host.start(name, "i")
            await host.until_status("i", "Running") if name in ("approval", "monitor") else None
            await act(host, clock)

            assert (await host.until_status("i", "Completed"))["output"] == output

    asyncio.run(main())


def test_a_sub_orchestration_is_retried_until_it_is_steady() -> None:
    async def main() -> None:
        async with running_host(PATTERNS) as host:
            await host.start("parent", "p")

            assert (await host.until_status("p", "Completed"))["output"] == {"child": "child is steady"}

    asyncio.run(main())


@pytest.mark.conforms("H5-6")
def test_a_function_may_have_two_durable_clients() -> None:
    async def main() -> None:
        async with running_host(PATTERNS) as host:
            instance_id = (await host.request("GET", "/api/start/total")).text

            assert (await host.until_status(instance_id, "Completed"))["output"] == 14

    asyncio.run(main())


@pytest.mark.conforms("H5-7")
def test_a_timer_function_is_called_when_it_is_due_with_its_durable_client() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with running_host(PATTERNS, clock=clock) as host:
            now = datetime_from_ticks(clock.now())
            due = now.replace(hour=2, minute=30, second=0, microsecond=0) + timedelta(days=1)
            await asyncio.sleep(0)  # the timer has looked at the clock
            clock.advance((due - now).total_seconds() + 1)

            assert (await host.until_status("nightly-false", "Completed"))["output"] == 41

    asyncio.run(main())


@pytest.mark.conforms("H5-27", "XF-2")
def test_functions_are_called_directly_but_for_orchestrators(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(PATTERNS) as host:
            timer = await host.request("POST", "/admin/functions/nightly", '{"input": ""}')
            orchestrator = await host.request("POST", "/admin/functions/total", '{"input": ""}')
            unknown = await host.request("POST", "/admin/functions/nobody", '{"input": ""}')
            bad = await host.request("POST", "/admin/functions/nightly", "no json")

            assert [answer.status for answer in (timer, orchestrator, unknown, bad)] == [202, 202, 404, 400]
            assert (await host.until_status("nightly-false", "Completed"))["output"] == 41

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())

    assert "Durable orchestrator functions do not support direct invocation." in caplog.text


@pytest.mark.conforms("H5-27", "XF-1", "XF-4")
def test_admin_lists_the_functions_disabled_ones_too() -> None:
    async def main() -> None:
        async with running_host(FUNCTION_JSON) as host:
            listed = {item["name"]: item for item in (await host.request("GET", "/admin/functions")).json}
            one = await host.request("GET", "/admin/functions/chain")
            status = await host.request("GET", "/admin/host/status")
            ping = await host.request("POST", "/admin/host/ping")

            assert {name: item["isDisabled"] for name, item in listed.items()} == {
                "Broken": False,
                "Chain": False,
                "Hello": False,
                "Off": True,
                "Start": False,
                "Tick": False,
            }
            assert listed["Start"]["invoke_url_template"] == f"{host.host.base_url}/api/begin/{{name}}"
            assert one.json["config"]["bindings"][0]["type"] == "orchestrationTrigger"
            assert (status.json["state"], ping.status) == ("Running", 200)
            assert status.json["versionDetails"].startswith("durable-status ")
            assert isinstance(status.json["processUptime"], int)

    asyncio.run(main())


@pytest.mark.conforms("H6-34")
def test_a_function_that_takes_too_long_fails() -> None:
    async def main() -> None:
        async with running_host(UNSUITED, settings={"function_timeout_seconds": 0.05}) as host:
            await host.start("wait", "i")
            output = (await host.until_status("i", "Failed"))["output"]
            answers = [await host.request("GET", path) for path in ("/api/never", "/api/busy")]
            await host.request("POST", "/api/release")

            assert "Timeout value of 00:00:00.0500000 was exceeded by function: Functions.never_ends" in output
            assert [(answer.status, answer.text) for answer in answers] == [(500, ""), (500, "")]

    asyncio.run(main())


@pytest.mark.conforms("H5-33")
def test_functions_that_do_not_or_not_fully_work_here_are_named(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(UNSUITED) as host:
            goes_nowhere = "is run, but this host has no queue: what it puts there is logged and goes nowhere."
            assert list(host.host.problems) == [
                "Function 'reads_a_queue' is not run here: this host has no queueTrigger. "
                'Give what it does an HTTP function too, or run the app with "func start".',
                f"Function 'puts_into_a_queue' {goes_nowhere}",
                f"Function 'sends' {goes_nowhere}",
            ]
            answer = await host.request("GET", "/api/put")
            await host.start("send", "s", "hello")

            assert (answer.status, answer.text) == (200, "put")
            assert (await host.until_status("s", "Completed"))["output"] == "sent"

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())

    assert caplog.messages == [
        "Function 'puts_into_a_queue': 'message' (queue) goes nowhere on this host: x",
        "Function 'sends': 'message' (queue) goes nowhere on this host: hello",
    ]


@pytest.mark.conforms("H5-34", "XF-5")
def test_operations_of_entities_have_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(ENTITIES) as host:
            await host.start("CatchFailure", "c", "k")
            await host.until_status("c", "Completed")

    with caplog.at_level(logging.INFO):
        asyncio.run(main())

    lines = [record.getMessage() for record in caplog.records if "counter" in record.getMessage().casefold()]
    assert lines[0].startswith("Executing 'Functions.Counter' (Id=")
    assert lines[1].startswith("Executed 'Functions.Counter' (Succeeded, Id=")
    assert re.fullmatch(
        r"Function 'counter \(Entity\)' failed 'fail' operation: ValueError: not today "
        r"\(tests/apps/entities/function_app\.py:\d+ in Counter\) \(Instance='@counter@k'\)",
        lines[2],
    )


def test_every_app_here_has_settings_of_its_own() -> None:
    assert app_in(FUNCTION_JSON).settings.hub_name == "TestHub"
