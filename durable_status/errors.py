"""The library's errors.

::

    DurableStatusError
    └── StatusEncodeError       the value cannot be a custom status: falsy, not JSON, over 16 KB
"""

from __future__ import annotations


class DurableStatusError(Exception):
    """Everything this library raises on purpose."""


class StatusEncodeError(DurableStatusError):
    """The value cannot be a custom status."""

    def __init__(self, message: str, *, status_type: type, size: int | None = None) -> None:
        super().__init__(message)
        self.status_type = status_type
        self.size = size
