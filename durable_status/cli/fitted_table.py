"""A table that fits the terminal, or is as wide as it is in a file or a pipe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, OverflowMethod
from rich.table import Table
from rich.text import Text

from durable_status.cli.output import echo, is_for_people

_ENDLESS = 1_000_000  # columns, where no terminal says how many it has
_GAP = 2
_SHORTEST_CELL = 8
_SHORTEST_WORD = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
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


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[Text]]) -> None:
    """Print the rows below the headings."""
    room = Console().width if is_for_people() else _ENDLESS
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


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[Text]], room: int) -> list[int | None]:
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

    first_to_go = sorted(range(len(columns)), key=lambda index: columns[index].goes or math.inf)
    for index in first_to_go:
        if columns[index].goes is not None and left() < 0:
            shrunk = (widths[index] or 0) + left()
            can_shrink = columns[index].least is not None and columns[index].overflow == "ellipsis"
            widths[index] = shrunk if can_shrink and shrunk >= _SHORTEST_CELL else None
    for index in reversed(first_to_go):  # the last to go gets first what is left, or gives what is missing all the same
        width = widths[index]
        if width is not None and columns[index].least is not None:
            widths[index] = max(_SHORTEST_WORD, min(natural[index], width + left()))
    return widths


def _put(table: Table, width: int) -> None:
    if is_for_people():
        Console(width=width).print(table)
        return
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        echo(line.rstrip())
