"""`python -m benchmarks [--quick]`: measures everything in one run and prints tables. See README.md beside this."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measurements import CHAIN, CPU, FAN_OUT, LATENCY, MEMORY, RATE
from benchmarks.peer_environment import PeerMissingError, peer_python
from benchmarks.processes import ROOT, host_number, peer_number
from benchmarks.start_up import bare_import_seconds, first_answer_seconds, write_large_app

BARE, APP, LARGE_APP = "bare import of the SDK", "this app", "an app of 50 functions"
PEER = "durabletask in memory"


@dataclass(frozen=True)
class Row:
    """One line of the table of work: what, how much of it, and how its number is shown."""

    kind: str
    size: int
    title: str
    unit: str
    scale: float = 1.0
    more_is_better: bool = False
    rounds: int | None = None
    """None: as many as the run has."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and instances: some five minutes")
    quick = parser.parse_args().quick
    rounds = 3 if quick else 5
    print(environment_line(), flush=True)
    print(f"Medians of {rounds} rounds; in a round every engine has its turn.\n")
    print(_start_up_table(_start_up(rounds)), flush=True)
    engines = _engines()
    print(_work_header(engines), flush=True)
    for row in _rows(quick):
        print(_work_line(row, _in_turn(engines, row, row.rounds or rounds)), flush=True)


def _rows(quick: bool) -> list[Row]:
    instances, finished = (200, 1_000) if quick else (1_000, 10_000)
    return [
        Row(RATE, instances, f"S1, {instances:,} instances", "/s", more_is_better=True),
        Row(CPU, instances, "S1, CPU time", "ms", scale=1e3),
        Row(LATENCY, 20, "S1, one alone", "ms", scale=1e3),
        Row(CHAIN, 400, "chain of 400 activities", "s", rounds=1 if quick else None),
        Row(FAN_OUT, 1_000, "fan-out of 1,000", "s"),
        Row(MEMORY, finished, f"resident after {finished:,} S1", "MB", scale=1e-6, rounds=1),
    ]


def _engines() -> dict[str, Callable[[str, int], float]]:
    engines: dict[str, Callable[[str, int], float]] = {
        "host, memory": lambda kind, size: host_number("memory", kind, size),
        "host, sqlite": lambda kind, size: host_number("sqlite", kind, size),
    }
    try:
        python = peer_python()
    except PeerMissingError as error:
        print(f"Not measured: {PEER}, which cannot be installed ({error}).\n")
    else:
        engines[PEER] = lambda kind, size: peer_number(python, kind, size)
    return engines


def _in_turn(engines: Mapping[str, Callable[[str, int], float]], row: Row, rounds: int) -> dict[str, float]:
    """The median of each engine; they take turns, so that a busy machine is busy for all of them."""
    numbers: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for name, measure in engines.items():
            numbers[name].append(measure(row.kind, row.size))
    return {name: statistics.median(found) for name, found in numbers.items()}


def _start_up(rounds: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        large = write_large_app(Path(folder) / "large")
        for number in range(rounds + 1):  # the first fills the caches: compiled files, and the system's
            bare = bare_import_seconds()
            app = first_answer_seconds(ROOT, Path(folder) / f"app{number}.sqlite3")
            of_large = first_answer_seconds(large, Path(folder) / f"large{number}.sqlite3")
            if number:
                for name, value in ((BARE, bare), (APP, app), (LARGE_APP, of_large)):
                    seconds[name].append(value)
    return {name: statistics.median(found) for name, found in seconds.items()}


def _start_up_table(medians: Mapping[str, float]) -> str:
    lines = ["| from the command to the first answer | s | of a bare import |", "|---|---|---|"]
    lines += [f"| {name} | {value:.2f} | {value / medians[BARE]:.2f} |" for name, value in medians.items()]
    return "\n".join(lines) + "\n"


def _work_header(engines: Mapping[str, object]) -> str:
    ratios = [f"{name} is better by" for name in engines if name != PEER] if PEER in engines else []
    titles = ["work", "unit", *engines, *ratios]
    return f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|"


def _work_line(row: Row, medians: Mapping[str, float]) -> str:
    cells = [row.title, row.unit, *(f"{value * row.scale:.3g}" for value in medians.values())]
    peer = medians.get(PEER)
    if peer is not None:
        ours = [value for name, value in medians.items() if name != PEER]
        cells += [f"{(value / peer if row.more_is_better else peer / value):.1f}×" for value in ours]  # noqa: RUF001
    return f"| {' | '.join(cells)} |"


def environment_line() -> str:
    """What the numbers depend on."""
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}{load}."


if __name__ == "__main__":
    main()
