"""Typed, testable, watchable custom status for Azure Durable Functions in Python."""

from durable_status.custom_status import MAX_STATUS_BYTES, set_custom_status
from durable_status.errors import DurableStatusError, StatusEncodeError

__all__ = ["MAX_STATUS_BYTES", "DurableStatusError", "StatusEncodeError", "set_custom_status"]
