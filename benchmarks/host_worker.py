"""One measurement of the local host, in this process: `python -m benchmarks.host_worker STORAGE KIND SIZE`."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.measurements import Engine, measure
from durable_status.app.links import WEBHOOK_BASE
from durable_status.app.load import load_app
from durable_status.local_host.clock import SystemClock
from durable_status.local_host.host import HostOptions, LocalHost, run_host
from durable_status.local_host.storage.choice import parse_storage_choice
from durable_status.replay.profile import PROFILE_3

_APP = Path(__file__).parent / "work_app"
_SHORTEST_PAUSE_SECONDS = 0.001
_PAUSES_PER_WAIT = 50
"""Adds 2 % to what is measured at most, and does not ask so often that asking becomes the work."""


async def main(storage_name: str, kind: str, size: str) -> None:
    """Run a host on a new task hub, measure, print one number."""
    app, clock = load_app(_APP, os.environ), SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        choice = parse_storage_choice(f"sqlite:{folder}/hub.sqlite3" if storage_name == "sqlite" else storage_name)
        storage, _ = choice.open_for(app.root, app.settings, os.environ, clock)
        options = HostOptions(port=0, rpc_port=0, profile=PROFILE_3)
        async with run_host(app, storage, options, clock) as host, aiohttp.ClientSession() as session:
            print(await measure(_engine(host, session), kind, int(size)))


def _engine(host: LocalHost, session: aiohttp.ClientSession) -> Engine:
    base = f"{host.base_url}{WEBHOOK_BASE}"

    async def start(name: str, argument: Any) -> str:
        body = None if argument is None else json.dumps(json.dumps(argument))  # as the SDK's client sends it
        headers = {"Content-Type": "application/json"}
        async with session.post(f"{base}/orchestrators/{name}", data=body, headers=headers) as answer:
            return str((await answer.json())["id"])

    async def output(instance_id: str) -> Any:
        began = time.perf_counter()
        while True:
            async with session.get(f"{base}/instances/{instance_id}") as answer:
                document = await answer.json()
            if document["runtimeStatus"] not in ("Pending", "Running"):
                return document["output"]
            waited = time.perf_counter() - began
            await asyncio.sleep(max(_SHORTEST_PAUSE_SECONDS, waited / _PAUSES_PER_WAIT))

    return Engine(start, output)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)  # as the command does
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    asyncio.run(main(*sys.argv[1:]))
