"""The payload store of an app's own task hub, for code that runs inside the app."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from durable_status.errors import PayloadError
from durable_status.offloaded import PayloadStore
from durable_status.payloads.folder import FolderPayloadStore
from durable_status.task_hub.connection import DEFAULT_CONNECTION

FOLDER_SETTING = "DURABLE_STATUS_PAYLOADS"
"""The app setting with the folder that is used instead of blob storage. The local host sets it when it keeps the task
hub in a file or in memory, and then deletes what is there with the instance."""

_DEFAULT_IN_URLS = "Storage"  # what the extension calls the setting AzureWebJobsStorage there


def hub_payload_store(sdk_client: Any) -> PayloadStore:
    """Where the statuses of a hub are: in its storage account, unless the host keeps them in a folder.

    Args:
        sdk_client: the SDK's client of that hub; its binding says what the hub and its connection are called.

    Raises:
        PayloadError: the app's settings name no storage account, or the package for it is missing.
    """
    folder = os.environ.get(FOLDER_SETTING)
    if folder:
        return FolderPayloadStore(folder)
    bindings = sdk_client._orchestration_bindings
    query = parse_qs(urlsplit(bindings.management_urls.get("statusQueryGetUri", "")).query)
    connection = query.get("connection", [_DEFAULT_IN_URLS])[0]
    return _blob_store(bindings.task_hub_name, DEFAULT_CONNECTION if connection == _DEFAULT_IN_URLS else connection)


@cache
def _blob_store(hub: str, connection: str) -> PayloadStore:
    """One for the life of the process, like the SDK's own connections."""
    try:
        from durable_status.payloads.blob import BlobPayloadStore

        return BlobPayloadStore(hub, connection)
    except ImportError as error:
        raise PayloadError(
            "Offloaded statuses are in blob storage. Add azure-storage-blob to requirements.txt, and azure-identity "
            "if the connection has no key."
        ) from error
    except ValueError as error:
        raise PayloadError(f"Offloaded statuses cannot be reached: {error}") from error


@contextmanager
def payloads_in(folder: Path | None) -> Iterator[None]:
    """Keep the statuses of this process's app in `folder` while the context lasts; None changes nothing."""
    if folder is None:
        yield
        return
    before = os.environ.get(FOLDER_SETTING)
    os.environ[FOLDER_SETTING] = str(folder)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(FOLDER_SETTING, None)
        else:
            os.environ[FOLDER_SETTING] = before
