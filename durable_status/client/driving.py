"""Performs the steps of flows, one after the other: `run` for a verb with one result, `stream` for one with many.

`perform` does a step and returns what the flow gets for it. A `HostError` or a `PayloadError` of it goes to the flow,
which knows what it means.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any, TypeVar

from durable_status.client.steps import Found
from durable_status.errors import HostError, PayloadError

Step = TypeVar("Step")
S = TypeVar("S")
T = TypeVar("T")


def run(flow: Generator[Step, Any, T], perform: Callable[[Step], Any]) -> T:
    """Perform a flow to its result."""
    try:
        step = next(flow)
        while True:
            try:
                answer = perform(step)
            except (HostError, PayloadError) as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


def stream(flow: Generator[Any | Found[S], Any, None], perform: Callable[[Any], Any]) -> Iterator[S]:
    """Perform a flow as far as its next item is asked for."""
    step = next(flow, None)
    while step is not None:
        if isinstance(step, Found):
            yield step.item
            step = next(flow, None)
            continue
        try:
            answer = perform(step)
        except (HostError, PayloadError) as error:
            step = _next_after(flow, error)
        else:
            step = _next_after(flow, answer)


async def run_async(flow: Generator[Step, Any, T], perform: Callable[[Step], Awaitable[Any]]) -> T:
    """Perform a flow to its result."""
    try:
        step = next(flow)
        while True:
            try:
                answer = await perform(step)
            except (HostError, PayloadError) as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result


async def stream_async(
    flow: Generator[Any | Found[S], Any, None], perform: Callable[[Any], Awaitable[Any]]
) -> AsyncIterator[S]:
    """Perform a flow as far as its next item is asked for."""
    step = next(flow, None)
    while step is not None:
        if isinstance(step, Found):
            yield step.item
            step = next(flow, None)
            continue
        try:
            answer = await perform(step)
        except (HostError, PayloadError) as error:
            step = _next_after(flow, error)
        else:
            step = _next_after(flow, answer)


def _next_after(flow: Generator[Any | Found[S], Any, None], answer: Any) -> Any | Found[S] | None:
    """The step that follows an answer or its failure; None at the end."""
    try:
        return flow.throw(answer) if isinstance(answer, HostError | PayloadError) else flow.send(answer)
    except StopIteration:
        return None
