"""Live bars on a terminal, one for each instance."""

from __future__ import annotations

import json
from datetime import datetime
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from durable_status.instance_status import InstanceStatus
from durable_status.stored_json import Json

_LONGEST_TEXT = 60
COLOURS = {"Completed": "green", "Failed": "red", "Terminated": "red", "Canceled": "red", "Suspended": "yellow"}


class Bars:
    """Draws a bar for each instance while the context lasts; call what it gives with each status."""

    def __init__(self, console: Console | None = None) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[shown]}"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, status: InstanceStatus[Any]) -> None:
        """Show a status."""
        task = self._tasks.get(status.instance_id)
        if task is None:
            task = self._progress.add_task(escape(printable(status.instance_id)), total=None, shown="")
            self._tasks[status.instance_id] = task
        done, total = _steps(status.custom_status_json)
        if status.runtime_status.has_ended and total is None:
            done = total = 1
        self._progress.update(task, completed=done, total=total, shown=_shown(status))


def _steps(shown: Json) -> tuple[int, int | None]:
    """How many steps are done, and of how many, where a custom status says it: in itself or in its "progress"."""
    for part in (shown, shown.get("progress") if isinstance(shown, dict) else None):
        if isinstance(part, dict):
            done, total = part.get("done"), part.get("total")
            if type(done) is int and (total is None or type(total) is int):
                return done, total
    return 0, None


def _shown(status: InstanceStatus[Any]) -> str:
    value = status.runtime_status.value
    colour = COLOURS.get(value, "cyan")
    return f"[{colour}]{value}[/] {escape(printable(status_text(status.custom_status_json)))}"


def printable(text: str) -> str:
    """A text without what would steer the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else f"\\u{ord(char):04x}" for char in text)


def status_text(shown: Json) -> str:
    """A custom status in a few words."""
    match shown:
        case None:
            return ""
        case str():
            text = shown
        case {"progress": dict(progress)}:
            return status_text(progress)
        case {"stage": str(stage), "done": int(), **others}:
            words = [stage, others.get("message"), _arrival(others.get("eta"))]
            text = " ".join(str(word) for word in words if word)
        case _:
            text = json.dumps(shown, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def _arrival(eta: Any) -> str:
    try:
        return f"until {datetime.fromisoformat(eta).astimezone():%H:%M:%S}"
    except (TypeError, ValueError):
        return ""
