"""Takes work from the storage provider, has it run and commits what it led to, many items at a time."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from durable_status.local_host.activities import Activities
from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.provider import (
    ActivityWork,
    EpisodeCommit,
    OrchestrationWork,
    StorageProvider,
)
from durable_status.local_host.worker import Worker
from durable_status.replay.events import ExecutionStarted
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.ticks import PER_SECOND, Ticks

if TYPE_CHECKING:  # imported with the first work: the engine behind them takes a fifth of the start-up time
    from durable_status.local_host.entities import Entities
    from durable_status.local_host.orchestrations import Orchestrations

logger = logging.getLogger(__name__)

_PAUSE_AFTER_ERROR_SECONDS = 1.0

Work = TypeVar("Work", OrchestrationWork, ActivityWork)


def is_entity_work(work: OrchestrationWork) -> bool:
    """Whether `work` is for an entity: an instance named like one, or a message that will make one."""
    if work.row is not None:
        return work.row.name.startswith("@") and work.row.name == work.instance_id
    events = [message.event for message in work.messages.values()]
    return work.instance_id.startswith("@") and not any(isinstance(event, ExecutionStarted) for event in events)


class Dispatcher:
    """Keeps a task hub's instances going; `engine` is asked for once, when there is something to run."""

    def __init__(
        self,
        storage: StorageProvider,
        engine: Callable[[], tuple[Orchestrations, Entities]],
        activities: Activities,
        worker: Worker,
        clock: Clock,
        *,
        max_orchestrations: int,
        max_activities: int,
        max_entities: int,
        grace_seconds: float,
    ) -> None:
        self._storage = storage
        self._engine = functools.cache(engine)
        self._activities = activities
        self._worker = worker
        self._clock = clock
        self._limits = (max_orchestrations, max_activities)
        self._free_for_entities = asyncio.Semaphore(max_entities)
        self._grace_seconds = grace_seconds
        self._busy: set[asyncio.Task[None]] = set()
        self._put_off: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work while the context lasts, then give what is in hand a moment to finish.

        What does not finish stays in the task hub, and the next host does it again.
        """
        max_orchestrations, max_activities = self._limits
        loops = [
            asyncio.create_task(self._serve(self._storage.next_orchestration, self._run_instance, max_orchestrations)),
            asyncio.create_task(self._serve(self._storage.next_activity, self._run_activity, max_activities)),
        ]
        try:
            yield
        finally:
            await _cancel(loops)
            await self._finish()
            await _cancel(self._put_off)

    async def _finish(self) -> None:
        if not self._busy:
            return
        _, unfinished = await asyncio.wait(self._busy, timeout=self._grace_seconds)
        if unfinished:
            logger.warning("Still running: %d function calls. They run again when a host is started.", len(unfinished))
        await _cancel(unfinished)

    async def _serve(
        self, take: Callable[[], Awaitable[Work]], run: Callable[[Work], Coroutine[Any, Any, None]], limit: int
    ) -> None:
        free = asyncio.Semaphore(limit)
        while True:
            await free.acquire()
            task = asyncio.create_task(run(await take()))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
            task.add_done_callback(lambda _: free.release())

    async def _run_instance(self, work: OrchestrationWork) -> None:
        try:
            commit = await (self._run_entity(work) if is_entity_work(work) else self._run_orchestration(work))
            await self._storage.commit(work, commit)
        except WorkerFailure as failure:  # only of an entity's batch; it keeps its messages and no caller is told
            delay = self._engine()[1].seconds_until_retry(work.instance_id)
            logger.error("Entity '%s': the batch failed and runs again in %d s: %s", work.instance_id, delay, failure)
            task = asyncio.create_task(self._release_later(work, delay))
            self._put_off.add(task)
            task.add_done_callback(self._put_off.discard)
        except asyncio.CancelledError:
            await self._storage.release(work)  # for the next host in this process
            raise
        except Exception as error:
            # Not the user's error, which is an outcome like any other. The work is kept, but not at full speed.
            _tell_failed(error, f"Instance '{work.instance_id}': an episode could not be committed")
            await asyncio.sleep(_PAUSE_AFTER_ERROR_SECONDS)
            await self._storage.release(work)

    async def _run_orchestration(self, work: OrchestrationWork) -> EpisodeCommit:
        orchestrations, _ = self._engine()
        return await self._worker.run_orchestration(lambda: orchestrations.run(work))

    async def _run_entity(self, work: OrchestrationWork) -> EpisodeCommit:
        _, entities = self._engine()
        async with self._free_for_entities:
            return await self._worker.run_entity_batch(lambda: entities.run(work))

    async def _release_later(self, work: OrchestrationWork, seconds: int) -> None:
        """Give work back later; what arrives for its instance meanwhile waits, too, and takes nobody's place."""
        await self._clock.wait_until(Ticks(self._clock.now() + seconds * PER_SECOND))
        await self._storage.release(work)

    async def _run_activity(self, work: ActivityWork) -> None:
        answer = await self._activities.run(work.call)
        while True:
            try:
                await self._storage.complete_activity(work, answer)
            except Exception as error:
                _tell_failed(error, f"Activity '{work.call.name}': its answer could not be stored")
                await asyncio.sleep(_PAUSE_AFTER_ERROR_SECONDS)
            else:
                return


def _tell_failed(error: Exception, what: str) -> None:
    """Log a failure that is tried again: one line of storage, which says what is wrong, else everything known."""
    if isinstance(error, StorageError):
        logger.warning("%s; trying again: %s", what, error)
    else:
        logger.error("%s; trying again.", what, exc_info=error)


async def _cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
