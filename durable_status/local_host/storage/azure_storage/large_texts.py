"""Texts too large for a row or a message, in the hub's container (storage.md §2.6, §3.6, §4)."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.blobs import BlobContainers
from durable_status.local_host.storage.azure_storage.together import together
from durable_status.task_hub.large_values import InBlob, Text, compress, decompress
from durable_status.task_hub.messages import QueueMessage, read_message
from durable_status.task_hub.names import blob_folder, escape_key

logger = logging.getLogger(__name__)


class LargeTexts:
    """The container of large texts, which is made with the first of them."""

    def __init__(self, blobs: BlobContainers, container: str) -> None:
        self._blobs = blobs
        self._is_made = False
        self.container = container
        self.url = f"{blobs.url}/{container}"
        """What the Instances table shows in front of a blob's name."""

    async def store(self, texts: Mapping[str, str]) -> None:
        """Store texts by the names of their blobs."""
        if not texts:
            return
        if not self._is_made:
            await self._blobs.create(self.container)
            self._is_made = True
        await together(*(self._store(name, text) for name, text in texts.items()))

    async def read(self, name: str) -> str:
        """The text in a blob.

        Raises:
            StorageError: it is gone, or is no gzipped text.
        """
        content = await self._blobs.get(self.container, name)
        if content is None:
            raise StorageError(f"the blob '{name}' is missing in {self.container}: purge the instance it belongs to.")
        try:
            return decompress(content)
        except ValueError as error:
            raise StorageError(f"'{name}' in {self.container} cannot be read: {error}.") from error

    async def read_all(self, names: Collection[str]) -> dict[str, str]:
        """Texts by the names of their blobs."""
        return dict(zip(names, await together(*map(self.read, names)), strict=True))

    async def of(self, text: Text | None) -> str | None:
        """A text that may be in a blob; of a start message there, its input.

        Raises:
            StorageError: the blob is gone, or is no gzipped text.
            ValueError: there is no message in it where one should be.
        """
        if not isinstance(text, InBlob):
            return text
        content = await self.read(text.blob_name)
        if not text.is_message:
            return content
        message = read_message(content)
        if not isinstance(message, QueueMessage):
            raise ValueError(f"the blob '{text.blob_name}' names another one.")
        found: str | None = message.event.get("Input")
        return found

    async def delete(self, names: Collection[str]) -> None:
        """Delete blobs; those that are gone are no error."""
        await together(*(self._blobs.delete(self.container, name) for name in names))

    async def try_to_delete(self, names: Collection[str]) -> None:
        """Delete blobs that nothing refers to; if that fails, a purge will do it."""
        try:
            await self.delete(names)
        except StorageError as error:
            logger.warning("Blobs of an earlier generation stay until a purge: %s", error)

    async def delete_of(self, instance_id: str) -> None:
        """Delete all blobs of an instance: messages are under its id, history under the escaped one (§5, trap 3).

        An id with a slash lies under another instance's prefix; its blobs have a further slash in their names.
        """
        for prefix in {f"{blob_folder(instance_id)}/", f"{escape_key(instance_id)}/"}:
            names = [blob.name for blob in await self._blobs.list(self.container, prefix)]
            await self.delete([name for name in names if "/" not in name.removeprefix(prefix)])

    async def _store(self, name: str, text: str) -> None:
        await self._blobs.put(self.container, name, compress(text))
