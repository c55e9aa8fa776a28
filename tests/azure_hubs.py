"""Providers of task hubs in Azurite."""

from __future__ import annotations

from durable_status.app.host_settings import AzureStorageSettings
from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.azure_storage.provider import AzureStorage
from durable_status.task_hub.connection import read_connection
from durable_status.testing.fresh_task_hub import FreshTaskHub

_DEFAULTS = AzureStorageSettings()


def azure_storage(hub: FreshTaskHub, clock: Clock, settings: AzureStorageSettings = _DEFAULTS) -> AzureStorage:
    """A provider of a test's hub."""
    return AzureStorage(read_connection("AzureWebJobsStorage", hub.settings), hub.name, settings, clock, wait=False)
