"""How the commands that talk to a host reach it, and what their exit codes mean."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from durable_status.cli.command_groups import INTERRUPTED
from durable_status.cli.payload_folder import payload_store_of_host
from durable_status.errors import (
    DurableStatusError,
    InstanceEndedError,
    InstanceNotFoundError,
    InstanceStateError,
    RefusedError,
    WaitTimeoutError,
)

if TYPE_CHECKING:  # httpx takes its time to import, and not every command needs it
    from durable_status.client.status_client import AsyncStatusClient, StatusClient

DEFAULT_URL = "http://localhost:7071"
EXIT_CODES = (
    "Exit codes: 1 no (good) answer, 2 refused, 3 no such instance, 4 wrong state, 5 not completed, 6 time is up, "
    "130 interrupted."
)

_SECONDS_FOR_HINTS = 5.0
_EXTRAS = {"httpx": "cli", "rich": "cli", "azure": "azure"}
_CODES: tuple[tuple[type[DurableStatusError], int], ...] = (
    (RefusedError, 2),
    (InstanceNotFoundError, 3),
    (InstanceStateError, 4),
    (InstanceEndedError, 5),
    (WaitTimeoutError, 6),
)


class Connection:
    """Where the host is, the key to it, and the folder of its app, if statuses are to be read from its files."""

    def __init__(self, url: str, key: str | None, folder: Path | None) -> None:
        self._url = url
        self._key = key
        self._payload_store = None if folder is None else payload_store_of_host(folder, url)

    def open(self) -> StatusClient:
        """A client."""
        from durable_status.client.status_client import StatusClient

        return StatusClient(self._url, key=self._key, payload_store=self._payload_store)

    def open_async(self) -> AsyncStatusClient:
        """A client for asyncio."""
        from durable_status.client.status_client import AsyncStatusClient

        return AsyncStatusClient(self._url, key=self._key, payload_store=self._payload_store)

    def ask(self, path: str, **query: str) -> Any:
        """The JSON at a path of the host that is not of the management API; None if there is none to be had."""
        import httpx

        headers = {"x-functions-key": self._key} if self._key else {}
        try:
            answer = httpx.get(self._url.rstrip("/") + path, params=query, headers=headers, timeout=_SECONDS_FOR_HINTS)
            return answer.json() if answer.status_code == HTTPStatus.OK else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return None


def connected(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a connection; it gets a `Connection` first, and its errors become exit codes."""

    @click.option(
        "--url",
        metavar="URL",
        envvar="DURABLE_STATUS_URL",
        default=DEFAULT_URL,
        help=f"Address of the app; DURABLE_STATUS_URL says it for all commands.  [default: {DEFAULT_URL}]",
    )
    @click.option(
        "--key",
        metavar="KEY",
        envvar="DURABLE_STATUS_KEY",
        help="The system key durabletask_extension. Better given as DURABLE_STATUS_KEY: arguments are seen by others.",
    )
    @functools.wraps(command)
    def run(*arguments: Any, url: str, key: str | None, folder: Path | None = None, **options: Any) -> Any:
        return command(Connection(url, key, folder), *arguments, **options)

    return with_exit_codes(run)


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Like `connected`, for a command that shows statuses: it also has the option for those that are in files."""
    return click.option(
        "--app",
        "folder",
        metavar="DIR",
        type=click.Path(path_type=Path),
        default=Path(),
        help="The folder of an app that a local host serves: statuses that are too large are read from its files.  "
        "[default: here]",
    )(connected(command))


def with_exit_codes(command: Callable[..., Any]) -> Callable[..., Any]:
    """Make one line and an exit code of the errors of a command."""

    @functools.wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except DurableStatusError as error:
            raise _Failure(error) from error
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in _EXTRAS:
                raise
            raise click.ClickException(
                f"{error.name} is not installed: pip install 'durable-status[{_EXTRAS[package]}]'"
            ) from error

    return run


class _Failure(click.ClickException):
    """An error with its exit code."""

    def __init__(self, error: DurableStatusError) -> None:
        super().__init__(str(error))
        self._code = next((code for kind, code in _CODES if isinstance(error, kind)), 1)

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        """What the process ends with."""
        return self._code
