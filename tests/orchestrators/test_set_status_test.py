"""S5: the status stays readable for 30 seconds."""

from __future__ import annotations

import asyncio

from orchestrators.set_status_test_contract import ORCHESTRATION
from tests.clock import ManualClock
from tests.hosts import running_host


def test_the_status_is_there_while_the_timer_runs_and_after_it() -> None:
    async def main() -> None:
        clock = ManualClock()
        async with running_host(clock=clock) as host:
            await host.start(ORCHESTRATION, "s", {"any": "input"})
            running = await host.until("s", lambda document: document["customStatus"] is not None)
            assert (running["runtimeStatus"], running["customStatus"]) == (
                "Running",
                {"nextActions": ["A", "B", "C"], "foo": 2},
            )
            clock.advance(29)
            assert (await host.status("s"))["runtimeStatus"] == "Running"
            clock.advance(1)
            ended = await host.until_status("s", "Completed")
            assert (ended["output"], ended["customStatus"]) == (None, running["customStatus"])

    asyncio.run(main())
