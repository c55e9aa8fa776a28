"""The contract of storage providers, on Azurite."""

from __future__ import annotations

import pytest

from durable_status.app.host_settings import AzureStorageSettings
from durable_status.local_host.storage.azure_storage.provider import AzureStorage
from durable_status.task_hub.connection import read_connection
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.clock import ManualClock
from tests.durable_status.local_host.storage.contract import DurableStorageContract


class TestAzureStorage(DurableStorageContract):
    @pytest.fixture(autouse=True)
    def _hub(self, task_hub: FreshTaskHub) -> None:
        self.hub = task_hub

    def make(self, clock: ManualClock) -> AzureStorage:
        connection = read_connection("AzureWebJobsStorage", self.hub.settings)
        return AzureStorage(connection, self.hub.name, AzureStorageSettings(), clock, wait=False)
