"""Ready-made parts of a status: `Progress`, how far it is and when it will be done, and `RecentItems`, what came last.

Both are frozen values, written as plain objects. An orchestrator makes a new one for each report; because the time is
the orchestration's own (``context.current_utc_datetime``), every replay makes the same ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an orchestration is.

    As JSON: ``{"stage": "greeting", "done": 1, "total": 3, "message": "Tokyo", "started": "...Z", "eta": "...Z"}``.

    Raises:
        ValueError: ``done`` is not between 0 and ``total``.
    """

    stage: str
    done: int = 0
    total: int | None = None
    """None while it is not known."""
    message: str | None = None
    started: datetime | None = None
    """When the work began; None from a writer that has no clock."""
    eta: datetime | None = None
    """When it will be done if it goes on as it did; None while that cannot be said."""

    def __post_init__(self) -> None:
        if self.done < 0 or (self.total is not None and self.done > self.total):
            raise ValueError(f"done is between 0 and total, not {self.done} of {self.total}")

    @classmethod
    def begin(cls, now: datetime, stage: str, total: int | None = None, message: str | None = None) -> Self:
        """Nothing is done yet. `now` is ``context.current_utc_datetime``."""
        return cls(stage=stage, total=total, message=message, started=now)

    def advance(self, now: datetime, done: int, message: str | None = None, *, stage: str | None = None) -> Self:
        """The progress when `done` are done, with the time of arrival that follows from the pace so far."""
        eta = None
        if self.started is not None and self.total is not None and done > 0:
            eta = now + (now - self.started) * (self.total - done) / done
        return dataclasses.replace(self, done=done, message=message, stage=stage or self.stage, eta=eta)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentItems(Generic[Item]):
    """The last items of a list that may grow for ever.

    As JSON: ``{"items": ["Seattle", "London"], "start": 1, "total": 3}``. ``items[0]`` is the one of index ``start``,
    counted from 0 over all of them; with ``start`` a reader who polls can tell new items from those it has seen.

    Raises:
        ValueError: the numbers do not add up.
    """

    items: tuple[Item, ...] = ()
    start: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        if self.start < 0 or self.start + len(self.items) != self.total:
            raise ValueError(f"{len(self.items)} items from {self.start} on are not the last of {self.total}")

    @classmethod
    def last(cls, items: Iterable[Item], *, keep: int) -> Self:
        """The last `keep` of `items`."""
        everything = tuple(items)
        start = max(0, len(everything) - keep)
        return cls(items=everything[start:], start=start, total=len(everything))

    def add(self, item: Item, *, keep: int) -> Self:
        """With one more item, and without those that are older than the last `keep`."""
        items = (*self.items, item)
        dropped = max(0, len(items) - keep)
        return dataclasses.replace(self, items=items[dropped:], start=self.start + dropped, total=self.total + 1)
