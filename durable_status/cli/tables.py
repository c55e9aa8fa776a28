"""Tables of instances and of events, for people: as wide as the terminal, or as they are in a file or a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from rich.console import Console
from rich.text import Text

from durable_status.cli.fitted_table import Column, print_table
from durable_status.cli.output import echo, is_for_people, json_text
from durable_status.cli.status_words import COLOURS, status_text
from durable_status.failure import Failure
from durable_status.harmless_text import one_line
from durable_status.instance_status import InstanceStatus
from durable_status.stored_json import Json
from durable_status.task_hub.numbers import EVENT_TYPES, ORCHESTRATION_STATUSES

_GAP = 2
_LONGEST_CELL = 200
_TASK_MEMBERS = ("TaskScheduledId", "TimerId")
_NAME_MEMBERS = ("Name", "FunctionName")
_PAYLOAD_MEMBERS = ("OrchestrationStatus", "Result", "Input", "Reason", "Data", "FireAt", "InstanceId")

_INSTANCES = (
    Column(heading="Instance"),
    Column(heading="Orchestration", least=16, goes=3),
    Column(heading="Runtime status", least=10),
    Column(heading="Created", goes=2),
    Column(heading="Last updated", goes=1),
    Column(heading="Custom status", least=20, goes=4),
)
_EVENTS = (
    Column(heading="", goes=2),
    Column(heading="Time (UTC)", least=19, goes=1, overflow="crop"),  # of the fractions
    Column(heading="Event", least=18),
    Column(heading="Task", goes=3, is_optional=True),
    Column(heading="Name", least=12, goes=4),
    Column(heading="What", least=16, overflow="fold"),
)


def print_statuses(statuses: Iterable[InstanceStatus[Any]]) -> None:
    """Print a line for each instance."""
    rows = [
        [
            _plain(status.instance_id),
            _plain(status.name),
            _coloured(status.runtime_status.value),
            *(_plain(f"{time:%Y-%m-%d %H:%M:%S}") for time in (status.created_time, status.last_updated_time)),
            _plain(status_text(status.custom_status_json)),
        ]
        for status in statuses
    ]
    print_table(_INSTANCES, rows)


def print_status(status: InstanceStatus[Any], failure: Failure | None, *, show_input: bool) -> None:
    """Print one instance, a line for each of its members, JSON in full; `failure` is why it has failed."""
    members = {
        "Instance": _plain(status.instance_id),
        "Orchestration": _plain(status.name),
        "Runtime status": _coloured(status.runtime_status.value),
        "Created": _plain(f"{status.created_time:%Y-%m-%d %H:%M:%S} UTC"),
        "Last updated": _plain(f"{status.last_updated_time:%Y-%m-%d %H:%M:%S} UTC"),
        "Custom status": _whole(status.custom_status_json),
        **({"Failure": _failure(failure)} if failure is not None else {}),
        **({"Output": _whole(status.output)} if status.runtime_status.has_ended else {}),
        **({"Input": _whole(status.input)} if show_input else {}),
    }
    console, width = Console(), max(map(len, members)) + _GAP
    for name, text in members.items():
        for label, line in zip(chain([name], repeat("")), text.split(), strict=False):
            shown = Text(label.ljust(width), style="bold") + line
            # The terminal wraps what is too long, so that it can be copied.
            console.print(shown, soft_wrap=True) if is_for_people() else echo(shown.plain.rstrip())


def named_events(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The members of events with the names of types and statuses instead of their numbers."""
    named = []
    for event in events:
        members = dict(event) | {"EventType": EVENT_TYPES.name_of(event["EventType"])}
        if "OrchestrationStatus" in event:
            members["OrchestrationStatus"] = ORCHESTRATION_STATUSES.name_of(event["OrchestrationStatus"])
        named.append(members)
    return named


def print_events(events: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each event; what completes a task has the number of the task that it completes.

    An event has the members of a history that was read from a task hub, or of one that the management API shows, which
    numbers no tasks.
    """
    rows = [
        [
            _plain(str(number)),
            _plain(str(event.get("Timestamp", "")).replace("T", " ").rstrip("Z")),
            _coloured(str(event.get("EventType", "")), str(event.get("OrchestrationStatus", ""))),
            _plain(_task(event)),
            _plain(str(next((event[name] for name in _NAME_MEMBERS if event.get(name)), ""))),
            _plain(_cut(" ".join(_text(event[name]) for name in _PAYLOAD_MEMBERS if event.get(name) is not None))),
        ]
        for number, event in enumerate(events)
    ]
    print_table(_EVENTS, rows)


def _task(event: Mapping[str, Any]) -> str:
    number = next((event[name] for name in _TASK_MEMBERS if name in event), event.get("EventId", -1))
    return "" if number < 0 else str(number)


def _coloured(text: str, status: str = "") -> Text:
    return Text(one_line(text), style=COLOURS.get(status or text, ""))


def _plain(text: str) -> Text:
    """A text as it is, not as markup."""
    return Text(one_line(text))


def _failure(failure: Failure) -> Text:
    """The reason, and below it a line for each line of the user's code."""
    return Text("\n").join(map(_plain, [failure.reason, *(f"  {frame}" for frame in failure.frames)]))


def _whole(value: Json) -> Text:
    return Text(json_text(value, indent=2))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_CELL else f"{line[:_LONGEST_CELL]}…"
