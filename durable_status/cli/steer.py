"""The commands that change instances: start-new, raise-event, terminate, suspend, resume, rewind, restart, purge."""

from __future__ import annotations

from datetime import datetime

import click

from durable_status.cli.connection import EXIT_CODES, Connection, connected, parse_json_argument
from durable_status.cli.hints import check_orchestrator
from durable_status.cli.list import moment
from durable_status.instance_status import ENDED, RuntimeStatus

_ENDED = click.Choice(sorted(status.value for status in ENDED), case_sensitive=False)
_reason = click.option("--reason", help="Why; a sentence that does not begin like JSON and is no URL.")


@click.command("start-new", epilog=EXIT_CODES)
@click.argument("orchestration")
@click.option("--input", "input_text", help="The input, as JSON.")
@click.option("--id", "instance_id", help="The id of the instance; without it the platform makes one.")
@connected
def start_new(connection: Connection, orchestration: str, input_text: str | None, instance_id: str | None) -> None:
    """Start an instance and print its id.

    A name that the app does not have is refused, if the host says which ones it has.
    """
    value = parse_json_argument(input_text, "The input")
    check_orchestrator(connection, orchestration)
    with connection.open() as client:
        click.echo(client.start_new(orchestration, value, instance_id=instance_id))


@click.command("raise-event", epilog=EXIT_CODES)
@click.argument("instance_id")
@click.argument("event_name")
@click.argument("payload", required=False)
@connected
def raise_event(connection: Connection, instance_id: str, event_name: str, payload: str | None) -> None:
    """Raise an event; the payload is JSON."""
    value = parse_json_argument(payload, "The payload")
    with connection.open() as client:
        client.raise_event(instance_id, event_name, value)


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@_reason
@connected
def terminate(connection: Connection, instance_id: str, reason: str | None) -> None:
    """End an instance, without any compensation."""
    with connection.open() as client:
        client.terminate(instance_id, reason)


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@_reason
@connected
def suspend(connection: Connection, instance_id: str, reason: str | None) -> None:
    """Let an instance rest until it is resumed."""
    with connection.open() as client:
        client.suspend(instance_id, reason)


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@_reason
@connected
def resume(connection: Connection, instance_id: str, reason: str | None) -> None:
    """Let a suspended instance go on."""
    with connection.open() as client:
        client.resume(instance_id, reason)


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@_reason
@connected
def rewind(connection: Connection, instance_id: str, reason: str | None) -> None:
    """Run the failed activities of a failed instance again."""
    with connection.open() as client:
        client.rewind(instance_id, reason)


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@click.option("--same-id", is_flag=True, help="Under the same id, which must have ended.")
@connected
def restart(connection: Connection, instance_id: str, same_id: bool) -> None:
    """Start an instance again from its input, and print the id."""
    with connection.open() as client:
        click.echo(client.restart(instance_id, new_id=not same_id))


@click.command(epilog=EXIT_CODES)
@click.argument("instance_ids", nargs=-1)
@click.option("--ended", type=_ENDED, multiple=True, help="Instead of ids: all that ended so; may be repeated.")
@click.option("--from", "created_from", type=moment, help="With --ended: created since; UTC unless it has a zone.")
@click.option("--to", "created_to", type=moment, help="With --ended: created until.")
@connected
def purge(
    connection: Connection,
    instance_ids: tuple[str, ...],
    ended: tuple[str, ...],
    created_from: datetime | None,
    created_to: datetime | None,
) -> None:
    """Delete instances that have ended, and print how many."""
    if bool(instance_ids) == bool(ended) or (instance_ids and (created_from or created_to)):
        raise click.UsageError("Give either the ids of instances, or --ended with or without times.")
    with connection.open() as client:
        for instance_id in instance_ids:
            client.purge(instance_id)
        if ended:
            statuses = [RuntimeStatus(status) for status in ended]
            purged = client.purge_by_filter(statuses, created_from=created_from, created_to=created_to)
        else:
            purged = len(instance_ids)
    click.echo(purged)
