"""Typed, testable, watchable custom status for Azure Durable Functions in Python."""

from durable_status.custom_status import MAX_STATUS_BYTES, clear_custom_status, set_custom_status
from durable_status.errors import (
    DurableStatusError,
    HostError,
    InstanceEndedError,
    InstanceFailedError,
    InstanceNotFoundError,
    InstanceStateError,
    PayloadError,
    PayloadMissingError,
    RefusedError,
    StatusDecodeError,
    StatusEncodeError,
    WaitTimeoutError,
)
from durable_status.failure import Failure
from durable_status.instance_status import InstanceStatus, RuntimeStatus
from durable_status.offloaded import Offloaded, PayloadStore
from durable_status.progress import Progress, RecentItems
from durable_status.publishing import publish_status
from durable_status.reports import wait_all, wait_with_reports

__all__ = [
    "MAX_STATUS_BYTES",
    "DurableStatusError",
    "Failure",
    "HostError",
    "InstanceEndedError",
    "InstanceFailedError",
    "InstanceNotFoundError",
    "InstanceStateError",
    "InstanceStatus",
    "Offloaded",
    "PayloadError",
    "PayloadMissingError",
    "PayloadStore",
    "Progress",
    "RecentItems",
    "RefusedError",
    "RuntimeStatus",
    "StatusDecodeError",
    "StatusEncodeError",
    "WaitTimeoutError",
    "clear_custom_status",
    "publish_status",
    "set_custom_status",
    "wait_all",
    "wait_with_reports",
]
