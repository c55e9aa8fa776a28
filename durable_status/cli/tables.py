"""Tables of instances and of events, for people."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from durable_status.cli.bars import COLOURS, printable, status_text
from durable_status.instance_status import InstanceStatus
from durable_status.stored_json import Json
from durable_status.task_hub.numbers import EVENT_TYPES, ORCHESTRATION_STATUSES

_WIDE = 10_000  # so that nothing is cut where no terminal says how wide it is
_LONGEST_CELL = 200
_TASK_MEMBERS = ("TaskScheduledId", "TimerId")
_PAYLOAD_MEMBERS = ("OrchestrationStatus", "Result", "Input", "Reason", "Data", "FireAt", "InstanceId")


def print_statuses(statuses: Iterable[InstanceStatus[Any]]) -> None:
    """Print a line for each instance."""
    table = _table("Instance", "Orchestration", "Runtime status", "Created", "Last updated", "Custom status")
    for status in statuses:
        table.add_row(
            _plain(status.instance_id),
            _plain(status.name),
            _coloured(status.runtime_status.value),
            *(_plain(f"{time:%Y-%m-%d %H:%M:%S}") for time in (status.created_time, status.last_updated_time)),
            _plain(status_text(status.custom_status_json)),
        )
    _print(table)


def print_status(status: InstanceStatus[Any], *, show_input: bool) -> None:
    """Print one instance, a line for each of its members, JSON in full."""
    lines = {
        "Instance": _plain(status.instance_id),
        "Orchestration": _plain(status.name),
        "Runtime status": _coloured(status.runtime_status.value),
        "Created": _plain(f"{status.created_time:%Y-%m-%d %H:%M:%S} UTC"),
        "Last updated": _plain(f"{status.last_updated_time:%Y-%m-%d %H:%M:%S} UTC"),
        "Custom status": _plain(_whole(status.custom_status_json)),
        **({"Output": _plain(_whole(status.output))} if status.runtime_status.has_ended else {}),
        **({"Input": _plain(_whole(status.input))} if show_input else {}),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in lines.items():
        table.add_row(Text(name, style="bold"), text)
    _print(table)


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
    """Print a line for each event; what completes a task has the number of the task that it completes."""
    table = _table("", "Time (UTC)", "Event", "Task", "Name", "What")
    for number, event in enumerate(events):
        table.add_row(
            str(number),
            _plain(event["Timestamp"].replace("T", " ").rstrip("Z")),
            _coloured(event["EventType"], event.get("OrchestrationStatus", "")),
            _task(event),
            _plain(str(event.get("Name", ""))),
            _plain(_cut(" ".join(str(event[name]) for name in _PAYLOAD_MEMBERS if event.get(name) is not None))),
        )
    _print(table)


def _task(event: Mapping[str, Any]) -> str:
    number = next((event[name] for name in _TASK_MEMBERS if name in event), event.get("EventId", -1))
    return "" if number < 0 else str(number)


def _table(*headings: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


def _print(table: Table) -> None:
    if sys.stdout.isatty():
        Console().print(table)
        return
    # A terminal says how wide it is; into a file or a pipe goes a line as long as it is.
    console = Console(width=_WIDE)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        click.echo(line.rstrip())


def _coloured(text: str, status: str = "") -> Text:
    return Text(text, style=COLOURS.get(status or text, ""))


def _plain(text: str) -> Text:
    """A text as it is, not as markup, and without what would steer the terminal."""
    return Text(printable(text))


def _whole(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_CELL else f"{line[:_LONGEST_CELL]}…"
