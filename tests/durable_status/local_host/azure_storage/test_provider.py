"""The contract of storage providers, on Azurite."""

from __future__ import annotations

import pytest

from durable_status.local_host.storage.azure_storage.provider import AzureStorage
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.azure_hubs import azure_storage
from tests.clock import ManualClock
from tests.durable_status.local_host.storage.contract import DurableStorageContract


@pytest.mark.needs_azurite
class TestAzureStorage(DurableStorageContract):
    @pytest.fixture(autouse=True)
    def _hub(self, task_hub: FreshTaskHub) -> None:
        self.hub = task_hub

    def make(self, clock: ManualClock) -> AzureStorage:
        return azure_storage(self.hub, clock)
