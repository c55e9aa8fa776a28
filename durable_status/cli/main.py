"""The command and its subcommands."""

from __future__ import annotations

import click

from durable_status.cli import steer
from durable_status.cli.command_groups import CommandGroup
from durable_status.cli.doctor import doctor
from durable_status.cli.hub import hub
from durable_status.cli.list import list_instances
from durable_status.cli.record import record
from durable_status.cli.replay import replay
from durable_status.cli.schema import schema
from durable_status.cli.start import start
from durable_status.cli.status import status
from durable_status.cli.watch import watch

_SECTIONS = {
    "Run an app": (start, doctor, schema),
    "See instances": (status, list_instances, watch, hub),
    "Start and steer instances": (
        steer.start_new,
        steer.raise_event,
        steer.suspend,
        steer.resume,
        steer.terminate,
        steer.rewind,
        steer.restart,
        steer.purge,
    ),
    "Test with what has happened": (record, replay),
}


@click.group(
    cls=CommandGroup,
    sections=_SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\n`durable-status COMMAND --help` shows the options of a command, and examples.",
)
@click.version_option(package_name="durable-status")
def main() -> None:
    """Run and watch Azure Durable Functions apps written in Python, without Core Tools.

    \b
    Examples:
      durable-status start --app path/to/app        in one terminal
      durable-status start-new PackOrder --watch    in another
    """
