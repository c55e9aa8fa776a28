"""A storage provider that can hold episodes back and tells when nothing is on its way any more."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from durable_status.local_host.storage.provider import (
    EpisodeCommit,
    InstanceRow,
    Message,
    OrchestrationWork,
    Rewrite,
    StorageProvider,
)
from durable_status.replay.events import ExecutionStarted

_PATIENCE_SECONDS = 20.0


class QuietStorage:
    """Hands everything to the provider it wraps, and counts messages (timers included) and activities."""

    def __init__(self, inner: StorageProvider) -> None:
        self._inner = inner
        self._running = asyncio.Event()
        self._running.set()
        self._on_their_way = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    def stop_worker(self) -> None:
        """Let no episode run."""
        self._running.clear()
        self._count(0)

    def start_worker(self) -> None:
        """Let episodes run again."""
        self._running.set()
        self._count(0)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing will happen by itself."""
        return self._quiet.is_set()

    async def until_quiet(self) -> None:
        """Wait until nothing will happen by itself."""
        await asyncio.wait_for(self._quiet.wait(), _PATIENCE_SECONDS)

    def _count(self, more: int) -> None:
        self._on_their_way += more
        if self._on_their_way <= 0 or not self._running.is_set():
            self._quiet.set()
        else:
            self._quiet.clear()

    async def create_instance(self, row: InstanceRow, started: ExecutionStarted, *, replace_live: bool) -> None:
        await self._inner.create_instance(row, started, replace_live=replace_live)
        self._count(1)

    async def send(self, message: Message) -> None:
        self._count(1)
        await self._inner.send(message)

    async def rewrite(self, rewrites: Collection[Rewrite], messages: Collection[Message]) -> None:
        self._count(len(messages))
        await self._inner.rewrite(rewrites, messages)

    async def next_orchestration(self) -> OrchestrationWork:
        while True:
            await self._running.wait()
            work = await self._inner.next_orchestration()
            if self._running.is_set():
                return work
            await self._inner.release(work)

    async def commit(self, work: OrchestrationWork, commit: EpisodeCommit) -> None:
        self._count(len(commit.messages) + len(commit.activities))
        await self._inner.commit(work, commit)
        self._count(-len(work.messages))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
