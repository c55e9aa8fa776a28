"""`durable-status start`: serve an app until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from durable_status.app.load import load_app
from durable_status.errors import DurableStatusError
from durable_status.local_host.clock import SystemClock
from durable_status.local_host.storage.choice import StorageChoice, parse_storage_choice
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile

_DEFAULT_PORT = 7071
_DEFAULT_RPC_PORT = 17071
_PROFILES = {profile.name: profile for profile in (PROFILE_2_13, PROFILE_3)}


@click.command()
@click.option(
    "--app",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The app's folder, the one with host.json and function_app.py.  [default: here]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port of the app and the management API; 0 takes any free one.  "
    f"[default: Host.LocalHttpPort of local.settings.json, else {_DEFAULT_PORT}]",
)
@click.option(
    "--rpc-port",
    type=click.IntRange(0, 65535),
    default=_DEFAULT_RPC_PORT,
    help=f"Port of the endpoint that the SDK's client calls; if it is taken, another.  [default: {_DEFAULT_RPC_PORT}]",
)
@click.option(
    "--storage",
    default="sqlite",
    metavar="memory|sqlite[:PATH]",
    help="Where instances are kept: in memory, or in a file that outlives the host.  "
    "[default: sqlite, in the app's .durable-status folder]",
)
@click.option(
    "--extension",
    type=click.Choice(list(_PROFILES)),
    default=PROFILE_3.name,
    help=f"Which line of the durable extension to be.  [default: {PROFILE_3.name}]",
)
def start(folder: Path, port: int | None, rpc_port: int, storage: str, extension: str) -> None:
    """Serve an Azure Functions app on this machine: its HTTP functions, its orchestrations and the management API.

    Everything is on http://localhost:PORT, under the paths that "func start" uses. Ctrl-C stops it; what was running
    goes on at the next start.
    """
    logging.basicConfig(format="[%(asctime)s] %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    for chatty in ("uvicorn", "azure", "asyncio", "aiohttp"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        choice = parse_storage_choice(storage)
        _serve(folder, port, rpc_port, choice, _PROFILES[extension])
    except DurableStatusError as error:
        raise click.ClickException(str(error)) from error


def _serve(folder: Path, port: int | None, rpc_port: int, choice: StorageChoice, profile: Profile) -> None:
    os.environ |= {"AZURE_FUNCTIONS_ENVIRONMENT": "Development", "AzureWebJobsScriptRoot": str(folder.resolve())}
    with _no_garbage_collection():
        app = load_app(folder, os.environ)
        # Imported now: the SDK, which the app has just loaded, and the servers take most of the start-up time.
        from durable_status.cli.banner import banner
        from durable_status.local_host.host import HostOptions, run_host

    os.chdir(app.root)  # as the Functions host does; apps open files by relative paths

    options = HostOptions(
        port=port if port is not None else app.local_settings.http_port or _DEFAULT_PORT,
        rpc_port=rpc_port,
        profile=profile,
    )

    async def serve() -> None:
        clock = SystemClock()
        storage, description = choice.open_for(app.root, app.settings.hub_name, clock)
        stopped = _stop_signal()
        async with run_host(app, storage, options, clock) as host:
            os.environ["WEBSITE_HOSTNAME"] = host.base_url.removeprefix("http://")
            click.echo(banner(host, profile, description))
            await stopped.wait()
            click.echo("Stopping.")

    asyncio.run(serve())


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """For imports: what they make stays, and searching it again and again takes a fifth of the start-up time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _stop_signal() -> asyncio.Event:
    """An event that the first Ctrl-C or SIGTERM sets; the second ends the process at once."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()

    def stop(number: int, _frame: object) -> None:
        if stopped.is_set():
            os._exit(128 + number)
        loop.call_soon_threadsafe(stopped.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopped
