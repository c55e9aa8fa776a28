"""`durable-status record`: take the history of an instance from a task hub that somebody runs."""

from __future__ import annotations

import asyncio
import json
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from urllib.request import urlopen

import click

from durable_status.cli.connection import EXIT_CODES, with_exit_codes
from durable_status.cli.hub_connection import open_reader, read_recording
from durable_status.cli.output import echo, echo_json, json_text

_WHOLE = {"showHistory": "true", "showHistoryOutput": "true", "showInput": "true"}
_PATIENCE_SECONDS = 30
_SQLITE = b"SQLite format 3\0"


@click.command(epilog=EXIT_CODES)
@click.argument("url", required=False)
@click.option(
    "--storage",
    metavar="sqlite:PATH|azure",
    help="Read a local host's file instead, which must have stopped, or the app's hub in Azure Storage.",
)
@click.option("--instance", "instance_id", metavar="ID", help="The instance to take out of --storage.")
@click.option("--redact", "redacted", is_flag=True, help="Take inputs, results, reasons and statuses out.")
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="The file to write.  [default: print it]")
@with_exit_codes
def record(url: str | None, storage: str | None, instance_id: str | None, redacted: bool, out: Path | None) -> None:
    """Record one instance for `durable-status replay`.

    URL is the statusQueryGetUri of the instance, its key included; the key is not kept. Run it again later for more
    of an instance that is still running. A local host that has stopped left everything in its file; in Azure Storage,
    the hub of the app in the current folder can be read at any time (`durable-status hub export` reads any other).

    \b
    Examples:
      durable-status record "$STATUS_QUERY_GET_URI" --redact --out histories/order.json
      durable-status record --storage sqlite:.durable-status/TestHubName.sqlite3 --instance order-1
      durable-status record --storage azure --instance order-1
    """
    if (url is None) == (storage is None):
        raise click.UsageError("give either the URL of an instance, or --storage with --instance.")
    if storage is not None and instance_id is None:
        raise click.UsageError("--storage needs --instance ID.")
    if url is not None:
        document = _from_url(url)
    elif storage == "azure":
        with open_reader(Path(), None, None) as reader:
            document = read_recording(reader, instance_id or "")
    else:
        document = asyncio.run(_from_file(storage or "", instance_id or ""))
    write_recording(document, redacted=redacted, out=out)


def write_recording(document: Any, *, redacted: bool, out: Path | None) -> None:
    """Write a history into a file, or print it."""
    if redacted:
        from durable_status.testing.redaction import redact

        document = redact(document)
    if out is None:
        echo_json(document, indent=1)
        return
    try:
        out.write_text(f"{json_text(document, indent=1)}\n", encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror or error}.") from error
    echo(f"recorded {out}")


def _from_url(url: str) -> Any:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or "/instances/" not in parts.path:
        raise click.ClickException("the URL must be the statusQueryGetUri of an instance, .../instances/ID?...")
    wanted = [
        (name, value) for name, value in parse_qsl(parts.query) if name.casefold() not in map(str.casefold, _WHOLE)
    ]
    whole = urlunsplit(parts._replace(query=urlencode([*wanted, *_WHOLE.items()])))
    try:
        with urlopen(whole, timeout=_PATIENCE_SECONDS) as answer:
            document = json.load(answer)
    except (OSError, HTTPException) as error:  # what urllib raises is an OSError
        reason = getattr(error, "reason", None) or error
        raise click.ClickException(f"{parts.scheme}://{parts.netloc}{parts.path} cannot be read: {reason}") from None
    except ValueError as error:
        raise click.ClickException(f"{parts.netloc} did not answer with JSON: {error}") from None
    if not isinstance(document, dict) or not document.get("historyEvents"):
        raise click.ClickException(f"{parts.netloc} answered without a history; the instance may still be Pending.")
    return document


async def _from_file(storage: str, instance_id: str) -> Any:
    from durable_status.local_host.clock import SystemClock
    from durable_status.local_host.storage.choice import parse_storage_choice
    from durable_status.local_host.storage.sqlite import SqliteStorage
    from durable_status.replay.event_json import event_text

    choice = parse_storage_choice(storage)
    if choice.path is None:
        raise click.UsageError("--storage takes sqlite:PATH, the file of a local host, or azure.")
    if not _is_database(choice.path):  # opening a hub would make one
        raise click.ClickException(f"there is no task hub in {choice.path}.")
    provider = SqliteStorage(choice.path, SystemClock())
    await provider.open()
    try:
        history = await provider.read_history(instance_id)
    finally:
        await provider.close()
    if not history:
        raise click.ClickException(f"{storage} has no history of an instance {instance_id!r}.")
    return {"instanceId": instance_id, "history": [json.loads(event_text(event)) for event in history]}


def _is_database(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False
