"""Which storage provider a host uses, as it is written on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory

from durable_status.app.host_settings import HostSettings
from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.provider import StorageProvider

_FOLDER = ".durable-status"


class StorageKind(Enum):
    """Where a task hub is."""

    MEMORY = "memory"
    SQLITE = "sqlite"
    AZURE = "azure"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageChoice:
    """A kind of storage; ``sqlite`` with a file or with the app's own."""

    kind: StorageKind = StorageKind.SQLITE
    path: Path | None = None
    wait: bool = False
    """Whether to wait for another host on the hub to stop."""

    def open_for(
        self, root: Path, settings: HostSettings, environment: Mapping[str, str], clock: Clock
    ) -> tuple[StorageProvider, str]:
        """The provider for the hub of the app in `root`, and how to call it.

        Raises:
            StorageError: the settings do not say how to reach it.
        """
        # Imported when chosen: the other providers' packages cost start-up time.
        match self.kind:
            case StorageKind.MEMORY:
                from durable_status.local_host.storage.memory import MemoryStorage

                return MemoryStorage(clock), "memory (gone with the host)"
            case StorageKind.SQLITE:
                from durable_status.local_host.storage.sqlite import SqliteStorage

                path = self._file(root, settings)
                return SqliteStorage(path, clock), str(path)
            case StorageKind.AZURE:
                return _azure_storage(settings, environment, clock, wait=self.wait)

    @contextmanager
    def payload_folder(self, root: Path, settings: HostSettings) -> Iterator[Path | None]:
        """A folder for offloaded statuses, which lasts as long as the instances do; None: they are blobs."""
        match self.kind:
            case StorageKind.MEMORY:
                with TemporaryDirectory(prefix="durable-status-") as folder:
                    yield Path(folder)
            case StorageKind.SQLITE:
                yield self._file(root, settings).with_suffix(".payloads")
            case StorageKind.AZURE:
                yield None

    def _file(self, root: Path, settings: HostSettings) -> Path:
        return self.path or root / _FOLDER / f"{settings.hub_name}.sqlite3"


def _azure_storage(
    settings: HostSettings, environment: Mapping[str, str], clock: Clock, *, wait: bool
) -> tuple[StorageProvider, str]:
    try:
        from durable_status.local_host.storage.azure_storage.provider import AzureStorage
        from durable_status.task_hub.connection import DEFAULT_CONNECTION, Identity, read_connection

        connection = read_connection(settings.connection_name or DEFAULT_CONNECTION, environment)
        if isinstance(connection.credential, Identity):
            import azure.identity  # noqa: F401, used when the hub is opened
    except ModuleNotFoundError as error:
        raise StorageError(
            f"--storage azure needs the package {error.name}: pip install 'durable-status[azure]'."
        ) from error
    except ValueError as error:
        raise StorageError(str(error)) from error
    storage = AzureStorage(connection, settings.hub_name, settings.azure_storage, clock, wait=wait)
    return storage, connection.table_url


def parse_storage_choice(text: str) -> StorageChoice:
    """Read ``memory``, ``sqlite``, ``sqlite:PATH`` or ``azure``; a relative path counts from the current folder.

    Raises:
        StorageError: it is none of these.
    """
    name, colon, path = text.partition(":")
    kind = next((kind for kind in StorageKind if kind.value == name), None)
    if kind is None or (colon and not (path and kind is StorageKind.SQLITE)):
        raise StorageError(f"there is no storage '{text}'; choose memory, sqlite, sqlite:PATH or azure.")
    return StorageChoice(kind=kind, path=Path(path).expanduser().resolve() if path else None)
