"""The typed client of S5, the status-setting orchestration."""

from __future__ import annotations

from dataclasses import dataclass

from durable_status import InstanceStatus
from durable_status.client.verbs import AsyncVerbs
from orchestrators.set_status_test_contract import ORCHESTRATION, NextActions


@dataclass(frozen=True, slots=True)
class SetStatusTest:
    """Starts instances and reads their status, by whichever client."""

    client: AsyncVerbs

    async def start(self, *, instance_id: str | None = None) -> str:
        """Start an instance and return its id."""
        return await self.client.start_new(ORCHESTRATION, instance_id=instance_id)

    async def status(self, instance_id: str) -> InstanceStatus[NextActions]:
        """Ask for the status."""
        return await self.client.get_status(instance_id, NextActions)
