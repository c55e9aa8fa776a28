"""`durable-status start --storage azure` as a process: what it says and how it ends when it cannot begin."""

from __future__ import annotations

import asyncio
import signal

import pytest

from durable_status.testing import FreshTaskHub
from tests.host_process import host_process, refusal_to_start, starting_process
from tests.paths import APPS

_APP = APPS / "offloading"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_a_host_that_waits_for_another(task_hub: FreshTaskHub, number: int) -> None:
    async def main() -> tuple[int | None, str, str]:
        options = ("--storage", "azure")
        async with (
            host_process(_APP, *options, environment=task_hub.settings),
            starting_process(_APP, *options, "--wait", environment=task_hub.settings) as waiting,
        ):
            assert waiting.stderr is not None
            line = await asyncio.wait_for(waiting.stderr.readline(), 60)
            waiting.send_signal(number)
            said, errors = await asyncio.wait_for(waiting.communicate(), 60)
            return waiting.returncode, said.decode(), (line + errors).decode()

    code, said, errors = asyncio.run(main())

    assert (code, said) == (0, "Stopping.\n")
    (line,) = errors.splitlines()
    assert line.endswith("waiting until it is gone.")


def test_an_identity_that_gives_no_token_is_one_line() -> None:
    by_secret = {f"AzureWebJobsStorage__{name}": "x" * 8 for name in ("clientId", "tenantId", "clientSecret")}
    settings = {"AzureWebJobsStorage": "", "AzureWebJobsStorage__accountName": "orders", **by_secret}

    refusal = refusal_to_start(
        _APP, "--storage", "azure", environment={**settings, "AZURE_AUTHORITY_HOST": "https://localhost:1"}
    )

    assert refusal.startswith("the identity of AzureWebJobsStorage gives no token: ")
