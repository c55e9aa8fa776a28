"""What recorded requests cost without a host: `python -m benchmarks.floor_worker ACCOUNT REQUESTS INSTANCES AT_ONCE`.

It sends the requests of one instance again, as often as there are instances, with a raw client on kept connections. A
request waits for as many answers of its instance as it did when it was recorded. Prints seconds for each instance.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from benchmarks.raw_storage import RawStorage
from benchmarks.recorded_requests import RecordedRequest, read_requests

_CONNECTIONS = 32
_INVISIBLE_SECONDS = 300  # so that no poll finds what the replay itself has put


async def main(connection_string: str, path: str, instances: str, at_once: str) -> None:
    """Replay, print one number."""
    requests, name = read_requests(Path(path)), f"Floor{uuid4().hex[:12]}"
    free = asyncio.Semaphore(int(at_once))

    async def one(storage: RawStorage, number: int) -> None:
        async with free:
            await _Replay(storage, name, f"{number:06d}-{uuid4().hex}").run(requests)

    async with RawStorage(connection_string, _CONNECTIONS).opened() as storage:
        for target in sorted({request.target for request in requests}):
            await _create(storage, name, target)
        await storage.warm_up()
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(instances)):
                group.create_task(one(storage, number))
        print((time.perf_counter() - began) / int(instances))


class _Replay:
    """One instance's requests, on rows of its own."""

    def __init__(self, storage: RawStorage, name: str, key: str) -> None:
        self._storage = storage
        self._name = name
        self._key = key
        self._answered = 0
        self._rows = 0
        self._changed = asyncio.Event()
        self._receipts: dict[str, asyncio.Future[tuple[str, str]]] = {}

    async def run(self, requests: Sequence[RecordedRequest]) -> None:
        loop = asyncio.get_running_loop()
        self._receipts = {
            request.message: loop.create_future()
            for request in requests
            if request.kind == "put message" and request.message
        }
        async with asyncio.TaskGroup() as group:
            for request in requests:
                while self._answered < request.after:
                    self._changed.clear()
                    await self._changed.wait()
                group.create_task(self._send(request))

    async def _send(self, request: RecordedRequest) -> None:
        target, storage = f"{self._name}{request.target}", self._storage
        match request.kind:
            case "put message":
                receipt = await storage.put_message(
                    _queue(self._name, request.target), request.size, _INVISIBLE_SECONDS
                )
                self._receipts[request.message or ""].set_result(receipt)
            case "get messages":
                await storage.get_messages(_queue(self._name, request.target), 32)
            case "delete message":
                receipt = await self._receipts[request.message or ""]
                await storage.delete_message(_queue(self._name, request.target), *receipt)
            case "insert row":
                await storage.insert_row(target, self._key, request.size)
            case "merge row" | "replace row":
                await storage.merge_row(target, self._key, request.size)
            case "read row":
                await storage.read_row(target, self._key)
            case "query rows":
                await storage.query_rows(target, self._key)
            case "transaction":
                first, self._rows = self._rows, self._rows + request.rows - 1
                await storage.transact(target, self._key, first, request.rows, request.size)
            case other:
                raise ValueError(f"a host sends '{other}', which the floor does not know.")
        self._answered += 1
        self._changed.set()


async def _create(storage: RawStorage, name: str, target: str) -> None:
    if target in ("Instances", "History"):
        await storage.create_table(f"{name}{target}")
    elif target == "largemessages":
        await storage.create_container(_queue(name, target))
    else:
        await storage.create_queue(_queue(name, target))


def _queue(name: str, target: str) -> str:
    return f"{name.lower()}-{target}"


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
