"""Waits until an instance shows a wanted custom status. Polls, with pauses that let everything else go on."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import azure.durable_functions as df

from clients.start_request import parse_json

logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 1.0
_PAUSE_GROWTH = 1.25
_SHORTEST_LOOK_SECONDS = 1.0
_ENDED = frozenset(
    {
        df.OrchestrationRuntimeStatus.Completed,
        df.OrchestrationRuntimeStatus.Failed,
        df.OrchestrationRuntimeStatus.Terminated,
        df.OrchestrationRuntimeStatus.Canceled,
    }
)


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
    client: df.DurableOrchestrationClient, instance_id: str, wanted: WantedStatus, timeout_seconds: float
) -> dict[str, Any] | None:
    """Wait until the custom status is `wanted`, whatever the runtime status, or the instance has ended.

    A status set in the last part of an orchestration is only ever seen together with Completed, so the runtime status
    says nothing about whether it will come.

    Returns:
        The last status document, or None when the time was up first.
    """
    now = asyncio.get_running_loop().time
    deadline = now() + timeout_seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        status = await _look(client, instance_id, deadline)
        if status and (wanted.is_shown_by(status.custom_status) or status.runtime_status in _ENDED):
            return status_document(status)
        left = deadline - now()
        if left <= 0:
            return None
        await asyncio.sleep(min(pause, left))
        pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE_SECONDS)


def status_document(status: df.DurableOrchestrationStatus) -> dict[str, Any]:
    """The status with the keys and the order of the management API."""
    return {
        "name": status.name,
        "instanceId": status.instance_id,
        "runtimeStatus": status.runtime_status.value,
        "input": status.input_,
        "customStatus": status.custom_status,
        "output": status.output,
        "createdTime": _whole_seconds(status.created_time),
        "lastUpdatedTime": _whole_seconds(status.last_updated_time),
    }


async def _look(
    client: df.DurableOrchestrationClient, instance_id: str, deadline: float
) -> df.DurableOrchestrationStatus | None:
    """The status now, or None when the platform does not say.

    The instance has been started, so a failed look must not end the request: its caller would not learn the id.
    """
    latest_end = max(deadline, asyncio.get_running_loop().time() + _SHORTEST_LOOK_SECONDS)
    try:
        async with asyncio.timeout_at(latest_end):
            return await client.get_status(instance_id)
    except Exception:  # the SDK raises nothing more telling
        logger.warning("The status of the instance %s could not be read.", instance_id, exc_info=True)
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


def _whole_seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
