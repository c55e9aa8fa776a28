"""Offloaded statuses in blob storage, where a purge of the instance deletes them.

They are in the hub's container of large messages, below the instance's id, gzipped like what the platform keeps
there. A purge deletes all blobs there that begin with the id and a slash (storage.md §5), whoever wrote them; so does
the local host's. Needs azure-storage-blob, and azure-identity for connections without a key:
``pip install durable-status[azure]``.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ExponentialRetry

from durable_status.errors import PayloadError, PayloadMissingError
from durable_status.offloaded import BLOB_PREFIX
from durable_status.payloads.credentials import sdk_credential
from durable_status.task_hub.connection import DEFAULT_CONNECTION, read_connection
from durable_status.task_hub.large_values import compress, decompress, is_inside
from durable_status.task_hub.names import HubNames

# Newer versions of the SDK ask for a version that an older Azurite refuses; nothing used here has changed since.
_API_VERSION = "2021-12-02"
# The SDK's own pauses, 15 seconds and more, are longer than a reader of a status waits.
_RETRIES = {"initial_backoff": 1, "increment_base": 2, "retry_total": 3, "random_jitter_range": 1}


class BlobPayloadStore:
    """Keeps statuses in the storage account of a task hub. Use it in a ``with`` statement, or close it.

    Args:
        hub: the name of the task hub, as in host.json.
        connection: the name of the app setting with the connection to its storage account, or the beginning of the
            settings' names for a connection without a key.
        settings: the app settings; those of the process unless given.

    Raises:
        ValueError: the hub cannot have that name, or there is no such connection.
    """

    def __init__(
        self, hub: str, connection: str = DEFAULT_CONNECTION, *, settings: Mapping[str, str] = os.environ
    ) -> None:
        self._container_name = HubNames(hub).large_messages_container
        account = read_connection(connection, settings)
        self._credential = sdk_credential(account.credential, is_async=False)
        self._service = BlobServiceClient(
            account.blob_url,
            credential=self._credential,
            retry_policy=ExponentialRetry(**_RETRIES),
            api_version=_API_VERSION,
        )
        self._container = self._service.get_container_client(self._container_name)
        self._address = f"{account.blob_url}/{self._container_name}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._container_name!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._service.close()
        if hasattr(self._credential, "close"):  # that of an identity
            self._credential.close()

    def put(self, instance_id: str, name: str, text: str) -> None:
        with self._errors("stored"):
            try:
                self._container.upload_blob(_blob_name(instance_id, name), compress(text), overwrite=True)
            except ResourceNotFoundError:
                self._create_container()
                self._container.upload_blob(_blob_name(instance_id, name), compress(text), overwrite=True)

    def get(self, instance_id: str, name: str) -> str:
        with self._errors("read"):
            try:
                content = self._container.download_blob(_blob_name(instance_id, name)).readall()
            except ResourceNotFoundError as error:
                raise PayloadMissingError(
                    f"The status of {instance_id!r} is gone from the container {self._container_name}: there is no "
                    f"{name}. Was the instance purged, or is it in another task hub?"
                ) from error
        try:
            return decompress(content)
        except ValueError as error:
            raise PayloadError(
                f"The status of {instance_id!r} cannot be read: {error} ({name}). Something else has written there."
            ) from error

    def names(self, instance_id: str) -> Collection[str]:
        folder = _blob_name(instance_id, "")
        with self._errors("listed"):
            try:
                found = list(self._container.list_blob_names(name_starts_with=folder + BLOB_PREFIX))
            except ResourceNotFoundError:
                return ()
        return [name.removeprefix(folder) for name in found]

    def delete(self, instance_id: str, names: Collection[str]) -> None:
        with self._errors("deleted"):
            for name in names:
                try:
                    self._container.delete_blob(_blob_name(instance_id, name))
                except ResourceNotFoundError:
                    continue

    def _create_container(self) -> None:
        try:
            self._container.create_container()
        except HttpResponseError as error:
            if error.status_code != 409:  # another one was faster
                raise

    @contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        try:
            yield
        except AzureError as error:
            raise PayloadError(f"The status cannot be {done} in {self._address}: {_cause(error)}") from error


def _cause(error: AzureError) -> str:
    """What is wrong, without what the SDK sends along with it, and the cure."""
    if isinstance(error, ClientAuthenticationError) and error.status_code is None:
        return f"there is no identity to connect with ({error.message.splitlines()[0]})."
    if not isinstance(error, HttpResponseError):
        return f"the storage account did not answer ({type(error).__name__}). Is it, or Azurite, there?"
    said = getattr(error, "error_code", None) or error.reason
    code = f"{error.status_code} {getattr(said, 'value', said)}"
    if error.status_code in (401, 403):
        return f"no permission ({code}). Check the key, or give the identity the role Storage Blob Data Contributor."
    return f"the storage account answered {code}."


def _blob_name(instance_id: str, name: str) -> str:
    """Where the platform looks at a purge: below the id as it is, not escaped."""
    if not is_inside(instance_id):
        raise PayloadError(f"An instance called {instance_id!r} can have no blobs. Use an id without . and .. in it.")
    return f"{instance_id}/{name}"
