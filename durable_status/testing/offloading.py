"""Offloaded statuses inside a test: nothing is stored anywhere, and readers see the whole status.

The activity of `publish_status` is scheduled and answers as on the platform, unless the test gives it an outcome.
"""

from __future__ import annotations

import json
from typing import Any

from durable_status.publishing import OFFLOAD_ACTIVITY
from durable_status.replay.decisions import ScheduleActivity
from durable_status.stored_json import Json, dump_stored
from durable_status.testing.payloads import given_input


class Offloads:
    """What the orchestrators of a hub have published, by instance and reference. Forks of the hub share it."""

    def __init__(self) -> None:
        self._statuses: dict[tuple[str, str], str] = {}

    def note(self, instance_id: str, scheduled: ScheduleActivity) -> None:
        """Remember the status, if the activity is the one that stores it."""
        if scheduled.name == OFFLOAD_ACTIVITY:
            call = json.loads(given_input(scheduled.input) or "null")
            self._statuses[instance_id, dump_stored(call["reference"])] = call["status"]

    def text_of(self, instance_id: str, custom_status: str | None) -> str | None:
        """The text of the status that a custom status refers to; None when it refers to none."""
        return None if custom_status is None else self._statuses.get((instance_id, custom_status))


def offload_answer(call: Any) -> Json:
    """What the activity returns for its input."""
    reference: Json = call["reference"]
    return reference
