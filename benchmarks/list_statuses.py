"""Listing many instances: `list_statuses(where=...)` beside the SDK's `get_status_all`, on one running host.

    .venv/bin/python -m benchmarks.list_statuses [--instances 10000]

Prints for each how many instances came, in what time, and the most memory the reading took. The SDK's call returns
the first page only; beside it stands a reading of all pages into one list, as code does that gets past that by hand.
No time is asserted: a busy machine makes every number worse, so read the ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import httpx

from durable_status.client.status_client import MANAGEMENT_PATH, AsyncStatusClient, StatusClient
from durable_status.local_host.sdk import close_client_session

_ROOT = Path(__file__).resolve().parent.parent
_APP = _ROOT / "tests" / "apps" / "transcripts"
_STARTS_AT_ONCE = 16
_EVERY = 100

Read = Callable[[], Awaitable[int]]


@contextmanager
def _host() -> Iterator[str]:
    """A host in a process of its own; its address."""
    command = [sys.executable, "-m", "durable_status", "start", "--app", str(_APP)]
    with subprocess.Popen(
        [*command, "--port", "0", "--rpc-port", "0", "--storage", "memory"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
    ) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                found = re.search(rf"(http://localhost:\d+){MANAGEMENT_PATH}instances", line)
                if found:
                    yield found[1]
                    return
            raise SystemExit("The host did not start: " + (process.stderr.read() if process.stderr else ""))
        finally:
            process.terminate()


async def _start(url: str, instances: int) -> None:
    numbers = iter(range(instances))

    async with AsyncStatusClient(url, timeout=120) as client:

        async def start_some() -> None:
            for number in numbers:
                await client.start_new("StatusThenWait", {"number": number}, instance_id=f"i{number:06}")

        await asyncio.gather(*(start_some() for _ in range(_STARTS_AT_ONCE)))
        last = f"i{instances - 1:06}"
        await client.wait_for_status(last, Any, lambda status: status.custom_status_json is not None, 600)


def _readers(url: str, instances: int) -> dict[str, Read]:
    base_url = url + MANAGEMENT_PATH  # serves what the loopback endpoint of the SDK serves
    binding = {
        "taskHubName": "TestHubName",
        "creationUrls": {},
        "managementUrls": {"id": "INSTANCEID"},
        "rpcBaseUrl": base_url,
    }

    async def ours(prefix: str = "") -> int:
        with StatusClient(url) as client:
            wanted = client.list_statuses(
                dict[str, int],
                where=lambda status: (status.custom_status or {"number": 1})["number"] % _EVERY == 0,
                instance_id_prefix=prefix,
                page_size=1_000,
            )
            return sum(1 for _ in wanted)

    async def sdk() -> int:
        try:
            return len(await df.DurableOrchestrationClient(json.dumps(binding)).get_status_all())
        finally:
            await close_client_session()

    async def by_hand() -> int:
        found: list[Any] = []
        token = ""
        async with httpx.AsyncClient() as http:
            while not found or token:
                page = await http.get(
                    f"{base_url}instances/?top=1000", headers={"x-ms-continuation-token": token} if token else {}
                )
                found += page.json()
                token = page.headers["x-ms-continuation-token"]
        return len(found)

    return {
        f"list_statuses(where=one in {_EVERY})": ours,
        "the same, of a tenth of the instances": lambda: ours(f"i{0:0{8 - len(str(instances))}}"),
        "get_status_all() of the SDK": sdk,
        "all pages into one list, by hand": by_hand,
    }


async def _measure(name: str, read: Read) -> None:
    await read()  # imports and connections
    before = time.perf_counter()
    count = await read()
    seconds = time.perf_counter() - before
    tracemalloc.start()
    await read()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"| {name} | {count:,} | {seconds:.2f} | {peak:.1f} |")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=10_000)
    instances = parser.parse_args().instances
    with _host() as url:
        asyncio.run(_start(url, instances))
        print(f"{instances:,} instances\n\n| reading | instances returned | seconds | peak MB |\n|---|---|---|---|")
        for name, read in _readers(url, instances).items():
            asyncio.run(_measure(name, read))


if __name__ == "__main__":
    main()
