"""The command and its subcommands."""

from __future__ import annotations

import click

from durable_status.cli import steer
from durable_status.cli.doctor import doctor
from durable_status.cli.hub import hub
from durable_status.cli.list import list_instances
from durable_status.cli.record import record
from durable_status.cli.replay import replay
from durable_status.cli.schema import schema
from durable_status.cli.start import start
from durable_status.cli.status import status
from durable_status.cli.watch import watch


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="durable-status")
def main() -> None:
    """Run and watch Azure Durable Functions apps written in Python, without Core Tools."""


main.add_command(start)
main.add_command(doctor)
main.add_command(status)
main.add_command(list_instances)
main.add_command(watch)
main.add_command(steer.start_new)
main.add_command(steer.raise_event)
main.add_command(steer.terminate)
main.add_command(steer.suspend)
main.add_command(steer.resume)
main.add_command(steer.rewind)
main.add_command(steer.restart)
main.add_command(steer.purge)
main.add_command(schema)
main.add_command(replay)
main.add_command(record)
main.add_command(hub)
