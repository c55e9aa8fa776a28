"""Waits until an instance shows a wanted custom status. Polls, with pauses that let everything else go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import azure.durable_functions as df

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 1.0
_PAUSE_GROWTH = 1.25
_ENDED = frozenset(
    {
        df.OrchestrationRuntimeStatus.Completed,
        df.OrchestrationRuntimeStatus.Failed,
        df.OrchestrationRuntimeStatus.Terminated,
        df.OrchestrationRuntimeStatus.Canceled,
    }
)

Sleep = Callable[[float], Awaitable[None]]


async def wait_for_custom_status(
    client: df.DurableOrchestrationClient,
    instance_id: str,
    wanted: str,
    timeout_seconds: float,
    sleep: Sleep = asyncio.sleep,
) -> dict[str, Any] | None:
    """Wait until the custom status is `wanted`, whatever the runtime status, or the instance has ended.

    A status set in the last part of an orchestration is only ever seen together with Completed, so the runtime status
    says nothing about whether it will come.

    Returns:
        The last status document, or None when the time was up first.
    """
    pause, waited = _FIRST_PAUSE_SECONDS, 0.0
    while True:
        status = await client.get_status(instance_id)
        if status and (shows(status.custom_status, wanted) or status.runtime_status in _ENDED):
            return status_document(status)
        pause = min(pause, timeout_seconds - waited)
        if pause <= 0:
            return None
        await sleep(pause)
        waited += pause
        pause = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE_SECONDS)


def shows(custom_status: Any, wanted: str) -> bool:
    """Whether a custom status is the text `wanted`, or the JSON value that `wanted` writes."""
    if custom_status == wanted:
        return True
    try:
        value = json.loads(wanted)
    except ValueError:
        return False
    # In Python 1 == True; in JSON they are different values.
    return custom_status is not None and json.dumps(custom_status, sort_keys=True) == json.dumps(value, sort_keys=True)


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


def _whole_seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
