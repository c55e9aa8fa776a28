"""The typed client of S1, the greeting orchestration."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from durable_status import InstanceStatus
from durable_status.client.verbs import AsyncVerbs
from orchestrators.hello_sequence_contract import ORCHESTRATION, City


@dataclass(frozen=True, slots=True)
class HelloSequence:
    """Starts and watches greetings, by whichever client."""

    client: AsyncVerbs

    async def start(self, *, instance_id: str | None = None) -> str:
        """Start an instance and return its id."""
        return await self.client.start_new(ORCHESTRATION, instance_id=instance_id)

    def watch(self, instance_id: str) -> AsyncIterator[InstanceStatus[City]]:
        """Yield the status now and after each change."""
        return self.client.watch(instance_id, City)

    async def greetings(self, instance_id: str, timeout: float) -> list[str]:
        """Wait for the output.

        Raises:
            InstanceFailedError, WaitTimeoutError: there is none, or not yet.
        """
        return (await self.client.wait_for_completion(instance_id, City, timeout)).output_as(list[str])
