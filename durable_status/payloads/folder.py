"""Offloaded statuses in a folder: for the local host, whose task hub is a file or the memory, and for tests."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from hashlib import sha256
from pathlib import Path

from durable_status.errors import PayloadError, PayloadMissingError
from durable_status.task_hub.large_values import compress, decompress


class FolderPayloadStore:
    """Keeps each status as a file, with the content that it has in blob storage.

    An instance's folder is named by the hash of its id: an id may be long, or hold what a file's name cannot.

    Args:
        folder: made with the first status.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._folder)!r})"

    def put(self, instance_id: str, name: str, text: str) -> None:
        path = self._of(instance_id) / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            partial.write_bytes(compress(text))
            partial.replace(path)
        except OSError as error:
            raise PayloadError(
                f"The status cannot be written into {self._folder}: {error}. Make room there."
            ) from error

    def get(self, instance_id: str, name: str) -> str:
        path = self._of(instance_id) / name
        try:
            return decompress(path.read_bytes())
        except FileNotFoundError as error:
            raise PayloadMissingError(
                f"The status of {instance_id!r} is gone from {self._folder}: there is no {name}. "
                "Was the instance purged, or is it in another folder?"
            ) from error
        except (OSError, ValueError) as error:
            raise PayloadError(f"The status in {path} cannot be read: {error}.") from error

    def names(self, instance_id: str) -> Collection[str]:
        return {path.name for path in self._of(instance_id).glob("*.json.gz")}

    def delete(self, instance_id: str, names: Collection[str]) -> None:
        for name in names:
            (self._of(instance_id) / name).unlink(missing_ok=True)

    def purge(self, instance_id: str) -> None:
        """Delete all that is kept for an instance, as a purge of it does."""
        shutil.rmtree(self._of(instance_id), ignore_errors=True)

    def _of(self, instance_id: str) -> Path:
        return self._folder / sha256(instance_id.encode(errors="surrogatepass")).hexdigest()
