"""Which instance has work: a hub's messages in memory, as the memory and SQLite providers hand them out."""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict, deque
from collections.abc import Collection

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.provider import Message


class MessageQueue:
    """Messages by number, grouped by instance; an instance is handed out to one taker at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[tuple[int, int, Message]] = []  # a heap of (due, number, message)
        self._due: defaultdict[str, dict[int, Message]] = defaultdict(dict)
        self._ready: deque[str] = deque()
        self._taken: set[str] = set()
        self._changed = asyncio.Event()

    def put(self, number: int, message: Message) -> None:
        """Add a message; `number` orders those of one instance."""
        if message.due <= self._clock.now():
            self._deliver(number, message)
        else:
            heapq.heappush(self._waiting, (message.due, number, message))
        self._changed.set()

    async def take(self) -> tuple[str, dict[int, Message]]:
        """Wait for an instance with due messages, and lock it; the messages stay until `consume`."""
        while True:
            self._deliver_due()
            while self._ready:
                instance_id = self._ready.popleft()
                if self._due.get(instance_id) and instance_id not in self._taken:
                    self._taken.add(instance_id)
                    return instance_id, dict(self._due[instance_id])
            await self._wait_for_change()

    def consume(self, instance_id: str, numbers: Collection[int], rest_seconds: float = 0.0) -> None:
        """Forget messages and unlock the instance, at once or after a rest."""
        self.drop(instance_id, numbers)
        if rest_seconds:
            asyncio.get_running_loop().call_later(rest_seconds, self.unlock, instance_id)
        else:
            self.unlock(instance_id)

    def drop(self, instance_id: str, numbers: Collection[int]) -> None:
        """Forget messages."""
        due = self._due.get(instance_id, {})
        for number in numbers:
            due.pop(number, None)

    def unlock(self, instance_id: str) -> None:
        """Make the instance available again."""
        self._taken.discard(instance_id)
        if self._due.get(instance_id):
            self._ready.append(instance_id)
            self._changed.set()
        else:
            self._due.pop(instance_id, None)

    def _deliver(self, number: int, message: Message) -> None:
        due = self._due[message.instance_id]
        if not due and message.instance_id not in self._taken:
            self._ready.append(message.instance_id)
        due[number] = message

    def _deliver_due(self) -> None:
        now = self._clock.now()
        while self._waiting and self._waiting[0][0] <= now:
            _, number, message = heapq.heappop(self._waiting)
            self._deliver(number, message)

    async def _wait_for_change(self) -> None:
        self._changed.clear()
        if not self._waiting:
            await self._changed.wait()
            return
        alarm = asyncio.ensure_future(self._clock.wait_until(self._waiting[0][2].due))
        change = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait((alarm, change), return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
            change.cancel()
