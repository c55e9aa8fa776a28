"""The commands that change instances: start-new, raise-event, terminate, suspend, resume, rewind, restart, purge."""

from __future__ import annotations

from datetime import datetime

import click

from durable_status.cli.connection import EXIT_CODES, Connection, connected, reading
from durable_status.cli.hints import check_orchestrator
from durable_status.cli.json_argument import HOW_TO_GIVE_JSON, read_json_argument
from durable_status.cli.list import moment
from durable_status.cli.output import echo
from durable_status.cli.watch import watch_instances
from durable_status.instance_status import ENDED, RuntimeStatus

_ENDED = click.Choice(sorted(status.value for status in ENDED), case_sensitive=False)
_reason = click.option("--reason", help="Why; a sentence that does not begin like JSON and is no URL.")


@click.command("start-new", epilog=EXIT_CODES)
@click.argument("orchestration")
@click.option("--input", "input_text", metavar="JSON", help=f"The input: {HOW_TO_GIVE_JSON}.")
@click.option("--id", "instance_id", metavar="ID", help="The id of the instance; without it the platform makes one.")
@click.option("--watch", "watches", is_flag=True, help="Follow it until it has ended, as `watch` does.")
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="With --watch: stop after so long.")
@reading
def start_new(
    connection: Connection,
    orchestration: str,
    input_text: str | None,
    instance_id: str | None,
    watches: bool,
    timeout: float | None,
) -> None:
    """Start an instance and print its id.

    A name that the app does not have is refused, if the host says which ones it has.

    \b
    Examples:
      durable-status start-new PackOrder --input '{"articles": ["lamp"]}' --id order-7
      durable-status start-new PackOrder --input @order.json --watch
      jq .order shop.json | durable-status start-new PackOrder --input -
    """
    if timeout is not None and not watches:
        raise click.UsageError("--timeout goes with --watch: without it nothing is waited for.")
    value = read_json_argument(input_text, "The input")
    check_orchestrator(connection, orchestration)
    with connection.open() as client:
        started = client.start_new(orchestration, value, instance_id=instance_id)
    if watches:
        watch_instances(connection, [started], timeout)
    else:
        echo(started)


@click.command("raise-event", epilog=EXIT_CODES)
@click.argument("instance_id")
@click.argument("event_name")
@click.argument("payload", required=False)
@connected
def raise_event(connection: Connection, instance_id: str, event_name: str, payload: str | None) -> None:
    """Raise an event, for which an instance waits or will wait.

    The payload is JSON, @FILE for what is in a file, or - for what is piped in. Without one it is null.

    \b
    Examples:
      durable-status raise-event order-7 Approved true
      durable-status raise-event order-7 Answer '"yes"'
      durable-status raise-event order-7 Invoice @invoice.json
    """
    value = read_json_argument(payload, "The payload")
    with connection.open() as client:
        client.raise_event(instance_id, event_name, value)


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@_reason
@connected
def terminate(connection: Connection, instance_id: str, reason: str | None) -> None:
    """End an instance, without any compensation.

    It takes effect a little later, and its sub-orchestrations and activities go on.

    \b
    Examples:
      durable-status terminate order-7 --reason "no longer wanted"
    """
    with connection.open() as client:
        client.terminate(instance_id, reason)


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@_reason
@connected
def suspend(connection: Connection, instance_id: str, reason: str | None) -> None:
    """Let an instance rest until it is resumed.

    \b
    Examples:
      durable-status suspend order-7 --reason "stocktaking until noon"
    """
    with connection.open() as client:
        client.suspend(instance_id, reason)


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@_reason
@connected
def resume(connection: Connection, instance_id: str, reason: str | None) -> None:
    """Let a suspended instance go on.

    \b
    Examples:
      durable-status resume order-7
    """
    with connection.open() as client:
        client.resume(instance_id, reason)


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@_reason
@connected
def rewind(connection: Connection, instance_id: str, reason: str | None) -> None:
    """Run the failed activities of a failed instance again.

    What has succeeded is kept. Mend what made them fail first.

    \b
    Examples:
      durable-status rewind order-7 --reason "the printer has paper again"
    """
    with connection.open() as client:
        client.rewind(instance_id, reason)


@click.command(epilog=EXIT_CODES)
@click.argument("instance_id")
@click.option("--same-id", is_flag=True, help="Under the same id, which must have ended.")
@connected
def restart(connection: Connection, instance_id: str, same_id: bool) -> None:
    """Start an instance again from its input, and print the id.

    \b
    Examples:
      durable-status restart order-7              under a new id
      durable-status restart order-7 --same-id    over the one that has ended
    """
    with connection.open() as client:
        echo(client.restart(instance_id, new_id=not same_id))


@click.command(epilog=EXIT_CODES)
@click.argument("instance_ids", nargs=-1)
@click.option(
    "--ended",
    type=_ENDED,
    metavar="STATUS",
    multiple=True,
    help=f"Instead of ids: all that ended so ({', '.join(_ENDED.choices)}); may be repeated.",
)
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
    """Delete instances that have ended, and print how many.

    \b
    Examples:
      durable-status purge order-7 order-8
      durable-status purge --ended Completed --ended Terminated --to 2026-01-01
    """
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
    echo(purged)
