"""A storage account that refuses, throttles, does not answer, loses answers or goes away: everything completes once.

The log tells of each outage once, and of its end.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial
from itertools import islice

import pytest

from durable_status.app.host_settings import AzureStorageSettings
from durable_status.local_host.storage.azure_storage import provider
from durable_status.local_host.storage.azure_storage.endpoint import Patience
from durable_status.local_host.storage.azure_storage.services import open_services
from durable_status.testing.azurite import Azurite
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.azure_hubs import azure_storage
from tests.fault_hub import fault_hub
from tests.fault_proxy import Fault, answers, breaks_after, breaks_before, held_until, silent_until
from tests.fault_work import FAULTS, jobs
from tests.hosts import running_host
from tests.hub_flaws import hub_flaws
from tests.storage_operations import Operation

_INSTANCES = 18  # two of each kind
_SHORT = AzureStorageSettings(control_invisible_seconds=3, work_invisible_seconds=3)
_SHARE = 0.1
"""Of all requests go wrong."""


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        pytest.param(answers(503, "ServerBusy", Retry_After="1"), "answers 503 ServerBusy; trying again.", id="busy"),
        pytest.param(answers(500, "InternalError"), "answers 500 InternalError; trying again.", id="internal error"),
        pytest.param(breaks_before, "has ended the connection; trying again.", id="requests lost"),
        pytest.param(breaks_after, "has ended the connection; trying again.", id="answers lost"),
    ],
)
@pytest.mark.conforms("S4.2-8")
def test_everything_completes_once_although_requests_fail(task_hub: FreshTaskHub, fault: Fault, said: str) -> None:
    async def main() -> tuple[list[str], str]:
        async with fault_hub(task_hub) as hub, hub.host() as host:
            hub.proxy.inject(fault, _at_random(), times=None)
            await hub.start(host, islice(jobs(), _INSTANCES))
            await hub.until_done(host)
            hub.proxy.forget_faults()
            return await hub.flaws(host), host.stderr

    flaws, log = asyncio.run(main())
    assert flaws == []
    assert said in log
    assert "answers again." in log
    assert "Traceback" not in log


@pytest.mark.conforms("S4.2-8")
def test_everything_completes_once_although_the_account_goes_away_and_comes_back(own_azurite: Azurite) -> None:
    async def main() -> tuple[list[str], str]:
        async with fault_hub(FreshTaskHub(own_azurite.connection_string)) as hub, hub.host() as host:
            await hub.start(host, islice(jobs(), _INSTANCES))
            await asyncio.to_thread(own_azurite.stop)  # SIGTERM: what it has acknowledged is written
            await asyncio.to_thread(own_azurite.start)
            await hub.until_done(host)
            return await hub.flaws(host), host.stderr

    flaws, log = asyncio.run(main())
    assert flaws == []
    assert "answers again." in log
    assert "Traceback" not in log


@pytest.mark.parametrize("fault", [held_until, silent_until], ids=["answers held", "requests unheard"])
@pytest.mark.conforms("S4.2-8")
def test_everything_completes_once_although_answers_do_not_come_in_time(
    task_hub: FreshTaskHub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: Callable[[asyncio.Event], Fault],
) -> None:
    patience = Patience(answer=0.3)  # not the 30 s of a real host
    monkeypatch.setattr(provider, "open_services", partial(open_services, patience=patience))

    async def main() -> list[str]:
        released = asyncio.Event()
        async with fault_hub(task_hub) as hub:
            behind = FreshTaskHub(hub.proxy.connection_string, task_hub.name)
            hub.proxy.inject(fault(released), _at_random(), times=None)
            async with running_host(FAULTS, storage=lambda clock: azure_storage(behind, clock, _SHORT)) as host:
                await hub.start(host, islice(jobs(), _INSTANCES))
                await hub.until_done(host)
                hub.proxy.forget_faults()
                flaws = await hub.shown_flaws(host)
            released.set()
            return flaws + hub_flaws(hub.read())

    assert asyncio.run(main()) == []
    assert "has not answered within 0.3 s; trying again." in caplog.text
    assert "answers again." in caplog.text
    assert "Traceback" not in caplog.text


def _at_random() -> Callable[[Operation], bool]:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # pytest shows it with a failure
    chance = random.Random(seed)
    return lambda _operation: chance.random() < _SHARE
