"""`durable-status start`: its options, and what of them goes where."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from pathlib import Path

import click

from durable_status.cli.log_lines import LEVELS, set_up_logging
from durable_status.cli.serving import Choices, serve
from durable_status.errors import DurableStatusError
from durable_status.local_host.storage.choice import StorageChoice, StorageKind, parse_storage_choice
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3

_DEFAULT_PORT = 7071
_DEFAULT_RPC_PORT = 17071
_PROFILES = {profile.name: profile for profile in (PROFILE_2_13, PROFILE_3)}


def _ip_address(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return None if value is None else str(ipaddress.ip_address(value))
    except ValueError:
        raise click.BadParameter(f"'{value}' is no IP address.") from None


def _storage(text: str, *, wait: bool) -> StorageChoice:
    choice = parse_storage_choice(text)
    if wait and choice.kind is not StorageKind.AZURE:
        raise click.UsageError("--wait goes with --storage azure: no other storage has hosts to wait for.")
    return replace(choice, wait=wait)


@click.command(short_help="Serve an Azure Functions app on this machine.")
@click.option(
    "--app",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The app's folder, the one with host.json.  [default: here]",
)
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    help="Port of the app and the management API; 0 takes any free one.  "
    f"[default: Host.LocalHttpPort of local.settings.json, else {_DEFAULT_PORT}]",
)
@click.option(
    "--address",
    metavar="IP",
    callback=_ip_address,
    help="Address to listen on; 0.0.0.0 lets other machines in.  "
    "[default: Host.LocalHttpAddress of local.settings.json, else 127.0.0.1]",
)
@click.option(
    "--rpc-port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=_DEFAULT_RPC_PORT,
    help=f"Port of the endpoint that the SDK's client calls; if it is taken, another.  [default: {_DEFAULT_RPC_PORT}]",
)
@click.option(
    "--storage",
    default="sqlite",
    metavar="memory|sqlite[:PATH]|azure",
    help="Where instances are kept: in memory, in a file that outlives the host, or in the storage account of the "
    "app's AzureWebJobsStorage, as in Azure.  [default: sqlite, in the app's .durable-status folder]",
)
@click.option("--wait", is_flag=True, help="With azure: wait until another host on the task hub has stopped.")
@click.option(
    "--extension",
    type=click.Choice(list(_PROFILES)),
    default=PROFILE_3.name,
    help=f"Which line of the durable extension to be.  [default: {PROFILE_3.name}]",
)
@click.option("--reload", is_flag=True, help="Load the app again when one of its files changes; instances stay.")
@click.option("--strict", is_flag=True, help="End an orchestration with a clear error where the platform would hang.")
@click.option("--enable-auth", is_flag=True, help="Ask for keys, as in Azure; they are in .durable-status/keys.json.")
@click.option(
    "--cors", metavar="ORIGINS", help="Comma-separated origins whose pages may call.  [default: Host.CORS of the file]"
)
@click.option("--cors-credentials", is_flag=True, help="Let those pages send credentials.")
@click.option(
    "--log-level",
    type=click.Choice(list(LEVELS), case_sensitive=False),
    help="Log nothing below this level, whatever host.json says.  [default: info; warning with --quiet]",
)
@click.option("--quiet", is_flag=True, help="Print only where the app is and what of it does not work; log warnings.")
def start(
    folder: Path,
    port: int | None,
    address: str | None,
    rpc_port: int,
    storage: str,
    wait: bool,
    extension: str,
    reload: bool,
    strict: bool,
    enable_auth: bool,
    cors: str | None,
    cors_credentials: bool,
    log_level: str | None,
    quiet: bool,
) -> None:
    """Serve an Azure Functions app on this machine: its HTTP functions, its orchestrations and the management API.

    Everything is on http://localhost:PORT, under the paths that "func start" uses. Ctrl-C stops it; what was running
    goes on at the next start.

    \b
    Examples:
      durable-status start --app path/to/app
      durable-status start --storage memory --port 0 --quiet
      durable-status start --reload --strict --log-level debug
    """
    set_up_logging(LEVELS[log_level or ("warning" if quiet else "info")])
    try:
        choices = Choices(
            folder=folder,
            port=port,
            default_port=_DEFAULT_PORT,
            address=address,
            rpc_port=rpc_port,
            storage=_storage(storage, wait=wait),
            profile=_PROFILES[extension],
            strict=strict,
            enable_auth=enable_auth,
            cors=cors,
            cors_credentials=cors_credentials,
            quiet=quiet,
            honours_log_levels=log_level is None and not quiet,
        )
        serve(choices, reload=reload)
    except DurableStatusError as error:
        raise click.ClickException(str(error)) from error
