"""Traps on the local host: a warning that names the line, or in strict mode the end of the orchestration."""

from __future__ import annotations

import asyncio
import logging

import pytest

from durable_status.replay.profile import PROFILE_2_13
from tests.hosts import running_host
from tests.paths import APPS

TRAPS = APPS / "traps"


def test_a_warning_names_instance_orchestrator_line_and_cure(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(TRAPS, profile=PROFILE_2_13) as host:
            await host.start("misspelt", "i")
            while "gret" not in caplog.text:
                await asyncio.sleep(0.005)

    with caplog.at_level(logging.WARNING):
        asyncio.run(asyncio.wait_for(main(), 30))

    (warning,) = [record.getMessage() for record in caplog.records if "gret" in record.getMessage()]
    assert warning.startswith("Instance 'i': ")
    assert "function_app.py:9: Orchestrator 'misspelt': " in warning
    assert "Correct the name" in warning


def test_in_strict_mode_a_trap_ends_the_orchestration_with_its_line_and_cure() -> None:
    async def main() -> None:
        async with running_host(TRAPS, profile=PROFILE_2_13, strict=True) as host:
            await host.start("misspelt", "i")

            output = (await host.until_status("i", "Terminated"))["output"]
            assert "function_app.py:9: Orchestrator 'misspelt': " in output
            assert "Correct the name" in output

    asyncio.run(main())
