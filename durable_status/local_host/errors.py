"""The local host's errors.

::

    LocalHostError
    ├── InstanceExistsError     the instance has not ended, so its id cannot be started again
    ├── StorageError            the task hub cannot be used
    └── ListenError             a port cannot be listened on
"""

from __future__ import annotations

from durable_status.errors import DurableStatusError
from durable_status.replay.events import OrchestrationStatus


class LocalHostError(DurableStatusError):
    """The local host cannot do what it was asked; the text says why, and what to do."""


class InstanceExistsError(LocalHostError):
    """The instance has not ended, so its id cannot be started again."""

    def __init__(self, status: OrchestrationStatus) -> None:
        super().__init__(f"An Orchestration instance with the status {status.value} already exists.")
        self.status = status


class StorageError(LocalHostError):
    """The task hub cannot be used: its file, its account, or what it holds."""


class ListenError(LocalHostError):
    """A port cannot be listened on."""
