"""`durable-status doctor`: says what is wrong with an app, and what to do, without running it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from durable_status.cli.output import echo


@click.command(short_help="Check an app without running it.")
@click.option(
    "--app",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The app's folder, the one with host.json.  [default: here]",
)
def doctor(folder: Path) -> None:
    """Check an app without running it, and say for each finding what to do.

    Looked at: host.json (version, extension bundle, task hub name, storage provider), local.settings.json (encrypted,
    readable, kept out of the deployed package), the storage setting, requirements.txt against what is installed, the
    Python version, and the functions with their bindings and routes. For the functions the app is imported, so code at
    the top level of its modules does run.

    Exits with 0 if nothing keeps the app from running, else with 1. Remarks alone are no reason for 1.

    \b
    Examples:
      durable-status doctor --app path/to/app
    """
    from durable_status.app.doctor import examine  # not for who only starts

    findings = examine(folder, dict(os.environ))
    for finding in findings:
        _say(finding.text, is_error=finding.is_error)
    errors = sum(finding.is_error for finding in findings)
    if not findings:
        echo("Nothing found.")
    elif not errors:
        echo("Nothing keeps the app from running.")
    raise SystemExit(1 if errors else 0)


def _say(text: str, *, is_error: bool) -> None:
    word, color = ("error", "red") if is_error else ("remark", "yellow")
    echo(f": {text}", label=word, color=color)
