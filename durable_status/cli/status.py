"""`durable-status status`: show one instance."""

from __future__ import annotations

from typing import Any, cast

import click

from durable_status.cli.connection import EXIT_CODES, Connection, reading
from durable_status.cli.hints import failure_of
from durable_status.cli.list import AS_JSON
from durable_status.cli.output import echo, echo_json, is_for_people


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@click.option("--input", "show_input", is_flag=True, help="Show the input, too.")
@click.option("--history", "show_history", is_flag=True, help="Show the history, too.")
@AS_JSON
@reading
def status(connection: Connection, instance_id: str, show_input: bool, show_history: bool, as_json: bool) -> None:
    """Show an instance.

    On a terminal it is a table, and anywhere else a JSON document; why the instance has failed is in the table, or on
    stderr.

    \b
    Examples:
      durable-status status order-7 --history
      durable-status status order-7 | jq .customStatus
    """
    with connection.open() as client:
        shown = client.get_status(instance_id, Any, show_input=show_input, show_history=show_history)
    failure = failure_of(connection, shown)
    if shown.payload_error is not None:
        echo(shown.payload_error, err=True)
    if as_json or not is_for_people():
        echo_json(shown.to_document(), indent=2)
        if failure is not None:
            echo(f"Failed: {failure}", err=True)
        return
    from durable_status.cli.tables import print_events, print_status

    print_status(shown, failure, show_input=show_input)
    if shown.history is not None:
        echo("")
        print_events(cast("list[dict[str, Any]]", shown.history))
