"""`python -m benchmarks.azure_storage [--quick]`: the local host on Azurite, beside the floor. See README.md."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.__main__ import environment_line
from benchmarks.measurements import CHAIN, FAN_OUT, LATENCY, RATE
from benchmarks.processes import ROOT, azure_host_number, floor_seconds
from benchmarks.recorded_requests import RecordedRequest, last_started, requests_of, write_requests
from durable_status.testing.azurite import Azurite
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.fault_proxy import FaultProxy

_AIM = 1.5


@dataclass(frozen=True)
class Row:
    """One line of the table: a measurement, and how the floor does the same."""

    kind: str
    size: int
    title: str
    unit: str
    published: str
    """Of extension 2.13.7, and of 3.19.0 where there is a number."""
    floor_instances: int = 1
    floor_at_once: int = 1
    scale: float = 1.0

    @property
    def is_rate(self) -> bool:
        """Whether more is better: instances per second."""
        return self.kind == RATE

    def shown(self, seconds: float) -> str:
        """A number of the table."""
        return f"{1 / seconds if self.is_rate else seconds * self.scale:.3g}"


_ROWS = (
    Row(LATENCY, 20, "S1, one alone", "ms", "400 to 450; 78", floor_instances=20, scale=1e3),
    Row(RATE, 200, "S1, 200 instances", "/s", "8 to 17; 24", floor_instances=200, floor_at_once=32),
    Row(CHAIN, 100, "chain of 100 activities", "s", "13 to 15"),
    Row(FAN_OUT, 1_000, "fan-out of 1,000", "s", "36 to 62"),
)


async def main(rounds: int) -> None:
    """Measure and print."""
    print(environment_line(), flush=True)
    print(f"Medians of {rounds} rounds; in a round the host and the floor have their turns on the same Azurite.\n")
    print("| work | unit | host | floor | host takes longer by | extension 2.13.7; 3.19.0 (published) |")
    print("|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for row in _ROWS:
            print(await _line(row, rounds, Path(folder)), flush=True)
        with Azurite(project=ROOT) as azurite:
            print(_operations(await _recorded(azurite, LATENCY, 1)))


async def _line(row: Row, rounds: int, folder: Path) -> str:
    """Record what the work takes, then measure it and its floor in turn, all on one Azurite."""
    path = folder / f"{row.kind}.json"
    store = folder / row.kind
    store.mkdir()
    with Azurite(store, project=ROOT) as azurite:
        alone = 1 if row.kind in (LATENCY, RATE) else row.size
        write_requests((await _recorded(azurite, LATENCY if row.is_rate else row.kind, alone)), path)
        host, floor = [], []
        for _ in range(rounds):
            number = await _host(azurite.connection_string, row.kind, row.size)
            host.append(1 / number if row.is_rate else number)
            floor.append(await _floor(azurite, path, row))
    seconds, least = statistics.median(host), statistics.median(floor)
    cells = [row.title, row.unit, row.shown(seconds), row.shown(least), f"{seconds / least:.2f}×", row.published]  # noqa: RUF001
    return f"| {' | '.join(cells)} |"


async def _host(connection_string: str, kind: str, size: int) -> float:
    """One measurement of the host on a new task hub."""
    settings = FreshTaskHub(connection_string).settings
    return await asyncio.to_thread(azure_host_number, settings, kind, size)


async def _floor(azurite: Azurite, path: Path, row: Row) -> float:
    arguments = (azurite.connection_string, path, row.floor_instances, row.floor_at_once)
    return await asyncio.to_thread(floor_seconds, *arguments)


async def _recorded(azurite: Azurite, kind: str, size: int) -> Sequence[RecordedRequest]:
    """The requests of the instance that a measurement ends with."""
    async with FaultProxy(azurite.connection_string).running() as proxy:
        await _host(proxy.connection_string, kind, size)
        return requests_of(last_started(proxy.seen), proxy.seen)


def _operations(requests: Sequence[RecordedRequest]) -> str:
    counted = Counter(request.kind for request in requests)
    kinds = ", ".join(f"{count} {kind}" for kind, count in counted.most_common())
    return (
        f"\nStorage operations of an S1: {len(requests)} ({kinds}); extension 2.13.7 needs 36 and 21 polls in vain.\n"
        f"Aim: at most {_AIM} times the floor, an S1 in 50 ms, 48 S1/s, a fan-out of 1,000 in 15 s."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.azure_storage", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round instead of five")
    asyncio.run(main(1 if parser.parse_args().quick else 5))
