"""Tells commands where a local host keeps statuses that are too large: the host itself shows references to them.

A host leaves a note in its app's folder while it runs, one for each port, for the folder depends on its storage. A
command that is run there, or with ``--app``, finds it by the port that it talks to.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from durable_status.payloads.folder import FolderPayloadStore
from durable_status.payloads.hub import FOLDER_SETTING

STATE_FOLDER = ".durable-status"


@contextmanager
def noting_payload_folder(root: Path, port: int, payload_folder: Path | None) -> Iterator[None]:
    """Leave the note while the context lasts. A folder that takes none is no reason not to serve."""
    note = _note(root, port)
    with contextlib.suppress(OSError):
        if payload_folder is None:
            note.unlink(missing_ok=True)  # of a host that was killed
        else:
            note.parent.mkdir(exist_ok=True)
            note.write_text(str(payload_folder), encoding="utf-8")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            note.unlink(missing_ok=True)


def payload_store_of_host(root: Path, url: str) -> FolderPayloadStore | None:
    """Where the host at `url` keeps statuses, if it is on this machine and serves the app in `root`."""
    folder = os.environ.get(FOLDER_SETTING)
    if folder:
        return FolderPayloadStore(folder)
    try:
        parts = urlsplit(url)
        if parts.port is None or not _is_here(parts.hostname or ""):
            return None
        return FolderPayloadStore(_note(root, parts.port).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # no note, or a wrong address, which the client says more about
        return None


def payload_store_of_settings(settings: Mapping[str, str]) -> FolderPayloadStore | None:
    """Where the app keeps statuses by its own settings, unless it is in storage."""
    folder = settings.get(FOLDER_SETTING)
    return FolderPayloadStore(folder) if folder else None


def _note(root: Path, port: int) -> Path:
    return root / STATE_FOLDER / f"payload-folder-{port}.txt"


def _is_here(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
