"""Every status that a poller could have seen: one entry per change that a checkpoint made visible."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from durable_status.failure import Failure
from durable_status.replay.ticks import PER_SECOND, Ticks
from durable_status.stored_text import read_stored

_PENDING, _FAILED = "Pending", "Failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a poller sees from `seconds` (virtual, since the start) on. Status and output are JSON values."""

    at: Ticks
    seconds: float
    runtime_status: str
    status_text: str | None
    offloaded_text: str | None = None
    """The status that `status_text` is a reference to."""
    output_text: str | None
    cause: str
    """What made it visible: the message or messages of the episode."""

    @property
    def status(self) -> Any:
        """The custom status, as a reader with a payload store gets it."""
        return read_stored(self.offloaded_text or self.status_text)

    @property
    def output(self) -> Any:
        """The output; while the instance is not finished, what the row shows."""
        return read_stored(self.output_text)

    @property
    def document(self) -> tuple[str, str | None, str | None]:
        """What tells it from its neighbours."""
        return self.runtime_status, self.status_text, self.output_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A call of `set_custom_status` that no poller could have observed."""

    seconds: float
    status: Any
    reason: str
    cause: str

    def __str__(self) -> str:
        return f"{self.seconds:.1f}s {json.dumps(self.status, default=repr, ensure_ascii=False)}: {self.reason}"


class Timeline(Sequence[Seen]):
    """The entries in order, Pending first; `str()` is the text of a snapshot."""

    def __init__(self, title: str, entries: Sequence[Seen], unseen: Sequence[Unseen] = ()) -> None:
        self.title = title
        self._entries = tuple(entries)
        self.unseen = list(unseen)
        """Calls of `set_custom_status` that nobody could observe, each with the reason."""

    def __repr__(self) -> str:
        last = f", then {self._entries[-1].runtime_status}" if self._entries else ""
        return f"<Timeline of {self.title}: {len(self._entries)} entries{last}>"

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: Any) -> Any:
        return self._entries[index]

    def __iter__(self) -> Iterator[Seen]:
        return iter(self._entries)

    @property
    def statuses(self) -> list[Any]:
        """The custom statuses one after the other, without repeats and without the null before the first."""
        found: list[Any] = []
        for entry in self._entries:
            if found[-1:] != [entry.status] and (found or entry.status is not None):
                found.append(entry.status)
        return found

    def at(self, *, seconds: float) -> Seen:
        """What a poller sees at that moment, everything that happens in it included."""
        return [entry for entry in self._entries if entry.seconds <= seconds][-1]

    def always(self, condition: Callable[[Seen], bool]) -> None:
        """Fail unless `condition` holds for every entry after Pending."""
        self._refuse([entry for entry in self._checkpoints() if not condition(entry)], "does not hold")

    def never(self, condition: Callable[[Seen], bool]) -> None:
        """Fail if `condition` holds for an entry after Pending."""
        self._refuse([entry for entry in self._checkpoints() if condition(entry)], "holds")

    def _checkpoints(self) -> list[Seen]:
        return [entry for entry in self._entries if entry.runtime_status != _PENDING]

    def _refuse(self, found: Sequence[Seen], verdict: str) -> None:
        if found:
            raise AssertionError(f"the condition {verdict} here:\n{_lines(found)}\nin\n{self}")

    def __str__(self) -> str:
        return f"{self.title}\n{_lines(self._entries)}"


def entry_seconds(since: Ticks, at: Ticks) -> float:
    """Seconds from the start of an instance."""
    return (at - since) / PER_SECOND


def _outcome(entry: Seen) -> str | None:
    """The output as it is stored; of a failure, what is behind the texts that the platform keeps of it."""
    return Failure.from_output(entry.output).reason if entry.runtime_status == _FAILED else entry.output_text


def _lines(entries: Sequence[Seen]) -> str:
    statuses = ["" if entry.runtime_status == _PENDING else entry.status_text or "null" for entry in entries]
    width = min(max((len(status) for status in statuses), default=0), 80)
    lines = []
    for entry, status in zip(entries, statuses, strict=True):
        output = ""
        if entry.output_text is not None:
            output = f"  => {_outcome(entry)}"
        lines.append(f"{entry.seconds:8.1f}s  {entry.runtime_status:<10}  {status:<{width}}  {entry.cause}{output}")
    return "\n".join(line.rstrip() for line in lines)
