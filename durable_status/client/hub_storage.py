"""Performs the steps of `durable_status.client.hub_steps` with the storage SDKs: reads tables and blobs, no more.

Nothing that a row says is ever taken for an address: what is in a blob is read from the hub's own container, by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.data.tables import TableServiceClient
from azure.data.tables.aio import TableServiceClient as AsyncTableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient

from durable_status.client.hub_steps import GetBlob, GetPage, GetRow, Page
from durable_status.errors import HostError
from durable_status.harmless_text import masked
from durable_status.task_hub.large_values import is_inside
from durable_status.task_hub.names import HubNames

# The newest versions of the SDK ask for a version that an older Azurite refuses; reading a blob has not changed since.
_BLOB_VERSION = "2021-12-02"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where a hub is, and what opens it."""

    table_url: str
    blob_url: str
    credential: Any
    """One of the SDKs', for asyncio where that is needed."""
    timeout: float
    """Seconds that one request may take; it is tried again a few times."""

    def table_options(self) -> dict[str, Any]:
        """How the SDK opens the tables."""
        patience = {"retry_total": 4, "retry_backoff_factor": 0.4}
        return {"endpoint": self.table_url, "credential": self.credential, **self._timeouts(), **patience}

    def blob_options(self) -> dict[str, Any]:
        """How the SDK opens the blobs; by itself it pauses for a minute between tries."""
        patience = {"retry_total": 3, "initial_backoff": 1, "increment_base": 2}
        version = {"api_version": _BLOB_VERSION}
        return {"account_url": self.blob_url, "credential": self.credential, **self._timeouts(), **patience, **version}

    def _timeouts(self) -> dict[str, float]:
        return {"connection_timeout": self.timeout, "read_timeout": self.timeout}


class HubStorage:
    """The tables and the blobs of one hub, open for reading."""

    def __init__(self, hub: HubNames, account: Account) -> None:
        self._hub = hub
        self._account = account
        self._tables = TableServiceClient(**account.table_options())
        self._blobs = BlobServiceClient(**account.blob_options())

    def close(self) -> None:
        """Close the connections."""
        self._tables.close()
        self._blobs.close()

    def get_row(self, step: GetRow) -> Mapping[str, Any] | None:
        """A row, or None if it is not there."""
        try:
            table = self._tables.get_table_client(step.table)
            return _members(table.get_entity(step.partition_key, step.row_key, select=list(step.columns)))
        except AzureError as error:
            if _code(error) == HTTPStatus.NOT_FOUND:
                return None
            raise _failure(error, self._account.table_url, _no_hub(self._hub, step.table)) from error

    def get_page(self, step: GetPage) -> Page:
        """One page."""
        try:
            pages = self._tables.get_table_client(step.table).query_entities(**_query(step)).by_page(step.token)
            rows = [_members(entity) for entity in next(pages)]
        except AzureError as error:
            raise _failure(error, self._account.table_url, _no_hub(self._hub, step.table)) from error
        return Page(rows, pages.continuation_token)

    def get_blob(self, step: GetBlob) -> bytes | None:
        """A blob's content, or None if it is not there."""
        if not is_inside(step.name):
            return None
        try:
            blob = self._blobs.get_blob_client(self._hub.large_messages_container, step.name)
            content: bytes = blob.download_blob().readall()
        except AzureError as error:
            if _code(error) == HTTPStatus.NOT_FOUND:
                return None
            raise _failure(error, self._account.blob_url) from error
        return content


class AsyncHubStorage:
    """The tables and the blobs of one hub, open for reading in asyncio."""

    def __init__(self, hub: HubNames, account: Account) -> None:
        self._hub = hub
        self._account = account
        self._tables = AsyncTableServiceClient(**account.table_options())
        self._blobs = AsyncBlobServiceClient(**account.blob_options())

    async def close(self) -> None:
        """Close the connections."""
        await self._tables.close()
        await self._blobs.close()

    async def get_row(self, step: GetRow) -> Mapping[str, Any] | None:
        """A row, or None if it is not there."""
        try:
            table = self._tables.get_table_client(step.table)
            return _members(await table.get_entity(step.partition_key, step.row_key, select=list(step.columns)))
        except AzureError as error:
            if _code(error) == HTTPStatus.NOT_FOUND:
                return None
            raise _failure(error, self._account.table_url, _no_hub(self._hub, step.table)) from error

    async def get_page(self, step: GetPage) -> Page:
        """One page."""
        try:
            pages = self._tables.get_table_client(step.table).query_entities(**_query(step)).by_page(step.token)
            rows = [_members(entity) async for entity in await anext(pages)]
        except AzureError as error:
            raise _failure(error, self._account.table_url, _no_hub(self._hub, step.table)) from error
        return Page(rows, pages.continuation_token)

    async def get_blob(self, step: GetBlob) -> bytes | None:
        """A blob's content, or None if it is not there."""
        if not is_inside(step.name):
            return None
        try:
            blob = self._blobs.get_blob_client(self._hub.large_messages_container, step.name)
            content: bytes = await (await blob.download_blob()).readall()
        except AzureError as error:
            if _code(error) == HTTPStatus.NOT_FOUND:
                return None
            raise _failure(error, self._account.blob_url) from error
        return content


def without_query(url: str) -> str:
    """An address to show: a signature may be part of it."""
    return url.partition("?")[0]


def _query(step: GetPage) -> dict[str, Any]:
    return {
        "query_filter": step.filter,
        "select": list(step.columns) or None,
        "results_per_page": step.most,
    }


def _members(entity: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the service answered it: the SDK cuts times to what a datetime holds, and keeps their text beside it."""
    members = {name: getattr(value, "tables_service_value", value) for name, value in entity.items()}
    return {name: value for name, value in members.items() if isinstance(value, str | int)}


def _failure(error: AzureError, url: str, if_missing: str = "") -> HostError:
    """What the SDK says, in one line that says what to do."""
    code, place = _code(error), without_query(url)
    said = " ".join(filter(None, (str(code or ""), _service_code(error))))
    if code == HTTPStatus.NOT_FOUND and if_missing:
        text = f"{place} {if_missing}"
    elif code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        text = (
            f"{place} does not let this reader in ({said}). Check the key or signature; an identity needs the roles "
            "Storage Table Data Reader and Storage Blob Data Reader. The account's firewall may be the reason, too."
        )
    elif isinstance(error, ClientAuthenticationError):
        text = f"There is no identity to read {place} with: {_first_line(error)} Sign in, for example with az login."
    elif code is None:
        said = _first_line(error).rpartition("new connection: ")[2]
        text = f"{place} did not answer: {said} Check the address, and that the account, or Azurite, can be reached."
    else:
        text = f"{place} answered {said}: {_first_line(error)}"
    return HostError(text, status_code=code)


def _no_hub(hub: HubNames, table: str) -> str:
    return (
        f"has no task hub {hub.hub!r}: there is no table {table}. Check the hub's name (hubName in host.json) and the "
        "account."
    )


def _code(error: AzureError) -> int | None:
    code: int | None = getattr(error, "status_code", None) if isinstance(error, HttpResponseError) else None
    return code


def _service_code(error: AzureError) -> str:
    code = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code))


def _first_line(error: AzureError) -> str:
    line = masked((str(error).splitlines() or [""])[0]).strip().rstrip(".")
    return f"{line}."
