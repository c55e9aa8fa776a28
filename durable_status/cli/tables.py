"""Tables of instances and of events, for people: as wide as the terminal, or as they are in a file or a pipe."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from rich.cells import cell_len
from rich.console import Console, OverflowMethod
from rich.table import Table
from rich.text import Text

from durable_status.cli.output import echo, is_for_people, json_text, one_line
from durable_status.cli.status_words import COLOURS, status_text
from durable_status.instance_status import InstanceStatus
from durable_status.stored_json import Json
from durable_status.task_hub.numbers import EVENT_TYPES, ORCHESTRATION_STATUSES

_ENDLESS = 1_000_000  # columns, where no terminal says how many it has
_GAP = 2
_LONGEST_CELL = 200
_SHORTEST_CELL = 8
_SHORTEST_WORD = 4
_TASK_MEMBERS = ("TaskScheduledId", "TimerId")
_NAME_MEMBERS = ("Name", "FunctionName")
_PAYLOAD_MEMBERS = ("OrchestrationStatus", "Result", "Input", "Reason", "Data", "FireAt", "InstanceId")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column, and what may become of it where there is no room."""

    heading: str
    least: int | None = None
    """As narrow as it becomes before others go; None: as wide as what is in it."""
    goes: int | None = None
    """When it is left out: 1 is the first; None: never."""
    overflow: OverflowMethod = "ellipsis"
    """What becomes of a text that is too long for it."""
    is_optional: bool = False
    """Whether it is left out if nothing is in it."""


_INSTANCES = (
    _Column(heading="Instance"),
    _Column(heading="Orchestration", least=16, goes=3),
    _Column(heading="Runtime status", least=10),
    _Column(heading="Created", goes=2),
    _Column(heading="Last updated", goes=1),
    _Column(heading="Custom status", least=20, goes=4),
)
_EVENTS = (
    _Column(heading="", goes=2),
    _Column(heading="Time (UTC)", least=19, goes=1, overflow="crop"),  # of the fractions
    _Column(heading="Event", least=18),
    _Column(heading="Task", goes=3, is_optional=True),
    _Column(heading="Name", least=12, goes=4),
    _Column(heading="What", least=16, overflow="fold"),
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
    _print(_INSTANCES, rows)


def print_status(status: InstanceStatus[Any], *, show_input: bool) -> None:
    """Print one instance, a line for each of its members, JSON in full."""
    members = {
        "Instance": _plain(status.instance_id),
        "Orchestration": _plain(status.name),
        "Runtime status": _coloured(status.runtime_status.value),
        "Created": _plain(f"{status.created_time:%Y-%m-%d %H:%M:%S} UTC"),
        "Last updated": _plain(f"{status.last_updated_time:%Y-%m-%d %H:%M:%S} UTC"),
        "Custom status": _whole(status.custom_status_json),
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
    _print(_EVENTS, rows)


def _task(event: Mapping[str, Any]) -> str:
    number = next((event[name] for name in _TASK_MEMBERS if name in event), event.get("EventId", -1))
    return "" if number < 0 else str(number)


def _print(columns: Sequence[_Column], rows: Sequence[Sequence[Text]]) -> None:
    room = _room()
    widths = _widths(columns, rows, room)
    kept = [index for index, width in enumerate(widths) if width is not None]
    table = Table(box=None, header_style="bold", pad_edge=False)
    for index in kept:
        column = columns[index]
        table.add_column(
            Text(column.heading, overflow="ellipsis", no_wrap=True),
            width=widths[index],
            no_wrap=column.overflow != "fold",
            overflow=column.overflow,
        )
    for row in rows:
        table.add_row(*(row[index] for index in kept))
    _put(table, max(room, sum(widths[index] or 0 for index in kept) + _GAP * len(kept)))


def _widths(columns: Sequence[_Column], rows: Sequence[Sequence[Text]], room: int) -> list[int | None]:
    """How wide each column is; None: there is no room for it."""
    natural = [
        max(cell_len(column.heading), *(cell_len(row[index].plain) for row in rows), 0)
        for index, column in enumerate(columns)
    ]
    widths: list[int | None] = [
        width if column.least is None else min(width, column.least)
        for column, width in zip(columns, natural, strict=True)
    ]
    for index, column in enumerate(columns):
        if column.is_optional and not any(row[index].plain for row in rows):
            widths[index] = None

    def left() -> int:
        kept = [width for width in widths if width is not None]
        return room - sum(kept) - _GAP * (len(kept) - 1)

    going = sorted(range(len(columns)), key=lambda index: columns[index].goes or math.inf)
    for index in going:
        if columns[index].goes is not None and left() < 0:
            shrunk = (widths[index] or 0) + left()
            can_shrink = columns[index].least is not None and columns[index].overflow == "ellipsis"
            widths[index] = shrunk if can_shrink and shrunk >= _SHORTEST_CELL else None
    for index in reversed(going):
        width = widths[index]
        if width is not None and columns[index].least is not None:
            widths[index] = max(_SHORTEST_WORD, min(natural[index], width + left()))
    return widths


def _room() -> int:
    return Console().width if is_for_people() else _ENDLESS


def _put(table: Table, width: int) -> None:
    if is_for_people():
        Console(width=width).print(table)
        return
    console = Console(width=width)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        echo(line.rstrip())


def _coloured(text: str, status: str = "") -> Text:
    return Text(one_line(text), style=COLOURS.get(status or text, ""))


def _plain(text: str) -> Text:
    """A text as it is, not as markup."""
    return Text(one_line(text))


def _whole(value: Json) -> Text:
    return Text(json_text(value, indent=2))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json_text(value)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_CELL else f"{line[:_LONGEST_CELL]}…"
