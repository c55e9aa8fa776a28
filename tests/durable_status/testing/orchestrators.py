"""Orchestrators that keep or break one rule each."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import time
import uuid
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df

Code = Generator[Any, Any, Any]


def wall_clock(context: Any) -> Code:
    deadline = dt.datetime.now(dt.UTC) + timedelta(seconds=10)
    yield context.create_timer(deadline)


def time_module(context: Any) -> Code:
    yield context.call_activity("Echo", time.time())


def random_input(context: Any) -> Code:
    yield context.call_activity("Echo", random.randint(1, 6))


def uuid_input(context: Any) -> Code:
    yield context.call_activity("Echo", str(uuid.uuid4()))


def reads_a_file(context: Any) -> Code:
    text = Path(__file__).read_text()
    yield context.call_activity("Echo", len(text))


def sleeps(context: Any) -> Code:
    time.sleep(0)
    yield context.call_activity("Echo")


def runs_a_program(context: Any) -> Code:
    subprocess.run(["true"], check=True)
    yield context.call_activity("Echo")


def yields_nothing(context: Any) -> Code:
    yield context.call_activity("Echo")
    yield None


def yields_a_list(context: Any) -> Code:
    yield [context.call_activity("Echo")]


def forgets_a_yield(context: Any) -> Code:
    context.call_activity("Echo", "never runs")
    return (yield context.call_activity("Echo"))


def falsy_status(context: Any) -> Code:
    context.set_custom_status(0)
    yield context.call_activity("Echo")


def huge_status(context: Any) -> Code:
    context.set_custom_status("x" * 8_500)
    yield context.call_activity("Echo")


def status_that_is_no_json(context: Any) -> Code:
    context.set_custom_status({"at": context.current_utc_datetime})
    yield context.call_activity("Echo")


def open_timer(context: Any) -> Code:
    timer = context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
    yield context.task_any([timer, context.call_activity("Echo")])


def input_by_replay(context: Any) -> Code:
    yield context.call_activity("Echo", context.is_replaying)
    yield context.call_activity("Echo")


_seen: list[str] = []


def remembers(context: Any) -> Code:
    _seen.append(context.instance_id)
    yield context.call_activity("Echo", len(_seen))


def two_waits(context: Any) -> Code:
    yield context.call_activity("Echo")
    first = yield context.wait_for_external_event("go")
    second = yield context.wait_for_external_event("go")
    return [first, second]


def seeded_random(context: Any) -> Code:
    """Legal: a generator of its own with a fixed seed."""
    return (yield context.call_activity("Echo", random.Random(7).randint(1, 6)))


def logs(context: Any) -> Code:
    """Legal: logging looks at the clock, but decides nothing."""
    import logging

    logging.getLogger(__name__).warning("at %s", context.current_utc_datetime)
    return (yield context.call_activity("Echo", context.new_uuid()))


def careful(context: Any) -> Code:
    """Legal in every respect: retries, a cancelled timer, a child, all and any, a status per step."""
    context.set_custom_status({"step": 1})
    both = yield context.task_all([context.call_activity("A", 1), context.call_activity("B", 2)])
    context.set_custom_status({"step": 2, "both": both})
    yield context.call_activity_with_retry("C", df.RetryOptions(2_000, 2), both)
    timer = context.create_timer(context.current_utc_datetime + timedelta(days=3))
    event = context.wait_for_external_event("go")
    winner = yield context.task_any([event, timer])
    if winner == event:
        timer.cancel()
    child = yield context.call_sub_orchestrator("Child", both)
    context.set_custom_status({"step": 3})
    return child
