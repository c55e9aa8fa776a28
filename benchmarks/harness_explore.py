"""What exploring costs: all orders of a fan-out, without and with batches, and the tests of the scenarios.

Run ``python -m benchmarks.harness_explore`` in the repository's folder. CPU time is told beside the wall clock, because
a busy machine stretches the latter.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from durable_status.testing.bench import DurableBench

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print one line per measurement."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    orders = DurableBench.of_folder(ROOT / "tests" / "apps" / "orders")
    _measure("5 activities, one message per episode", lambda: str(orders.explore("FanOut", 5)))
    _measure("5 activities, any batches", lambda: str(orders.explore("FanOut", 5, batch=5)))
    app = DurableBench.of_folder(ROOT)
    _measure("ReserveTicket confirmed", lambda: _confirmed(app))
    _measure("ReserveTicket timed out", lambda: str(app.start("ReserveTicket", "u").run_until_complete().output))
    _measure(
        "CityRecommender", lambda: str(app.start("CityRecommender", 1).raise_event("CitySelected", "Tokyo").output)
    )
    _measure("a timer of an hour, one second passes", lambda: _waited(orders, 1))
    _measure("a timer of an hour, 30 days pass", lambda: _waited(orders, 30 * 24 * 3_600))


def _confirmed(app: DurableBench) -> str:
    return str(app.start("ReserveTicket", "u").advance(seconds=59).raise_event("BookingConfirmed", True).output)


def _waited(orders: DurableBench, seconds: float) -> str:
    return orders.start("Counting", 0).advance(seconds=seconds).runtime_status


def _measure(what: str, work: Callable[[], str]) -> None:
    work()  # the first run imports
    wall, cpu = time.perf_counter(), time.process_time()
    said = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what:<40}{said:<24}{wall * 1_000:>10,.0f} ms  ({cpu * 1_000:,.0f} ms CPU)")


if __name__ == "__main__":
    main()
