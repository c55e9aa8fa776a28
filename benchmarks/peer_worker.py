"""One measurement of durabletask's in-memory backend: `python -m benchmarks.peer_worker PORT KIND SIZE`.

Runs in the peer's environment. Backend, worker and client share this process and talk gRPC, as its documentation shows.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from durabletask.client import TaskHubGrpcClient
from durabletask.task import when_all
from durabletask.testing.in_memory_backend import create_test_backend
from durabletask.worker import TaskHubGrpcWorker

from benchmarks.measurements import CHAIN_NAME, FAN_OUT_NAME, HELLO_SEQUENCE, Engine, measure

_PATIENCE_SECONDS = 600


def say_hello(_: Any, city: str) -> str:
    """Greet `city`."""
    return f"Hello {city}!"


def add_one(_: Any, number: int) -> int:
    """The next number."""
    return number + 1


def hello_sequence(context: Any, _: Any) -> Any:
    """S1: greet three cities in turn and show each in the custom status."""
    greetings = []
    for city in ("Tokyo", "Seattle", "London"):
        greetings.append((yield context.call_activity(say_hello, input=city)))
        context.set_custom_status(city)
    return greetings


def chain(context: Any, length: int) -> Any:
    """Add one, `length` times, one call after the other."""
    number = 0
    for _ in range(length):
        number = yield context.call_activity(add_one, input=number)
    return number


def fan_out(context: Any, width: int) -> Any:
    """Add one to `width` numbers, all at once; the output is the sum."""
    numbers = yield when_all([context.call_activity(add_one, input=number) for number in range(width)])
    return sum(numbers)


_ORCHESTRATORS = {HELLO_SEQUENCE: hello_sequence, CHAIN_NAME: chain, FAN_OUT_NAME: fan_out}


def main(port: str, kind: str, size: str) -> None:
    """Run backend and worker, measure, print one number."""
    backend = create_test_backend(port=int(port), max_history_size=1_000_000)
    address = f"localhost:{port}"
    with TaskHubGrpcWorker(host_address=address) as worker:
        for activity in (say_hello, add_one):
            worker.add_activity(activity)
        for name, orchestrator in _ORCHESTRATORS.items():
            orchestrator.__name__ = name  # the worker registers it under this
            worker.add_orchestrator(orchestrator)
        worker.start()
        print(asyncio.run(measure(_engine(TaskHubGrpcClient(host_address=address)), kind, int(size))), flush=True)
    backend.stop()


def _engine(client: TaskHubGrpcClient) -> Engine:
    async def start(name: str, argument: Any) -> str:
        return str(client.schedule_new_orchestration(name, input=argument))

    async def output(instance_id: str) -> Any:
        state = client.wait_for_orchestration_completion(instance_id, timeout=_PATIENCE_SECONDS)
        assert state is not None
        state.raise_if_failed()
        return json.loads(state.serialized_output or "null")

    return Engine(start, output)


if __name__ == "__main__":
    main(*sys.argv[1:])
