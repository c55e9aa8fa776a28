"""What is measured, for every engine alike. Standard library only: the peer runs it in an environment of its own.

An engine gives two functions: start an instance, and wait for its output. Both engines have their client in the process
that does the work.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATE, CPU, LATENCY, CHAIN, FAN_OUT, MEMORY = "rate", "cpu", "latency", "chain", "fan-out", "memory"
HELLO_SEQUENCE, CHAIN_NAME, FAN_OUT_NAME = "E1_HelloSequence", "chain", "fan_out"
_GREETINGS = ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]


@dataclass(frozen=True)
class Engine:
    """How to have work done. The functions are coroutines, for one interface to both kinds of client."""

    start: Callable[[str, Any], Awaitable[str]]
    """Starts an orchestration by name with an input; returns the instance id."""
    output: Callable[[str], Awaitable[Any]]
    """Waits for an instance to complete; returns its output."""


async def measure(engine: Engine, kind: str, size: int) -> float:
    """Do the work of one measurement.

    Returns:
        Seconds; for RATE instances per second, for CPU the processor time of an instance in seconds, for MEMORY the
        bytes resident after `size` finished instances.
    """
    await _run(engine, HELLO_SEQUENCE, None, _GREETINGS)  # what is done once per process is not measured
    if kind == LATENCY:
        return statistics.median([await _run(engine, HELLO_SEQUENCE, None, _GREETINGS) for _ in range(size)])
    if kind == CHAIN:
        return await _run(engine, CHAIN_NAME, size, size)
    if kind == FAN_OUT:
        return await _run(engine, FAN_OUT_NAME, size, size * (size + 1) // 2)
    began = time.process_time()
    seconds = await _run_many(engine, range(size))
    if kind == CPU:
        return (time.process_time() - began) / size
    return _resident_bytes() if kind == MEMORY else size / seconds


async def _run(engine: Engine, name: str, argument: Any, expected: Any) -> float:
    began = time.perf_counter()
    _check(await engine.output(await engine.start(name, argument)), expected)
    return time.perf_counter() - began


async def _run_many(engine: Engine, numbers: Iterable[int]) -> float:
    began = time.perf_counter()
    instance_ids = [await engine.start(HELLO_SEQUENCE, None) for _ in numbers]
    for instance_id in instance_ids:
        _check(await engine.output(instance_id), _GREETINGS)
    return time.perf_counter() - began


def _check(output: Any, expected: Any) -> None:
    if output != expected:
        raise SystemExit(f"wrong output: {output!r}, expected {expected!r}")


def _resident_bytes() -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        sys.exit("resident memory is read from /proc, which this system does not have.")
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
    return float(line.split()[1]) * 1024
