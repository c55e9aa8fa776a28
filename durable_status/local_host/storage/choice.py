"""Which storage provider a host uses, as it is written on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.provider import StorageProvider

_FOLDER = ".durable-status"


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageChoice:
    """``memory``, or ``sqlite`` with a file or with the app's own."""

    in_memory: bool = False
    path: Path | None = None

    def open_for(self, root: Path, hub: str, clock: Clock) -> tuple[StorageProvider, str]:
        """The provider for the hub of the app in `root`, and how to call it."""
        # Imported when chosen: the other provider's packages cost start-up time.
        if self.in_memory:
            from durable_status.local_host.storage.memory import MemoryStorage

            return MemoryStorage(clock), "memory (gone with the host)"
        from durable_status.local_host.storage.sqlite import SqliteStorage

        path = self._file(root, hub)
        return SqliteStorage(path, clock), str(path)

    @contextmanager
    def payload_folder(self, root: Path, hub: str) -> Iterator[Path | None]:
        """A folder for offloaded statuses, which lasts as long as the instances do; None: they are blobs."""
        if self.in_memory:
            with TemporaryDirectory(prefix="durable-status-") as folder:
                yield Path(folder)
        else:
            yield self._file(root, hub).with_suffix(".payloads")

    def _file(self, root: Path, hub: str) -> Path:
        return self.path or root / _FOLDER / f"{hub}.sqlite3"


def parse_storage_choice(text: str) -> StorageChoice:
    """Read ``memory``, ``sqlite`` or ``sqlite:PATH``; a relative path counts from the current folder.

    Raises:
        StorageError: it is none of these.
    """
    kind, colon, path = text.partition(":")
    if kind == "memory" and not colon:
        return StorageChoice(in_memory=True)
    if kind == "sqlite" and (path or not colon):
        return StorageChoice(path=Path(path).expanduser().resolve() if path else None)
    raise StorageError(f"there is no storage '{text}'; choose memory, sqlite or sqlite:PATH.")
