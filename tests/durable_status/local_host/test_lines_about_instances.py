"""What the host logs of durable functions: which instance they work for, and each change of a custom status."""

from __future__ import annotations

import asyncio
import logging
import re

import pytest

from tests.hosts import TRANSCRIPTS, RunningHost, running_host
from tests.paths import APPS


async def _run_status_and_wait(host: RunningHost) -> None:
    await host.start("StatusThenWait", "order-7", {"stage": "packing"})
    await host.until("order-7", lambda document: document["customStatus"] is not None)
    await host.raise_event("order-7", "go", 1)
    await host.until_status("order-7", "Completed")


def _messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.mark.conforms("H5-34")
def test_the_lines_about_calls_name_the_instance(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS) as host:
            await host.start("Rich", "h1", 1)
            await host.until("h1", lambda document: document["customStatus"] == {"step": 1})
            await host.raise_event("h1", "go", 1)
            await host.until_status("h1", "Completed")
            await host.manage("POST", "entities/Counter/k?op=add", "1")
            await host.until("@counter@k", lambda document: document["runtimeStatus"] == "Running")

    with caplog.at_level(logging.INFO):
        asyncio.run(main())

    calls = [line for line in _messages(caplog) if line.startswith(("Executing", "Executed"))]
    pattern = re.compile(r"'Functions.(\w+)' \(.*Id=[-0-9a-f]{36}.*, Instance='(.*)'\)$")
    callers = {found.groups() for line in calls if (found := pattern.search(line))}
    assert callers == {("Rich", "h1"), ("Echo", "h1"), ("Boom", "h1"), ("Child", "h1-sub"), ("Echo", "h1-sub")} | {
        ("Counter", "@counter@k")
    }
    assert all("Instance=" in line for line in calls)


def test_calls_for_no_instance_name_none(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(APPS / "http_functions") as host:
            await host.request("GET", "/api/seen/Ann")

    with caplog.at_level(logging.INFO):
        asyncio.run(main())

    calls = [line for line in _messages(caplog) if line.startswith(("Executing", "Executed"))]
    assert calls
    assert not any("Instance=" in line for line in calls)


def test_each_change_of_a_custom_status_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS) as host:
            await _run_status_and_wait(host)
            await host.start("StatusThenWait", "long", "x" * 1_000)
            await host.until("long", lambda document: document["customStatus"] is not None)

    with caplog.at_level(logging.INFO):
        asyncio.run(main())

    assert [line for line in _messages(caplog) if "custom status" in line] == [
        'Instance \'order-7\' of StatusThenWait: custom status {"stage":"packing"}',
        "Instance 'long' of StatusThenWait: custom status \"" + "x" * 299 + "…",
    ]
