"""`durable-status watch`: follow instances, with live bars on a terminal and JSON lines everywhere else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import click

from durable_status.cli.connection import EXIT_CODES, Connection, reading
from durable_status.cli.hints import failure_of
from durable_status.cli.output import echo, echo_json, is_for_people
from durable_status.errors import InstanceFailedError, WaitTimeoutError
from durable_status.instance_status import InstanceStatus

Show = Callable[[InstanceStatus[Any]], None]


@click.command(epilog=EXIT_CODES)
@click.argument("instance_ids", nargs=-1, required=True)
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop after so long.")
@reading
def watch(connection: Connection, instance_ids: tuple[str, ...], timeout: float | None) -> None:
    """Follow instances until all have ended.

    On a terminal each has a bar, moved by the "done" and "total" of its custom status, in the order given. Elsewhere
    each change is a line, a JSON document. The exit code is 0 when all have completed; why one has failed is told on
    stderr.

    \b
    Examples:
      durable-status watch order-7 order-8
      durable-status watch order-7 | jq --unbuffered .customStatus
    """
    watch_instances(connection, list(dict.fromkeys(instance_ids)), timeout)


def watch_instances(connection: Connection, instance_ids: Sequence[str], timeout: float | None) -> None:
    """Follow instances until all have ended, for `timeout` seconds at most.

    Raises:
        InstanceFailedError: one of them has failed, the first in their order.
        WaitTimeoutError: the time is up.
    """
    with _screen(instance_ids) as show:
        last = asyncio.run(_watch_all(connection, instance_ids, show, timeout))
    failed = [status for status in last if status.runtime_status.has_failed]
    errors = [InstanceFailedError(status, failure_of(connection, status)) for status in failed]
    for error in errors[1:]:
        echo(f"Error: {error}", err=True)
    if errors:
        raise errors[0]


def _screen(instance_ids: Sequence[str]) -> AbstractContextManager[Show]:
    if not is_for_people():
        return nullcontext(lambda status: echo_json(status.to_document()))
    from rich.console import Console

    from durable_status.cli.bars import Bars, row_of

    console = Console()
    if not console.is_interactive:  # a terminal that cannot go back, such as one in an editor: each change is a line
        return nullcontext(lambda status: echo(row_of(status).in_words()))
    return Bars(console, instance_ids)


async def _watch_all(
    connection: Connection, instance_ids: Sequence[str], show: Show, timeout: float | None
) -> list[InstanceStatus[Any]]:
    """Watch all at once, and return the last status of each."""
    latest: dict[str, InstanceStatus[Any]] = {}

    async def follow(instance_id: str) -> InstanceStatus[Any]:
        async for status in client.watch(instance_id, Any):
            latest[instance_id] = status
            show(status)
        return latest[instance_id]

    async with connection.open_async() as client:
        try:
            async with asyncio.timeout(timeout), asyncio.TaskGroup() as group:
                watching = [group.create_task(follow(instance_id)) for instance_id in instance_ids]
        except TimeoutError:
            late = next(name for name in instance_ids if name not in latest or not _has_ended(latest[name]))
            raise WaitTimeoutError(late, timeout or 0, latest.get(late)) from None
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
    return [task.result() for task in watching]


def _has_ended(status: InstanceStatus[Any]) -> bool:
    return status.runtime_status.has_ended
