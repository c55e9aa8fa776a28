"""Errors of the storage services.

::

    StorageError
    ├── UnavailableError              the service did not answer, or said that it cannot now
    ├── TableMissingError             there is no such table
    ├── QueueMissingError             there is no such queue
    ├── TransactionTooLargeError      a transaction is larger than the service takes
    ├── RowDamagedError               a row holds what no row of a hub holds
    └── ConditionError
        ├── RowExistsError            a row to insert exists
        ├── RowChangedError           a row is not what a conditional change expects
        ├── MessageLostError          a message is gone, or in other hands
        └── LeaseLostError            a lease of a blob is gone, or in other hands
"""

from __future__ import annotations

from durable_status.local_host.errors import StorageError


class UnavailableError(StorageError):
    """The service did not answer, or said that it cannot now, for all the time it was waited for.

    Whether the last request was carried out is not known.
    """


class ConditionError(StorageError):
    """A condition of a request does not hold.

    `after_retry`: the request had been sent before and its answer was lost. The condition may then fail because the
    first try was carried out; the caller reads back to know.
    """

    def __init__(self, text: str, *, after_retry: bool) -> None:
        super().__init__(text)
        self.after_retry = after_retry


class RowExistsError(ConditionError):
    """A row to insert exists."""


class RowChangedError(ConditionError):
    """A row is not what a conditional change expects: changed by another writer, or gone."""


class TransactionTooLargeError(StorageError):
    """A transaction is larger than the service takes (4 MiB); nothing was sent."""


class RowDamagedError(StorageError, ValueError):
    """A row holds what no row of a hub holds."""


class TableMissingError(StorageError):
    """There is no such table."""


class QueueMissingError(StorageError):
    """There is no such queue."""


class MessageLostError(ConditionError):
    """A message is gone, or has been handed to another reader since."""


class LeaseLostError(ConditionError):
    """A lease of a blob was broken, released or taken, or the blob is gone; or another lease forbids the request."""
