"""`durable-status watch`: follow instances, with live bars on a terminal and JSON lines everywhere else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import click

from durable_status.cli.connection import EXIT_CODES, Connection, connected, echo_json
from durable_status.cli.hints import failure_of
from durable_status.errors import InstanceFailedError, WaitTimeoutError
from durable_status.instance_status import InstanceStatus

Show = Callable[[InstanceStatus[Any]], None]


@click.command(epilog=EXIT_CODES)
@click.argument("instance_ids", nargs=-1, required=True)
@click.option("--timeout", type=click.FloatRange(0), help="Stop after so many seconds.")
@connected
def watch(connection: Connection, instance_ids: tuple[str, ...], timeout: float | None) -> None:
    """Follow instances until all have ended.

    On a terminal each has a bar, moved by the "done" and "total" of its custom status. Elsewhere each change is a line,
    a JSON document. The exit code is 0 when all have completed; why one has failed is told on stderr.
    """
    with _screen() as show:
        last = asyncio.run(_watch_all(connection, instance_ids, show, timeout))
    failed = [status for status in last if status.runtime_status.has_failed]
    errors = [InstanceFailedError(status, failure_of(connection, status)) for status in failed]
    for error in errors[1:]:
        click.echo(f"Error: {error}", err=True)
    if errors:
        raise errors[0]


def _screen() -> Any:
    if not sys.stdout.isatty():
        return nullcontext(lambda status: echo_json(status.to_document()))
    from durable_status.cli.bars import Bars

    return Bars()


async def _watch_all(
    connection: Connection, instance_ids: tuple[str, ...], show: Show, timeout: float | None
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
                watching = [group.create_task(follow(instance_id)) for instance_id in dict.fromkeys(instance_ids)]
        except TimeoutError:
            late = next(name for name in instance_ids if name not in latest or not _has_ended(latest[name]))
            raise WaitTimeoutError(late, timeout or 0, latest.get(late)) from None
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from errors
    return [task.result() for task in watching]


def _has_ended(status: InstanceStatus[Any]) -> bool:
    return status.runtime_status.has_ended
