"""Reports from inside an activity: not too many, not too often, numbered."""

from __future__ import annotations

import asyncio
from typing import Any

from durable_status.client.reporter import Reporter
from tests.durable_status.client.kinds import client_of
from tests.hosts import TRANSCRIPTS, running_host


def test_what_comes_too_soon_or_over_the_limit_is_dropped_and_takes_no_number() -> None:
    time = 100.0
    reported: list[bool] = []

    async def main() -> list[Any]:
        nonlocal time
        async with running_host(TRANSCRIPTS) as host, client_of("http", host) as client:
            await client.start_new("WaitGo", instance_id="w")
            reporter = Reporter(client, "w", "Packed", limit=2, pause=1.0, now=lambda: time)
            for passed in (0.0, 0.9, 0.2, 5.0):
                time += passed
                reported.append(await reporter.report({"at": time}))
            await client.terminate("w")
            await host.until_status("w", "Terminated")
            history = (await client.get_status("w", Any, show_history=True)).history
            return [event["Name"] for event in history if event["EventType"] == "EventRaised"]

    raised = asyncio.run(main())

    assert reported == [True, False, True, False]
    assert raised == ["Packed.0", "Packed.1"]
