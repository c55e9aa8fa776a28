"""What a fan-out costs in the harness, by its width: the time for each call is to stay the same.

Run ``python -m benchmarks.harness_fan_out`` in the repository's folder. CPU time is told beside the wall clock, because
a busy machine stretches the latter. With "asks" the orchestrator is called in every episode, as on the platform.
"""

from __future__ import annotations

import logging
import time
import warnings
from pathlib import Path

from durable_status.replay.profile import PROFILE_3
from durable_status.testing.bench import DurableBench
from durable_status.testing.outcomes import Outcomes
from durable_status.testing.payloads import start_text
from durable_status.testing.run import OrchestrationRun
from durable_status.testing.task_hub import TaskHub

ROOT = Path(__file__).resolve().parent.parent
_WIDTHS = (150, 300, 600, 1_200)
_WIDTHS_WHEN_ASKED = (75, 150, 300)


def main() -> None:
    """Print one line per measurement."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    bench = DurableBench.of_folder(ROOT / "tests" / "apps" / "fan_outs")
    for name in ("All", "Children"):
        for width in _WIDTHS:
            _measure(bench, name, width, asks=False)
    for width in _WIDTHS_WHEN_ASKED:
        _measure(bench, "All", width, asks=True)


def _measure(bench: DurableBench, name: str, width: int, *, asks: bool) -> None:
    functions = bench._functions
    hub = TaskHub(functions, PROFILE_3, asks_always=asks)
    run = OrchestrationRun(hub, "i", Outcomes.create(functions, PROFILE_3, None, None, None))
    wall, cpu = time.perf_counter(), time.process_time()
    run.begin(hub.create(name, start_text(width), "i"))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert run.completed, run
    what = f"{name} of {width:,}{', asks' if asks else ''}"
    print(f"{what:<24}{wall:>8.2f} s  ({cpu:.2f} s CPU){cpu / width * 1_000:>10.2f} ms of CPU for each")


if __name__ == "__main__":
    main()
