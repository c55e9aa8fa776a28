"""How the commands that read a task hub find it: by the app's own settings, or by what the command line says."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from durable_status.app import host_settings
from durable_status.app.local_settings import apply_to_environment, read_local_settings
from durable_status.cli.connection import with_exit_codes
from durable_status.cli.output import echo
from durable_status.cli.payload_folder import payload_store_of_settings
from durable_status.client.driving import run
from durable_status.client.hydration import hydrated, perform
from durable_status.errors import InstanceStateError
from durable_status.instance_status import InstanceStatus
from durable_status.offloaded import PayloadStore
from durable_status.task_hub.connection import DEFAULT_CONNECTION

if TYPE_CHECKING:  # the storage SDKs take their time to import, and an extra to be there
    from durable_status.client.task_hub_reader import TaskHubReader


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub, open for reading, and where its app keeps statuses that are not beside it."""

    reader: TaskHubReader
    payload_store: PayloadStore | None

    def resolved(self, status: InstanceStatus[Any]) -> InstanceStatus[Any]:
        """The status; one that is offloaded and not in the hub, from the app's folder."""
        store = self.payload_store
        if store is None or status.payload_error is None:
            return status
        return run(hydrated(replace(status, payload_error=None)), lambda step: perform(step, store))


def open_reader(folder: Path, hub: str | None, connection: str | None) -> TaskHubReader:
    """A reader of a hub: that of the app in `folder`, but for what is given.

    Raises:
        click.UsageError: there is no app, and no hub is given.
        DurableStatusError: the app's settings are not usable, or say not what opens the hub's account.
    """
    return _open(folder, hub, connection, _settings(folder))


def _settings(folder: Path) -> dict[str, str]:
    """The environment and what local.settings.json adds to it."""
    settings = dict(os.environ)
    of_file = read_local_settings(folder)
    apply_to_environment(of_file, settings)
    for notice in of_file.notices:
        echo(notice, err=True)
    return settings


def _open(folder: Path, hub: str | None, connection: str | None, settings: dict[str, str]) -> TaskHubReader:
    from durable_status.client.task_hub_reader import TaskHubReader

    # The SDK logs, over many lines, what the error says in one.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    has_app = (folder / host_settings.FILE_NAME).is_file()
    if hub is None and not has_app:
        raise click.UsageError(
            f"there is no {host_settings.FILE_NAME} in {folder}; give --app FOLDER, or --hub NAME of the task hub."
        )
    if hub is None or (connection is None and has_app):
        of_app = host_settings.read_host_settings(folder, settings)
        hub, connection = hub or of_app.hub_name, connection or of_app.connection_name
    return TaskHubReader.from_settings(hub, settings, connection=connection or DEFAULT_CONNECTION)


def read_recording(reader: TaskHubReader, instance_id: str) -> dict[str, Any]:
    """The history of an instance, for replay.

    Raises:
        InstanceStateError: it has none yet.
        DurableStatusError: it cannot be read.
    """
    document = reader.get_history(instance_id)
    if not document["history"]:
        raise InstanceStateError(
            f"The instance {instance_id!r} has no history yet: it is still Pending.", instance_id=instance_id
        )
    return document


def hub_connected(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a hub; it gets a `Hub` first, and its errors become exit codes."""

    @click.option(
        "--hub", metavar="NAME", help="The task hub.  [default: extensions.durableTask.hubName of the app's host.json]"
    )
    @click.option(
        "--connection",
        metavar="SETTING",
        callback=_setting_name,
        help="The setting with the connection string, or in front of __accountName; in the environment or in "
        f"local.settings.json.  [default: that of host.json, else {DEFAULT_CONNECTION}]",
    )
    @click.option(
        "--app",
        "folder",
        metavar="DIR",
        type=click.Path(path_type=Path),
        default=Path(),
        help="The folder of the app whose settings to take.  [default: here]",
    )
    @functools.wraps(command)
    def run_with_hub(*arguments: Any, folder: Path, hub: str | None, connection: str | None, **options: Any) -> Any:
        settings = _settings(folder)
        with _open(folder, hub, connection, settings) as reader:
            return command(Hub(reader, payload_store_of_settings(settings)), *arguments, **options)

    return with_exit_codes(run_with_hub)


def _setting_name(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and ("=" in value or ";" in value or "://" in value):
        # It is not shown: it may hold a key.
        raise click.BadParameter(
            "takes the name of a setting, not what is in it: others see arguments. Put the connection string into the "
            f"environment as {DEFAULT_CONNECTION}, or under a name of its own."
        )
    return value
