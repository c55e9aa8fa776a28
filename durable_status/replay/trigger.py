"""The JSON text that the host hands to an orchestrator function."""

from __future__ import annotations

from collections.abc import Iterable

from durable_status.replay.event_json import event_text
from durable_status.replay.events import Event, ExecutionStarted
from durable_status.replay.host_facts import HostFacts
from durable_status.replay.profile import Profile
from durable_status.replay.ticks import format_span
from durable_status.stored_json import dump_stored
from durable_status.stored_text import read_stored

_UPPER_SCHEMA_VERSION = 1  # for SDKs before 1.1.4, which know no other member


def trigger_text(
    history: Iterable[Event], started: ExecutionStarted, *, is_replaying: bool, host: HostFacts, profile: Profile
) -> str:
    """Write the trigger for one call: the whole history, the new events of this episode included."""
    parent = started.parent_instance
    members = {
        "input": dump_stored(read_stored(started.input)),
        "instanceId": dump_stored(started.orchestration_instance.instance_id),
        "isReplaying": dump_stored(is_replaying),
        "parentInstanceId": dump_stored(None if parent is None else parent.orchestration_instance.instance_id),
    }
    if profile.writes_newer_members:
        members["sourceInstanceId"] = dump_stored(started.source_instance_id)
    members |= {
        "upperSchemaVersion": str(_UPPER_SCHEMA_VERSION),
        "upperSchemaVersionNew": str(profile.upper_schema_version),
        "longRunningTimerIntervalDuration": dump_stored(format_span(host.long_timer_interval)),
        "maximumShortTimerDuration": dump_stored(format_span(host.maximum_short_timer)),
        "defaultHttpAsyncRequestSleepTimeMillseconds": str(host.default_http_sleep_milliseconds),
    }
    rest = ",".join(f'"{name}":{text}' for name, text in members.items())
    return f'{{"history":[{",".join(map(event_text, history))}],{rest}}}'
