"""kill -9 of a host on a task hub in Azure Storage: whatever was acknowledged completes, and nothing counts twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from itertools import islice

import aiohttp
import pytest

from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.fault_hub import FaultHub, concerns, fault_hub, is_step
from tests.fault_proxy import then
from tests.fault_work import Job, jobs
from tests.host_process import HostProcess
from tests.storage_operations import Operation

_WAS_KILLED = "before was killed; what it had in hand comes back within 3 s."
_KILLS = 20
_RUNNING = 100
_MOST_STEPS = 400
"""A kill comes after fewer steps than this since all instances ran."""


@pytest.mark.conforms("S2.3-10")
def test_an_instance_completes_once_after_whatever_step_its_host_is_killed(task_hub: FreshTaskHub) -> None:
    async def is_killed_after(steps: int, hub: FaultHub) -> bool:
        job = Job(f"step-{steps:03d}", "chain", steps)
        async with hub.host() as host:
            return await _is_killed(hub, host, concerns(job.instance_id), skip=steps, new=[job])

    async def main() -> tuple[int, list[str], str]:
        async with fault_hub(task_hub) as hub:
            steps = 0
            while await is_killed_after(steps, hub):
                steps += 1
            hub.proxy.forget_faults()
            async with hub.host() as host:
                await hub.until_done(host)
                return steps, await hub.flaws(host), host.stderr

    steps, flaws, log = asyncio.run(main())
    assert steps >= 20  # a start, four episodes and three activities
    assert flaws == []
    assert _WAS_KILLED in log


@pytest.mark.conforms("S4.2-1")
def test_a_hundred_instances_complete_once_although_their_host_is_killed_again_and_again(
    task_hub: FreshTaskHub,
) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # pytest shows it with a failure
    chance = random.Random(seed)

    async def main() -> tuple[list[int], list[str], str]:
        work, running = jobs(), []
        async with fault_hub(task_hub) as hub:
            for _ in range(_KILLS):
                async with hub.host() as host:
                    await hub.start(host, islice(work, _RUNNING - len(hub.unfinished)))
                    assert await _is_killed(hub, host, lambda _: True, skip=chance.randrange(_MOST_STEPS))
                running.append(len(hub.unfinished))
            async with hub.host() as host:
                await hub.until_done(host)
                return running, await hub.flaws(host), host.stderr

    running, flaws, log = asyncio.run(main())
    assert min(running) > _RUNNING // 4, "it was killed in the middle"
    assert flaws == []
    assert _WAS_KILLED in log
    assert "Traceback" not in log


async def _is_killed(
    hub: FaultHub, host: HostProcess, when: Callable[[Operation], bool], *, skip: int, new: Sequence[Job] = ()
) -> bool:
    """Start instances, and kill the host after the step that follows `skip` others; whether that was before the end."""
    hub.proxy.inject(then(host.kill), lambda operation: is_step(operation) and when(operation), skip=skip)
    try:
        await hub.start(host, new)
        await hub.until_done(host)
    except aiohttp.ClientError:
        await host.process.wait()
        return True
    return False
