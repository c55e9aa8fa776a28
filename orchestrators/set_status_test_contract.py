"""What callers of the status-setting orchestration need to know. Standard library only."""

from __future__ import annotations

from typing import TypedDict

ORCHESTRATION = "SetStatusTest"


class NextActions(TypedDict):
    """The custom status."""

    nextActions: list[str]
    foo: int
