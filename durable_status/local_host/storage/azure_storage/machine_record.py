"""What the machine remembers of a hub's host: whether it lives, and under which id it holds the hub's leases.

A process that ends in any way leaves its lock, not its leases. Who gets the lock therefore knows that the host of this
machine is gone, and may go on with its leases under their id. Other machines, and hosts that are not ours, do not know
the id: to them a lease is held until it runs out.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path
from uuid import UUID, uuid4

from filelock import FileLock, Timeout

from durable_status.local_host.errors import StorageError


class MachineRecord:
    """The record of one hub, for one user of the machine."""

    def __init__(self, account_url: str, hub: str, folder: Path | None = None) -> None:
        """Describe it; nothing is read yet. `folder` is where such records are, the machine's own if none is given."""
        self._folder = folder or _machine_folder()
        name = hashlib.sha256(f"{account_url}/{hub.lower()}".encode()).hexdigest()[:32]
        self._path = self._folder / f"{name}.json"
        self._lock = FileLock(self._folder / f"{name}.lock")

    def take(self) -> bool:
        """Lock the record while this process lives, until `leave`; False if another host of this machine has it.

        Raises:
            StorageError: the folder of records cannot be used.
        """
        if self._lock.is_locked:
            return True
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        except OSError as error:
            raise StorageError(
                f"{self._folder} cannot be used to remember who holds a task hub: {error.strerror or error}; "
                "remove it, or set TMPDIR to another folder."
            ) from error
        return True

    def leave(self, *, forget: bool) -> None:
        """Let others have the record; what is in it stays unless they should `forget` it."""
        if forget and self._lock.is_locked:
            self._path.unlink(missing_ok=True)
        self._lock.release()

    def lease_id(self) -> str:
        """The id under which the leases are, or are going to be, held by hosts of this machine.

        It is written down before it is used, so that no lease can outlive a host unknown.
        """
        lease_id = _guid(self._read().get("leaseId")) or str(uuid4())
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps({"processId": os.getpid(), "leaseId": lease_id}), "utf-8")
        beside.replace(self._path)
        return lease_id

    def holder(self) -> str:
        """Who has the record, in words."""
        process_id = self._read().get("processId")
        return f"another host on this machine{f' (process {process_id})' if process_id else ''}"

    def _read(self) -> dict[str, object]:
        try:
            content = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):  # none, or broken: then there is nothing to go on with
            return {}
        return content if isinstance(content, dict) else {}


def _guid(value: object) -> str | None:
    try:
        return str(UUID(str(value)))
    except ValueError:
        return None


def _machine_folder() -> Path:
    # Not everybody's: the folder for temporary files may be shared by all users.
    user = "" if sys.platform == "win32" else f"-{os.getuid()}"
    return Path(tempfile.gettempdir()) / f"durable-status{user}"
