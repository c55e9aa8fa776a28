"""`durable-status status`: show one instance."""

from __future__ import annotations

from typing import Any

import click

from durable_status.cli.connection import EXIT_CODES, Connection, connected, echo_json
from durable_status.cli.hints import failure_of


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@click.option("--input", "show_input", is_flag=True, help="Show the input, too.")
@click.option("--history", "show_history", is_flag=True, help="Show the history, too.")
@connected
def status(connection: Connection, instance_id: str, show_input: bool, show_history: bool) -> None:
    """Show an instance as a JSON document; why it has failed is told in short on stderr."""
    with connection.open() as client:
        shown = client.get_status(instance_id, Any, show_input=show_input, show_history=show_history)
    echo_json(shown.to_document(), indent=2)
    failure = failure_of(connection, shown)
    if failure is not None:
        click.echo(f"Failed: {failure}", err=True)
