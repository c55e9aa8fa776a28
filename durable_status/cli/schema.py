"""`durable-status schema`: the types of an app's custom statuses, for readers in any language."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from durable_status.app.errors import AppError
from durable_status.app.load import load_app
from durable_status.cli.output import echo, echo_json
from durable_status.cli.typescript import typescript
from durable_status.errors import DurableStatusError


@click.command()
@click.option(
    "--app",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The app's folder, the one with host.json and function_app.py.  [default: here]",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["json-schema", "typescript"]),
    default="json-schema",
    help="In which language.  [default: json-schema]",
)
def schema(folder: Path, kind: str) -> None:
    """Print the types of the app's custom statuses.

    They are found in the modules of the app that have both names: ORCHESTRATION, the orchestration, and Status, the
    type of its custom status.

    \b
    Examples:
      durable-status schema --app path/to/app > statuses.schema.json
      durable-status schema --format typescript > statuses.ts
    """
    try:
        document = status_schema(folder)
    except (DurableStatusError, TypeError) as error:
        raise click.ClickException(str(error)) from error
    if kind == "json-schema":
        echo_json(document, indent=2)
    else:
        for line in typescript(document).splitlines():
            echo(line)


def status_schema(folder: Path) -> dict[str, Any]:
    """A JSON Schema of an object with the custom status of each orchestration.

    Raises:
        AppError: the app cannot be loaded, or tells no status type.
    """
    app = load_app(folder, os.environ)
    found = _status_types(app.root)
    if not found:
        raise AppError(
            f"No module of {app.root} has the names ORCHESTRATION and Status. Give each orchestration a module with "
            "both, as the contracts of this app's orchestrators do."
        )
    # pydantic takes its time to import, and the other commands do without it.
    from durable_status.cli.status_schema import schema_of

    return schema_of(found)


def _status_types(root: Path) -> dict[str, Any]:
    """The status types of the modules below `root`, by orchestration."""
    found = {}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        orchestration = getattr(module, "ORCHESTRATION", None)
        if file and isinstance(orchestration, str) and hasattr(module, "Status") and Path(file).is_relative_to(root):
            found[orchestration] = module.Status
    return found
