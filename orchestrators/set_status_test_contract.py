"""What callers of the status-setting orchestration need to know. Plain types only."""

from __future__ import annotations

from typing_extensions import TypedDict

ORCHESTRATION = "SetStatusTest"


class NextActions(TypedDict):
    """The custom status."""

    nextActions: list[str]
    foo: int


Status = NextActions
"""The custom status."""
