"""The benchmarks do their work, small, and do not count work that came out wrong."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from benchmarks.measurements import CHAIN, CPU, FAN_OUT, LATENCY, RATE, Engine, measure
from benchmarks.processes import azure_host_number, host_number
from durable_status.testing.fresh_task_hub import FreshTaskHub


@pytest.mark.parametrize(
    ("storage", "kind"),
    [("memory", RATE), ("memory", LATENCY), ("memory", CPU), ("sqlite", CHAIN), ("sqlite", FAN_OUT)],
)
def test_the_local_host_does_the_work_in_a_process_of_its_own(storage: str, kind: str) -> None:
    assert host_number(storage, kind, 3) > 0


def test_the_local_host_does_the_work_on_a_hub_in_azure_storage(task_hub: FreshTaskHub) -> None:
    assert azure_host_number(task_hub.settings, RATE, 3) > 0


def test_a_wrong_output_ends_the_measurement() -> None:
    async def start(name: str, argument: Any) -> str:
        return f"{name} {argument}"

    async def output(instance_id: str) -> Any:
        return [instance_id]

    with pytest.raises(SystemExit, match="wrong output"):
        asyncio.run(measure(Engine(start, output), RATE, 3))
