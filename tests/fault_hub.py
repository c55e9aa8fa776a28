"""A task hub behind a proxy that breaks things, hosts on it that may die at any moment, and their work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

import aiohttp

from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.fault_proxy import FaultProxy
from tests.fault_work import FAULTS, Job
from tests.host_process import HostProcess, host_process
from tests.hosts import RunningHost
from tests.hub_flaws import StoredHub, count_messages, hub_flaws, read_hub
from tests.storage_operations import Operation

_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class FaultHub:
    """One hub and the jobs in it."""

    task_hub: FreshTaskHub
    proxy: FaultProxy
    acknowledged: dict[str, Job] = field(default_factory=dict)
    """By id: the jobs whose start was answered. They must complete."""
    completed: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    """The listeners whose event was taken."""
    attempts: Iterator[int] = field(default_factory=count)

    def host(self) -> AbstractAsyncContextManager[HostProcess]:
        """Run a host on the hub, by way of the proxy."""
        settings = {**self.task_hub.settings, "AzureWebJobsStorage": self.proxy.connection_string}
        return host_process(FAULTS, "--storage", "azure", environment=settings)

    async def start(self, host: RunningHost, jobs: Iterable[Job]) -> None:
        """Start instances; a host that dies meanwhile is no error."""

        async def start(job: Job) -> None:
            await host.start(job.kind, job.instance_id, job.input)
            self.acknowledged[job.instance_id] = job

        _forgive_death(await asyncio.gather(*map(start, jobs), return_exceptions=True))

    async def look(self, host: RunningHost) -> None:
        """Note who has completed, and tell the listeners; raises if the host is dead."""
        answer = await host.manage("GET", "instances?top=100000&runtimeStatus=Completed")
        assert answer.status == 200, answer.text
        self.completed.update(document["instanceId"] for document in answer.json)
        for job in list(self.unfinished.values()):
            if job.kind == "listener" and job.instance_id not in self.told:
                attempt = next(self.attempts)  # a try whose answer was lost counts, too, and is told from the next
                await host.raise_event(job.instance_id, "go", [job.number, attempt])
                self.told.add(job.instance_id)

    @property
    def unfinished(self) -> dict[str, Job]:
        """The jobs that are still to complete."""
        return {instance_id: job for instance_id, job in self.acknowledged.items() if instance_id not in self.completed}

    async def until_done(self, host: RunningHost) -> None:
        """Wait until every job has completed and no message is left."""
        try:
            await asyncio.wait_for(self._until_done(host), _PATIENCE_SECONDS)
        except TimeoutError:
            left = (sorted(self.unfinished), await asyncio.to_thread(self.messages))
            log = host.stderr if isinstance(host, HostProcess) else ""
            raise AssertionError(f"not done: {left}\n{log[-3000:]}") from None

    async def _until_done(self, host: RunningHost) -> None:
        while True:
            await self.look(host)
            if not self.unfinished and not any((await asyncio.to_thread(self.messages)).values()):
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    def messages(self) -> dict[str, int]:
        """How many messages are in each queue."""
        return count_messages(self.task_hub.connection_string, self.task_hub.name)

    def read(self) -> StoredHub:
        """All that is stored, past the proxy."""
        return read_hub(self.task_hub.connection_string, self.task_hub.name)

    async def shown_flaws(self, host: RunningHost) -> list[str]:
        """What is wrong with what the host shows of the jobs, when all is done."""
        return [flaw for job in self.acknowledged.values() for flaw in job.flaws(await host.status(job.instance_id))]

    async def flaws(self, host: HostProcess) -> list[str]:
        """What is wrong, when all is done: with what the host shows, and with what is stored after its end."""
        shown = await self.shown_flaws(host)
        assert await host.stop() == 0, host.stderr
        return shown + hub_flaws(await asyncio.to_thread(self.read))


@asynccontextmanager
async def fault_hub(task_hub: FreshTaskHub) -> AsyncIterator[FaultHub]:
    """Put a proxy before the hub while the context lasts."""
    async with FaultProxy(task_hub.connection_string).running() as proxy:
        yield FaultHub(task_hub, proxy)


def concerns(instance_id: str) -> Callable[[Operation], bool]:
    """The operations about an instance."""
    return lambda operation: instance_id in operation.path or instance_id in operation.text


def is_step(operation: Operation) -> bool:
    """Whether an operation changes what is stored of instances."""
    return operation.writes and not operation.is_ownership


def _forgive_death(outcomes: Iterable[BaseException | None]) -> None:
    for error in outcomes:
        if error is not None and not isinstance(error, aiohttp.ClientError):
            raise error
