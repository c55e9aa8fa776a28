"""The typed client of S3, the recommending orchestration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from durable_status import InstanceStatus
from durable_status.client.verbs import AsyncVerbs
from orchestrators.city_recommender_contract import CITY_SELECTED, ORCHESTRATION, Recommendation


@dataclass(frozen=True, slots=True)
class CityRecommender:
    """Starts recommendations, reads them and selects from them, by whichever client."""

    client: AsyncVerbs

    async def start(self, choice: Literal[1, 2, 3], *, instance_id: str | None = None) -> str:
        """Start an instance for the user's choice and return its id."""
        return await self.client.start_new(ORCHESTRATION, choice, instance_id=instance_id)

    async def recommendation(self, instance_id: str, timeout: float) -> Recommendation:
        """Wait for what is on offer.

        Raises:
            InstanceEndedError, WaitTimeoutError: there is nothing, or not yet.
        """
        shown = await self.client.wait_for_status(instance_id, Recommendation, _has_status, timeout)
        assert shown.custom_status is not None
        return shown.custom_status

    async def select(self, instance_id: str, city: str) -> None:
        """Select one of the recommended cities; any other is passed over."""
        await self.client.raise_event(instance_id, CITY_SELECTED, city)

    async def selected(self, instance_id: str, timeout: float) -> str:
        """Wait for the city that was selected."""
        return (await self.client.wait_for_completion(instance_id, Recommendation, timeout)).output_as(str)


def _has_status(status: InstanceStatus[Recommendation]) -> bool:
    return status.custom_status_json is not None
