"""What can be wrong with an app before it runs."""

from __future__ import annotations

from durable_status.errors import DurableStatusError


class AppError(DurableStatusError):
    """The app cannot be loaded; the text says what is wrong and what to do, in one line."""
