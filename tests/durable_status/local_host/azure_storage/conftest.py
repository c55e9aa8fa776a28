"""Fixtures for tests of hubs in Azure Storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.durable_status.local_host.azure_storage.accounts import run
from tests.durable_status.local_host.azure_storage.hubs import open_now
from tests.durable_status.local_host.azure_storage.owned_hubs import PARTITIONS, OwnedHub, Story, Tell


@pytest.fixture
def tell(task_hub: FreshTaskHub, tmp_path: Path) -> Tell:
    """Tell a story of a hub that nobody runs."""

    def told(story: Story) -> None:
        async def opened(services: Services) -> None:
            await open_now(services, task_hub.name, partition_count=PARTITIONS)
            await story(OwnedHub(services, task_hub, tmp_path))

        run(task_hub.connection_string, opened)

    return told
