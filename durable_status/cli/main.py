"""The command and its subcommands."""

from __future__ import annotations

import click

from durable_status.cli.record import record
from durable_status.cli.replay import replay
from durable_status.cli.start import start


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="durable-status")
def main() -> None:
    """Run and watch Azure Durable Functions apps written in Python, without Core Tools."""


main.add_command(start)
main.add_command(replay)
main.add_command(record)
