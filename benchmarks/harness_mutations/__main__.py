"""Seeds one bug at a time into five orchestrations and counts which way of testing finds it.

Run ``python -m benchmarks.harness_mutations`` in the repository's folder. ``--record`` writes the histories that stand
for instances that are running when the bug is deployed.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.harness_mutations import with_harness, with_histories, with_mocks
from benchmarks.harness_mutations.mutants import HELPERS, MUTANTS, SHAPES
from durable_status.replay.event_json import event_text
from durable_status.testing.bench import DurableBench
from durable_status.testing.outcomes import in_turn
from durable_status.testing.view import InstanceView

WAYS = ("harness", "mocked context", "hand-made histories")


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 if a way of testing fails on the code without a bug."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    source = (SHAPES / "function_app.py").read_text() + HELPERS
    with tempfile.TemporaryDirectory() as folder:
        if "--record" in arguments:
            record(_load(source, Path(folder) / "original")[0])
            return 0
        failing = [way for way, found in zip(WAYS, kills(source, Path(folder) / "original"), strict=True) if found]
        if failing:
            print(f"these fail on the code without a bug: {', '.join(failing)}")
            return 1
        table(source, Path(folder))
    return 0


def table(source: str, folder: Path) -> None:
    """Print a line per bug and the sums."""
    print(f"{'orchestration':<14}{'seeded bug':<68}{'  '.join(WAYS)}")
    sums = [0, 0, 0]
    for number, mutant in enumerate(MUTANTS):
        found = kills(mutant.apply(source), folder / str(number))
        sums = [total + bool(killed) for total, killed in zip(sums, found, strict=True)]
        marks = [("found" if killed else "-").ljust(len(way)) for way, killed in zip(WAYS, found, strict=True)]
        print(f"{mutant.shape:<14}{mutant.name:<68}{'  '.join(marks)}".rstrip(), flush=True)
    counts = [f"{total} of {len(MUTANTS)}".ljust(len(way)) for way, total in zip(WAYS, sums, strict=True)]
    print(f"{'':<14}{'found':<68}{'  '.join(counts)}".rstrip())


def kills(source: str, folder: Path) -> tuple[bool, bool, bool]:
    """Whether each way of testing fails on this text of the app."""
    bench, module = _load(source, folder)
    return (
        any(_fails(test, bench) for test in with_harness.TESTS),
        any(_fails(test, module) for test in with_mocks.TESTS),
        any(_fails(test, module) for test in with_histories.TESTS),
    )


def record(durable: DurableBench) -> None:
    """Write histories of the code as it is: finished instances stand for all moments of running ones."""
    with_harness.RECORDED.mkdir(exist_ok=True)
    retried = {"Charge": in_turn(OSError("1"), "r")}
    runs: dict[str, InstanceView] = {
        "reserve": durable.start("Reserve", "ann").raise_event("Confirmed", True),
        "convert": durable.start("Convert", ["a", "b"]),
        "pay": durable.start("Pay", "o1", activities=retried).run_until_complete(),
        "watch": durable.start("Watch", {"sensor": "s", "round": 0}),
        "approve": durable.start("Approve", "d").raise_event("First", "ann").raise_event("Second", "bob"),
    }
    for name, run in runs.items():
        body: Any = {
            "instanceId": run.instance_id,
            "history": [_without_stack(json.loads(event_text(event))) for event in run.history],
        }
        (with_harness.RECORDED / f"{name}.json").write_text(json.dumps(body, indent=1) + "\n")


def _without_stack(members: dict[str, Any]) -> dict[str, Any]:
    """An event without the stack of the machine that recorded it."""
    return members | {"Details": "no details"} if "Details" in members else members


def _load(source: str, folder: Path) -> tuple[DurableBench, ModuleType]:
    folder.mkdir()
    (folder / "host.json").write_text((SHAPES / "host.json").read_text())
    (folder / "function_app.py").write_text(source)
    bench = DurableBench.of_folder(folder)
    return bench, sys.modules["function_app"]


def _fails(test: Callable[[Any], None], subject: Any) -> bool:
    try:
        test(subject)
    except Exception:
        return True
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
