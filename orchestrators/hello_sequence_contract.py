"""What callers of the greeting orchestration need to know. Plain types only."""

from __future__ import annotations

from typing import Literal

ORCHESTRATION = "E1_HelloSequence"

City = Literal["Tokyo", "Seattle", "London"]

Status = City
"""The custom status: the city that was greeted last. Nothing yet while there is none."""
