"""All storage providers, for tests that have to hold on each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.local_host.storage.sqlite import SqliteStorage
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.azure_hubs import azure_storage


@pytest.fixture(params=["memory", "sqlite", pytest.param("azure", marks=pytest.mark.needs_azurite)])
def make_storage(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Clock], StorageProvider]:
    """How to make a provider; the tests that use it run on each."""
    if request.param == "memory":
        return MemoryStorage
    if request.param == "sqlite":
        return lambda clock: SqliteStorage(tmp_path / "hub.sqlite3", clock)
    hub: FreshTaskHub = request.getfixturevalue("task_hub")
    return lambda clock: azure_storage(hub, clock)
