"""Live bars on a terminal, one for each instance.

What does not fit is made shorter in this order: text, bar. Where even the id, the count and the runtime status have no
place in one line, each instance has two. Where not all instances have a place, those that have completed are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from durable_status.cli.status_words import COLOURS, status_text, steps_of
from durable_status.harmless_text import one_line
from durable_status.instance_status import InstanceStatus, RuntimeStatus

_LONGEST_BAR = 40
_BAR_SHARE = 5
_SHORTEST_BAR = 4
_REFRESHES_PER_SECOND = 8
_INDENT = 2
_NOT_YET = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is shown of an instance."""

    instance_id: str
    runtime_status: RuntimeStatus | None = None
    """None while it has not been asked for."""
    steps: tuple[int, int | None] | None = None
    text: str = ""

    @property
    def state(self) -> str:
        return self.runtime_status.value if self.runtime_status else _NOT_YET

    @property
    def count(self) -> str:
        if self.steps is None:
            return ""
        done, total = self.steps
        return f"{done}/{'?' if total is None else total}"

    def in_words(self) -> str:
        """The row without a bar."""
        return " ".join(word for word in (self.instance_id, self.count, self.state, self.text) if word)

    def bar(self, width: int) -> RenderableType:
        """A bar of at most `width`; that of an instance that has failed ends where it was, before the end."""
        done, total = self.steps or (0, None)
        colour = COLOURS.get(self.state, "bar.complete")
        if self.runtime_status is not None and self.runtime_status.has_failed:
            cells = min(width * done // total, width - 1) if total else 0
            return ProgressBar(total=1, completed=1, width=cells, finished_style=colour) if cells else ""
        if total is None and self.runtime_status is RuntimeStatus.COMPLETED:
            done = total = 1
        if total is None and self.runtime_status in (RuntimeStatus.RUNNING, RuntimeStatus.CONTINUED_AS_NEW):
            return ProgressBar(total=None, width=width)
        return ProgressBar(total=total or 1, completed=done, width=width, complete_style=colour)


def row_of(status: InstanceStatus[Any]) -> Row:
    """What is shown of a status."""
    return Row(
        instance_id=one_line(status.instance_id),
        runtime_status=status.runtime_status,
        steps=steps_of(status.custom_status_json),
        text=one_line(status_text(status.custom_status_json)),
    )


class Bars:
    """Draws a bar for each instance while the context lasts; call it with each status.

    Args:
        console: where to draw; None: the terminal.
        instance_ids: the instances in the order in which they are shown; any other comes after them.
    """

    def __init__(self, console: Console | None = None, instance_ids: Iterable[str] = ()) -> None:
        self._rows = {name: Row(instance_id=one_line(name)) for name in instance_ids}
        self._shows_all = False
        self._live = Live(
            get_renderable=self._picture,
            console=console,
            refresh_per_second=_REFRESHES_PER_SECOND,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Bars:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._shows_all = True  # the last picture stays, and scrolls
        self._live.stop()

    def __call__(self, status: InstanceStatus[Any]) -> None:
        """Show a status."""
        self._rows[status.instance_id] = row_of(status)

    def _picture(self) -> RenderableType:
        return Picture(list(self._rows.values()), shows_all=self._shows_all)


class Picture:
    """Rows as they fit on the console that draws them."""

    def __init__(self, rows: Sequence[Row], *, shows_all: bool) -> None:
        self._rows = rows
        self._shows_all = shows_all

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = _Widths(self._rows, options.max_width)
        lines = console.height - 1
        most = len(self._rows) if self._shows_all else max(1, lines // widths.lines_per_row)
        if len(self._rows) > most:
            most = max(1, (lines - 1) // widths.lines_per_row)
        shown = _most_telling(self._rows, most)
        if widths.is_narrow:
            for row in shown:
                yield Text(row.instance_id, overflow="fold")
                yield Padding(_grid([row], widths), (0, 0, 0, _INDENT))
        else:
            yield _grid(shown, widths)
        if len(shown) < len(self._rows):
            drawn = set(map(id, shown))
            hidden = Counter(row.state for row in self._rows if id(row) not in drawn)
            words = ", ".join(f"{number} {state}" for state, number in hidden.items())
            yield Text(f"and {len(self._rows) - len(shown)} more: {words}", no_wrap=True, overflow="ellipsis")


class _Widths:
    """How wide the columns are."""

    def __init__(self, rows: Sequence[Row], room: int) -> None:
        self.instance_id = _widest(row.instance_id for row in rows)
        self.count = _widest(row.count for row in rows)
        self.state = _widest(row.state for row in rows)
        needed = sum(width + 1 for width in (self.count, self.state) if width) - 1
        self.is_narrow = self.instance_id + 1 + needed > room
        left = room - needed - (_INDENT if self.is_narrow else self.instance_id + 1)
        self.bar = max(0, min(left - 1, room // _BAR_SHARE, _LONGEST_BAR))
        if self.bar < _SHORTEST_BAR:
            self.bar = 0
        self.text = max(0, left - 1 - (self.bar + 1 if self.bar else 0))
        above = -(-self.instance_id // max(1, room))
        self.lines_per_row = above + 1 if self.is_narrow else 1


def _grid(rows: Sequence[Row], widths: _Widths) -> Table:
    kept = [
        column
        for column in (
            (0 if widths.is_narrow else widths.instance_id, [Text(row.instance_id) for row in rows]),
            (widths.bar, [row.bar(widths.bar) for row in rows]),
            (widths.count, [Text(row.count, justify="right") for row in rows]),
            (widths.state, [Text(row.state, style=COLOURS.get(row.state, "cyan")) for row in rows]),
            (widths.text, [Text(row.text) for row in rows]),
        )
        if column[0]
    ]
    grid = Table.grid(padding=(0, 1, 0, 0))
    for width, _ in kept:
        grid.add_column(width=width, no_wrap=True, overflow="ellipsis")
    for cells in zip(*(cells for _, cells in kept), strict=True):
        grid.add_row(*cells)
    return grid


def _most_telling(rows: Sequence[Row], most: int) -> list[Row]:
    """So many rows, in their order; those that have completed give way."""
    by_interest = sorted(rows, key=lambda row: row.runtime_status is RuntimeStatus.COMPLETED)
    kept = {id(row) for row in by_interest[:most]}
    return [row for row in rows if id(row) in kept]


def _widest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)
