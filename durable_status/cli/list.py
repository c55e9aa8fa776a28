"""`durable-status list`: show all instances, or some."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any

import click

from durable_status.cli.connection import EXIT_CODES, Connection, connected, echo_json
from durable_status.instance_status import RuntimeStatus

RUNTIME_STATUS = click.Choice([status.value for status in RuntimeStatus], case_sensitive=False)


def moment(text: str) -> datetime:
    """A date or time in ISO 8601; without a zone it is in UTC, which the help says.

    Raises:
        click.BadParameter: it is none.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time such as 2026-01-02 or 2026-01-02T03:04:05Z.") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


@click.command("list", epilog=EXIT_CODES)
@click.option("--status", "runtime_status", type=RUNTIME_STATUS, multiple=True, help="Only these; may be repeated.")
@click.option("--prefix", default="", help="Only ids that begin so.")
@click.option("--from", "created_from", type=moment, help="Only those created since; UTC unless it has a zone.")
@click.option("--to", "created_to", type=moment, help="Only those created until.")
@click.option("--max", "most", type=click.IntRange(1), help="No more than so many.")
@click.option("--input", "show_input", is_flag=True, help="Show the inputs, too.")
@connected
def list_instances(
    connection: Connection,
    runtime_status: tuple[str, ...],
    prefix: str,
    created_from: datetime | None,
    created_to: datetime | None,
    most: int | None,
    show_input: bool,
) -> None:
    """Show instances, a JSON document in each line; entities are left out."""
    with connection.open() as client:
        found = client.list_statuses(
            Any,
            runtime_status=[RuntimeStatus(status) for status in runtime_status],
            instance_id_prefix=prefix,
            created_from=created_from,
            created_to=created_to,
            show_input=show_input,
        )
        for shown in islice(found, most):
            echo_json(shown.to_document())
