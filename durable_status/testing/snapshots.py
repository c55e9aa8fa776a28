"""Timelines kept as text files beside the tests, so that a change of what users see shows in a review."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from durable_status.testing.errors import HarnessError


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshots:
    """The files of one test. `accepts` writes what is seen instead of comparing it."""

    folder: Path
    stem: str
    accepts: bool = False

    def check(self, text: str, name: str | None = None) -> None:
        """Compare `text` with the file, or accept it.

        Raises:
            AssertionError: the file says something else, or is missing.
        """
        path = self.folder / f"{self.stem if name is None else f'{self.stem}-{name}'}.txt"
        if self.accepts:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{text}\n")
            return
        if not path.is_file():
            raise AssertionError(f"there is no {path}; read this and accept it with pytest --durable-update:\n{text}")
        accepted = path.read_text().rstrip("\n")
        if accepted != text:
            lines = difflib.unified_diff(
                accepted.splitlines(), text.splitlines(), f"accepted {path.name}", "seen now", lineterm=""
            )
            raise AssertionError("\n".join([*lines, "", "accept it with pytest --durable-update"]))


def no_snapshots() -> HarnessError:
    """The error of a bench that was made without a place for snapshots."""
    return HarnessError("this bench has no place for snapshots; make it with snapshots=Snapshots(...), or use pytest.")
