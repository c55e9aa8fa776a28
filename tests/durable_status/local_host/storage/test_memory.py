from __future__ import annotations

from durable_status.local_host.storage.memory import MemoryStorage
from tests.clock import ManualClock
from tests.durable_status.local_host.storage.contract import StorageContract


class TestMemoryStorage(StorageContract):
    def make(self, clock: ManualClock) -> MemoryStorage:
        return MemoryStorage(clock)
