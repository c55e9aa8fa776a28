"""The app that the local host runs for a measurement: S1, a chain and a fan-out. `peer_worker` holds the same."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from activities import hello_sequence as hello_activities
from orchestrators import hello_sequence

app = df.DFApp()
app.register_functions(hello_sequence.blueprint)
app.register_functions(hello_activities.blueprint)


@app.activity_trigger(input_name="number")
def add_one(number: int) -> int:
    """The next number."""
    return number + 1


@app.orchestration_trigger(context_name="context")
def chain(context: df.DurableOrchestrationContext) -> Generator[Any, Any, int]:
    """Add one, as often as the input says, one call after the other."""
    number = 0
    for _ in range(context.get_input()):
        number = yield context.call_activity("add_one", number)
    return number


@app.orchestration_trigger(context_name="context")
def fan_out(context: df.DurableOrchestrationContext) -> Generator[Any, Any, int]:
    """Add one to as many numbers as the input says, all at once; the output is the sum."""
    numbers = yield context.task_all(
        [context.call_activity("add_one", number) for number in range(context.get_input())]
    )
    return sum(numbers)
