"""`durable-status hub`: read a task hub in Azure Storage, whoever wrote it, without its app."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from durable_status.cli.conditions import CustomStatusCondition
from durable_status.cli.connection import EXIT_CODES
from durable_status.cli.hub_connection import Hub, hub_connected, read_recording
from durable_status.cli.list import LONGEST_TABLE as _LONGEST_TABLE
from durable_status.cli.list import OF_STATUS, moment
from durable_status.cli.output import echo, echo_json
from durable_status.cli.record import write_recording
from durable_status.instance_status import RuntimeStatus

_json = click.option("--json", "as_json", is_flag=True, help="JSON instead, whole, for other programs.")


@click.group(short_help="Read a task hub in Azure Storage, without its app.")
def hub() -> None:
    """Read a task hub in Azure Storage, of the durable extension or of a local host; the app need not run.

    Without options it is the hub of the app in the current folder. Nothing is ever written.

    \b
    Examples:
      durable-status hub list
      durable-status hub list --hub OrdersHub --connection ORDERS_STORAGE
    """


def _command(name: str, short_help: str | None = None) -> Callable[..., Any]:
    return lambda function: hub.command(name, epilog=EXIT_CODES, short_help=short_help)(hub_connected(function))


@_command("list")
@OF_STATUS
@click.option("--prefix", default="", help="Only ids that begin so.")
@click.option("--from", "created_from", type=moment, help="Only those created since; UTC unless it has a zone.")
@click.option("--to", "created_to", type=moment, help="Only those created until.")
@click.option(
    "--where",
    "conditions",
    metavar="PATH=VALUE",
    type=CustomStatusCondition.parse,
    multiple=True,
    help="Only those whose custom status has this value there, such as stage=packing or progress.done=3; may be "
    "repeated. Asked here, about all that the other options let through.",
)
@click.option(
    "--max",
    "most",
    metavar="N",
    type=click.IntRange(1),
    help=f"No more than so many.  [default: {_LONGEST_TABLE}; all with --json]",
)
@click.option("--input", "show_input", is_flag=True, help="Show the inputs, too, in JSON.")
@click.option("--output", "show_output", is_flag=True, help="Show the outputs, too, in JSON.")
@_json
def list_instances(
    opened: Hub,
    runtime_status: tuple[str, ...],
    prefix: str,
    created_from: datetime | None,
    created_to: datetime | None,
    conditions: tuple[CustomStatusCondition, ...],
    most: int | None,
    show_input: bool,
    show_output: bool,
    as_json: bool,
) -> None:
    """Show instances, in the order of their ids; entities are left out.

    \b
    Examples:
      durable-status hub list --status Running --where stage=packing
      durable-status hub list --json --max 1000 | jq .instanceId
    """
    as_json = as_json or show_input or show_output
    shown = most or (None if as_json else _LONGEST_TABLE)
    found = opened.reader.list_statuses(
        Any,
        where=lambda status: all(
            condition.holds(opened.resolved(status).custom_status_json) for condition in conditions
        ),
        runtime_status=[RuntimeStatus(status) for status in runtime_status],
        instance_id_prefix=prefix,
        created_from=created_from,
        created_to=created_to,
        show_input=show_input,
        show_output=show_output,
        **({} if shown is None or conditions else {"page_size": shown + 1}),
    )
    resolved = map(opened.resolved, islice(found, shown))
    if as_json:
        for status in resolved:
            echo_json(status.to_document())
        return
    from durable_status.cli.tables import print_statuses

    print_statuses(resolved)
    if most is None and next(found, None) is not None:
        echo(f"There are more than {_LONGEST_TABLE}; --max shows more, --json all.", err=True)


@_command("show")
@click.argument("instance_id")
@click.option("--input", "show_input", is_flag=True, help="Show the input, too.")
@_json
def show(opened: Hub, instance_id: str, show_input: bool, as_json: bool) -> None:
    """Show an instance.

    \b
    Examples:
      durable-status hub show order-7 --input
    """
    status = opened.resolved(opened.reader.get_status(instance_id, Any, show_input=show_input))
    if status.payload_error is not None:
        echo(status.payload_error, err=True)
    if as_json:
        echo_json(status.to_document(), indent=2)
        return
    from durable_status.cli.tables import print_status

    print_status(status, status.failure, show_input=show_input)


@_command("history")
@click.argument("instance_id")
@_json
def history(opened: Hub, instance_id: str, as_json: bool) -> None:
    """Show the events of an instance's current generation, one a line.

    \b
    Examples:
      durable-status hub history order-7
    """
    from durable_status.cli.tables import named_events, print_events

    events = named_events(opened.reader.get_history(instance_id)["history"])
    if as_json:
        for event in events:
            echo_json(event)
    else:
        print_events(events)


@_command("export", "Record the history of an instance for replay.")
@click.argument("instance_id")
@click.option("--redact", "redacted", is_flag=True, help="Take inputs, results, reasons and statuses out.")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="The file to write.  [default: print it]")
def export(opened: Hub, instance_id: str, redacted: bool, out: Path | None) -> None:
    """Record the history of an instance for `durable-status replay` and `check_replay`, large payloads included.

    \b
    Examples:
      durable-status hub export order-1 --redact --out histories/order.json
      durable-status replay histories/*.json
    """
    write_recording(read_recording(opened.reader, instance_id), redacted=redacted, out=out)
