"""`durable-status replay`: put recorded histories to the code of today."""

from __future__ import annotations

from pathlib import Path

import click

from durable_status.cli.output import echo_lines
from durable_status.errors import DurableStatusError

_APP_HELP = "The app's folder, the one with host.json and function_app.py.  [default: here]"


@click.command(short_help="Check that recorded instances survive the code of today.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--app", "folder", metavar="DIR", type=click.Path(path_type=Path), default=Path(), help=_APP_HELP)
@click.option("--extension", type=click.Choice(["2.13", "3"]), default="3", help="Which line of the extension to be.")
@click.option("--strict", is_flag=True, help="Refuse what the platform does not mind, too: times, inputs, outcomes.")
def replay(files: tuple[Path, ...], folder: Path, extension: str, strict: bool) -> None:
    """Check that instances recorded in FILES would survive this code.

    A file holds a trigger's body, rows of a History table, or a status document with its history, as
    `durable-status record` writes them.

    \b
    Examples:
      durable-status replay histories/*.json
      durable-status replay order-7.json --app path/to/app --strict

    Exit codes: 1 an instance would fail or a file holds no history, 2 the command was misused.
    """
    # Imported now: the app brings the SDK, which takes most of the time.
    from durable_status.testing.bench import DurableBench
    from durable_status.testing.check_replay import ReplayBroken

    failures = 0
    try:
        bench = DurableBench.of_folder(folder, extension=extension)
        for file in files:
            try:
                checked = bench.check_replay(file, strict=strict)
            except ReplayBroken as broken:
                checked = list(broken.checked)
                failures += len(checked)
            for item in checked:
                echo_lines(item)
    except DurableStatusError as error:
        raise click.ClickException(str(error)) from error
    if failures:
        raise click.exceptions.Exit(1)
