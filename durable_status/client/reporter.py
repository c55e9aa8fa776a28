"""Reports from inside an activity, to an orchestrator that waits with `durable_status.wait_with_reports`.

The activity takes the durable client as a second binding, and the instance id as part of its input::

    @blueprint.activity_trigger(input_name="order", activity="Pack")
    @blueprint.durable_client_input(client_name="client")
    async def pack(order: dict, client: df.DurableOrchestrationClient) -> str:
        reporter = Reporter(DurableClient(client), order["instanceId"], "Packed", limit=20)
        for number, article in enumerate(order["articles"]):
            ...
            await reporter.report({"done": number + 1, "total": len(order["articles"])})
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from durable_status.client.verbs import AsyncVerbs
from durable_status.reports import report_event


class Reporter:
    """Raises the numbered events of one activity's reports, not too many and not too often.

    Every event costs the orchestrator an episode, so what comes too soon after the last one is dropped: the next one
    says more. An activity that runs again, after a failure of its host, begins anew; the numbers it has used before
    are passed over by the orchestrator.

    Args:
        client: a client of the task hub.
        instance_id: the orchestration that waits.
        event_name: as given to `wait_with_reports`.
        limit: as given to `wait_with_reports`; nothing is raised beyond it.
        pause: the least number of seconds between two reports.
    """

    def __init__(
        self,
        client: AsyncVerbs,
        instance_id: str,
        event_name: str,
        *,
        limit: int = 20,
        pause: float = 1.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._instance_id = instance_id
        self._event_name = event_name
        self._limit = limit
        self._pause = pause
        self._now = now
        self._sent = 0
        self._next_time = now()

    def __repr__(self) -> str:
        return f"<Reporter of {self._event_name!r} to {self._instance_id!r}: {self._sent} of {self._limit}>"

    async def report(self, value: Any) -> bool:
        """Raise a report, a JSON or typed value; whether it was raised, or dropped.

        Raises:
            HostError, InstanceStateError: it could not be raised. A report is seldom worth failing an activity for.
        """
        if self._sent >= self._limit or self._now() < self._next_time:
            return False
        await self._client.raise_event(self._instance_id, report_event(self._event_name, self._sent), value)
        self._sent += 1
        self._next_time = self._now() + self._pause
        return True
