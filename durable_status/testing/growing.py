"""A sequence that is only ever added to, by several owners: each addition costs what is added, not what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")


class Growing(Sequence[T]):
    """Never changes; `plus` gives a longer one. The first to add to it shares its list, any other copies it."""

    __slots__ = ("_items", "_length")

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = list(items)
        self._length = len(self._items)

    def plus(self, items: Iterable[T]) -> Growing[T]:
        """This one and then `items`."""
        longer: Growing[T] = Growing()
        longer._items = self._items if len(self._items) == self._length else self._items[: self._length]
        longer._items.extend(items)
        longer._length = len(longer._items)
        return longer

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        return islice(self._items, self._length)

    def __getitem__(self, index: Any) -> Any:
        return self._items[: self._length][index] if isinstance(index, slice) else self._items[self._place(index)]

    def __repr__(self) -> str:
        return f"Growing({list(self)!r})"

    def _place(self, index: int) -> int:
        place = index + self._length if index < 0 else index
        if not 0 <= place < self._length:
            raise IndexError("there is nothing at that place")
        return place
