"""The typed client of S4, the reserving orchestration."""

from __future__ import annotations

from dataclasses import dataclass

from durable_status import InstanceStatus
from durable_status.client.verbs import AsyncVerbs
from orchestrators.ticket_reservation_contract import BOOKING_CONFIRMED, ORCHESTRATION, Offer, Outcome


@dataclass(frozen=True, slots=True)
class TicketReservation:
    """Starts reservations, reads their offers and confirms them, by whichever client."""

    client: AsyncVerbs

    async def start(self, user_id: str, *, instance_id: str | None = None) -> str:
        """Start an instance for a user and return its id."""
        return await self.client.start_new(ORCHESTRATION, user_id, instance_id=instance_id)

    async def status(self, instance_id: str) -> InstanceStatus[Offer | Outcome]:
        """Ask for the offer, or in the end for the outcome."""
        return await self.client.get_status(instance_id, Offer | Outcome)

    async def confirm(self, instance_id: str, confirmed: bool = True) -> None:
        """Confirm the booking, or decline it."""
        await self.client.raise_event(instance_id, BOOKING_CONFIRMED, confirmed)

    async def is_booked(self, instance_id: str, timeout: float) -> bool:
        """Wait for whether the confirmation came in time."""
        return (await self.client.wait_for_completion(instance_id, Offer | Outcome, timeout)).output_as(bool)
