"""The library's errors.

::

    DurableStatusError
    └── StatusEncodeError       the value cannot be a custom status: falsy, not JSON, over 16 KB

`durable_status.app` and `durable_status.local_host` have errors of their own under the same root.
"""

from __future__ import annotations


class DurableStatusError(Exception):
    """What this library raises on purpose; the text is a sentence that says what to do."""


class StatusEncodeError(DurableStatusError):
    """The value cannot be a custom status; nothing was set."""

    def __init__(self, message: str, *, status_type: type, size: int | None = None) -> None:
        super().__init__(message)
        self.status_type = status_type
        """The type of the value."""
        self.size = size
        """The size of its stored JSON text in bytes of UTF-16, when that is what is wrong."""
