"""The library's errors.

::

    DurableStatusError
    ├── StatusEncodeError       the value cannot be a custom status: falsy, not JSON, over 16 KB
    ├── StatusDecodeError       the JSON that an instance shows does not fit the type
    ├── PayloadError            an offloaded status could not be stored, or read back
    │   └── PayloadMissingError     there is no blob where the status points to
    ├── RefusedError            the client did not send it: the platform would do damage with it
    ├── InstanceNotFoundError   the task hub has no such instance
    ├── InstanceStateError      the instance is not in a state for this: it has ended, or has not
    ├── InstanceEndedError      the instance ended before what was waited for
    │   └── InstanceFailedError     it ended Failed, Terminated or Canceled
    ├── WaitTimeoutError        the time is up; the instance goes on
    └── HostError               the host, or the storage account, did not answer, or answered outside the contract

`durable_status.app` and `durable_status.local_host` have errors of their own under the same root.
"""

from __future__ import annotations

from typing import Any

from durable_status.failure import Failure


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


class StatusDecodeError(DurableStatusError):
    """The JSON that an instance shows does not fit the type."""

    def __init__(self, message: str, *, status_type: Any, payload: Any) -> None:
        super().__init__(message)
        self.status_type = status_type
        """The type it was read as."""
        self.payload = payload
        """The parsed JSON, whole."""


class PayloadError(DurableStatusError):
    """An offloaded status could not be stored, or read back."""


class PayloadMissingError(PayloadError):
    """There is no blob where the status points to: the instance was purged, or it is in another store."""


class RefusedError(DurableStatusError, ValueError):
    """A client refused an argument that the platform would turn into damage; nothing was sent."""


class InstanceNotFoundError(DurableStatusError):
    """The task hub has no such instance."""

    def __init__(self, instance_id: str) -> None:
        super().__init__(f"There is no instance {instance_id!r} in the task hub. Check the id, or start it.")
        self.instance_id = instance_id


class InstanceStateError(DurableStatusError):
    """The instance is not in a state for what was asked, such as a start over one that still runs."""

    def __init__(self, message: str, *, instance_id: str) -> None:
        super().__init__(message)
        self.instance_id = instance_id


class InstanceEndedError(DurableStatusError):
    """The instance ended before what was waited for; the text says why, and `status` where it was."""

    def __init__(self, status: Any, failure: Failure | None = None) -> None:
        """`failure` is what is known of it beyond the status."""
        how = status.runtime_status.value
        why = failure or status.failure
        if how == "Terminated" and status.output is not None:
            why = Failure.from_output(status.output)
        sentence = f"The instance {status.instance_id!r} of {status.name} ended {how}{f': {why}' if why else ''}"
        super().__init__(sentence if sentence.endswith(".") else f"{sentence}.")
        self.status = status
        """The last status, an `InstanceStatus`."""


class InstanceFailedError(InstanceEndedError):
    """The instance ended Failed, Terminated or Canceled."""


class WaitTimeoutError(DurableStatusError, TimeoutError):
    """The time is up; the instance goes on."""

    def __init__(self, instance_id: str, seconds: float, last_status: Any) -> None:
        super().__init__(
            f"The instance {instance_id!r} did not get there within {seconds:g} seconds; it goes on. Wait longer."
        )
        self.instance_id = instance_id
        self.last_status = last_status
        """What it showed last, an `InstanceStatus`; None when the host did not say."""


class HostError(DurableStatusError):
    """The host did not answer, or answered outside the contract. Keys are masked in the text.

    For a reader of a task hub it is the storage account that did not, or what the hub holds.
    """

    def __init__(self, message: str, *, status_code: int | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        """The HTTP status; None without an answer."""
