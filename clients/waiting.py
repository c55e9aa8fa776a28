"""Waits until an instance shows a wanted custom status. Polls, with pauses that let everything else go on."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from clients.start_request import parse_json
from durable_status import (
    DurableStatusError,
    HostError,
    InstanceEndedError,
    InstanceNotFoundError,
    InstanceStatus,
    WaitTimeoutError,
)
from durable_status.client.durable_client import DurableClient

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedStatus:
    """A custom status to wait for: a text, or the JSON value that this text writes."""

    text: str
    value: Any
    """None when the text is not JSON; an instance that shows null has no custom status."""

    @classmethod
    def create(cls, text: str) -> WantedStatus:
        """Read it from the text a caller gave."""
        try:
            return cls(text=text, value=parse_json(text))
        except ValueError:
            return cls(text=text, value=None)

    def is_shown_by(self, custom_status: Any) -> bool:
        """Whether a custom status is the wanted one."""
        return custom_status is not None and (custom_status == self.text or _same_json(custom_status, self.value))


async def wait_for_custom_status(
    client: DurableClient, instance_id: str, wanted: WantedStatus, timeout_seconds: float
) -> InstanceStatus[Any] | None:
    """Wait until the custom status is `wanted`, whatever the runtime status, or the instance has ended.

    A status set in the last part of an orchestration is only ever seen together with Completed, so the runtime status
    says nothing about whether it will come.

    Returns:
        The last status, with the input, or None when the time was up first or the platform does not say. The instance
        has been started, so a failed look must not end the request: its caller would not learn the id.
    """
    try:
        status = await client.wait_for_status(
            instance_id, Any, lambda status: wanted.is_shown_by(status.custom_status_json), timeout_seconds
        )
    except InstanceEndedError as ended:
        status = ended.status
    except WaitTimeoutError:
        return None
    except (HostError, InstanceNotFoundError):
        logger.warning("The status of the instance %s could not be read.", instance_id, exc_info=True)
        return None
    return replace(status, input=await _input(client, instance_id))


async def _input(client: DurableClient, instance_id: str) -> Any:
    """The input, which waiting does not fetch; None when the platform does not say."""
    try:
        return (await client.get_status(instance_id, Any, show_input=True)).input
    except DurableStatusError:
        logger.warning("The input of the instance %s could not be read.", instance_id, exc_info=True)
        return None


def _same_json(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal. In Python True == 1; in JSON they are different values."""
    match one, other:
        case (bool(), _) | (_, bool()):
            return one is other
        case dict(), dict():
            return one.keys() == other.keys() and all(_same_json(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(map(_same_json, one, other))
        case _:
            return bool(one == other)
