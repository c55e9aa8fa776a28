"""`durable-status list`: show all instances, or some."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Any

import click

from durable_status.cli.connection import EXIT_CODES, Connection, reading
from durable_status.cli.output import echo, echo_json, is_for_people
from durable_status.instance_status import RuntimeStatus

LONGEST_TABLE = 100
"""How many instances a table has unless more are asked for."""
AS_JSON = click.option("--json", "as_json", is_flag=True, help="JSON on a terminal, too, as there is anywhere else.")
OF_STATUS = click.option(
    "--status",
    "runtime_status",
    type=click.Choice([status.value for status in RuntimeStatus], case_sensitive=False),
    metavar="STATUS",
    multiple=True,
    help=f"Only those that are {', '.join(RuntimeStatus)}; may be repeated.",
)


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
@OF_STATUS
@click.option("--prefix", default="", help="Only ids that begin so.")
@click.option("--from", "created_from", type=moment, help="Only those created since; UTC unless it has a zone.")
@click.option("--to", "created_to", type=moment, help="Only those created until.")
@click.option(
    "--max",
    "most",
    metavar="N",
    type=click.IntRange(1),
    help=f"No more than so many.  [default: {LONGEST_TABLE}; all in JSON]",
)
@click.option("--input", "show_input", is_flag=True, help="Show the inputs, too, in JSON.")
@AS_JSON
@reading
def list_instances(
    connection: Connection,
    runtime_status: tuple[str, ...],
    prefix: str,
    created_from: datetime | None,
    created_to: datetime | None,
    most: int | None,
    show_input: bool,
    as_json: bool,
) -> None:
    """Show instances; entities are left out.

    On a terminal they are a table, and anywhere else a JSON document in each line.

    \b
    Examples:
      durable-status list --status Running --prefix order-
      durable-status list --status Failed --from 2026-01-02 | jq .output
    """
    as_json = as_json or show_input or not is_for_people()
    shown = most or (None if as_json else LONGEST_TABLE)
    with connection.open() as client:
        found = client.list_statuses(
            Any,
            runtime_status=[RuntimeStatus(status) for status in runtime_status],
            instance_id_prefix=prefix,
            created_from=created_from,
            created_to=created_to,
            show_input=show_input,
        )
        if as_json:
            for status in islice(found, shown):
                echo_json(status.to_document())
            return
        from durable_status.cli.tables import print_statuses

        print_statuses(islice(found, shown))
        if most is None and next(found, None) is not None:
            echo(f"There are more than {LONGEST_TABLE}; --max shows more, --json all.", err=True)
