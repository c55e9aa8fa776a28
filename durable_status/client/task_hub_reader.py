"""`TaskHubReader` and `AsyncTaskHubReader`: the instances of a task hub, straight from Azure Storage.

For dashboards and bulk reads: the app need not run, no key of it is needed, and a list filters by custom status. They
read hubs that the durable extension has written as well as those of the local host, and never write: a hub that is not
there stays so.

Needs the storage SDKs: ``pip install durable-status[azure]``.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

from typing_extensions import TypeForm

from durable_status.client import hub_flows, watching
from durable_status.client.driving import run, run_async, stream, stream_async
from durable_status.client.flows import LARGEST_PAGE, Filters
from durable_status.client.hub_flows import HubLooks, Shown
from durable_status.client.hub_steps import GetBlob, GetPage, GetRow, HubStep
from durable_status.client.hub_storage import Account, AsyncHubStorage, HubStorage, without_query
from durable_status.client.steps import Pause
from durable_status.client.watching import Pace
from durable_status.errors import RefusedError
from durable_status.instance_status import InstanceStatus, RuntimeStatus
from durable_status.payloads.credentials import sdk_credential
from durable_status.task_hub.connection import DEFAULT_CONNECTION, StorageConnection, read_connection
from durable_status.task_hub.names import HubNames

S = TypeVar("S")
Storage = TypeVar("Storage")

_DEFAULT_TIMEOUT = 30.0
_DEFAULT_PACE = Pace()
_CONNECTION_STRING = "connection_string"


class _Reader(Generic[Storage]):
    """What both readers are made of: a hub, open for reading."""

    _is_async: ClassVar[bool]
    _storage_kind: Callable[[HubNames, Account], Storage]

    def __init__(
        self,
        hub: str,
        *,
        table_url: str,
        blob_url: str,
        credential: Any,
        timeout: float = _DEFAULT_TIMEOUT,
        pace: Pace = _DEFAULT_PACE,
    ) -> None:
        self._hub = _names(hub)
        self._account = Account(table_url=table_url, blob_url=blob_url, credential=credential, timeout=timeout)
        self._storage = type(self)._storage_kind(self._hub, self._account)
        self._pace = pace
        self._own_credential: Any = None

    @classmethod
    def from_connection_string(cls, connection_string: str, hub: str, *, pace: Pace = _DEFAULT_PACE) -> Self:
        """A reader by a connection string; ``UseDevelopmentStorage=true`` is Azurite on its usual ports.

        Raises:
            RefusedError: it is no connection string, or storage cannot have a hub of that name.
        """
        return cls._of(hub, _connection(_CONNECTION_STRING, {_CONNECTION_STRING: connection_string}), pace)

    @classmethod
    def from_settings(
        cls,
        hub: str,
        settings: Mapping[str, str] = os.environ,
        *,
        connection: str = DEFAULT_CONNECTION,
        pace: Pace = _DEFAULT_PACE,
    ) -> Self:
        """A reader by the settings of an app: a connection string, or ``{connection}__accountName`` and an identity.

        Raises:
            RefusedError: the settings name no account, or storage cannot have a hub of that name.
        """
        return cls._of(hub, _connection(connection, settings), pace)

    @classmethod
    def _of(cls, hub: str, connection: StorageConnection, pace: Pace) -> Self:
        _names(hub)  # before a credential is open
        credential = sdk_credential(connection.credential, is_async=cls._is_async)
        made = cls(hub, table_url=connection.table_url, blob_url=connection.blob_url, credential=credential, pace=pace)
        made._own_credential = credential
        return made

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._hub.hub!r}, table_url={without_query(self._account.table_url)!r})"

    def _looks(self, instance_id: str) -> HubLooks:
        return HubLooks(self._hub, instance_id, self._pace)


class TaskHubReader(_Reader[HubStorage]):
    """Reads the instances of a task hub, wherever it is, without its app.

    The verbs are those of the other clients that change nothing. Every verb checks its arguments before anything is
    sent (`RefusedError`). A missing instance is an `InstanceNotFoundError`; that the account does not answer or does
    not let the reader in, that it has no such hub, or that a newer version has written it, is a `HostError`.
    ``status_type`` is the type of the custom status: anything one can annotate with; ``Any`` for whatever it is.

    Inputs, and in lists outputs, are not read unless asked for. Those too large for a row are read from their blobs.
    Use it in a ``with`` statement, or close it. Most often it is made by `from_connection_string` or `from_settings`.

    Args:
        hub: the hub's name, ``hubName`` in host.json.
        table_url: the address of the account's tables, such as ``https://account.table.core.windows.net``.
        blob_url: the address of its blobs.
        credential: any that the Azure SDK takes, such as ``DefaultAzureCredential()``; reading needs the roles *Storage
            Table Data Reader* and *Storage Blob Data Reader*. Who made it closes it.
        timeout: seconds that a request may take.
        pace: how often watching and waiting look.

    Raises:
        RefusedError: storage cannot have a hub of that name.
    """

    _is_async = False
    _storage_kind = HubStorage

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._storage.close()
        if hasattr(self._own_credential, "close"):
            self._own_credential.close()

    def get_status(
        self, instance_id: str, status_type: TypeForm[S], *, show_input: bool = False, show_output: bool = True
    ) -> InstanceStatus[S]:
        """Read one instance, by its key: the cheapest read there is. Its history has a verb of its own."""
        shown = Shown(input=show_input, output=show_output)
        return run(hub_flows.get_status(self._hub, instance_id, status_type, shown), self._perform)

    def list_statuses(
        self,
        status_type: TypeForm[S],
        *,
        where: Callable[[InstanceStatus[S]], bool] | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        runtime_status: Collection[RuntimeStatus] = (),
        instance_id_prefix: str = "",
        show_input: bool = False,
        show_output: bool = False,
        page_size: int = LARGEST_PAGE,
    ) -> Iterator[InstanceStatus[S]]:
        """Go through instances in the order of their ids, one page in memory at a time; entities are left out.

        The service filters by prefix, which is indexed, and by creation time and runtime status, for which it reads
        all rows of the table and answers those that fit. `where` is asked here, for each that came, about anything the
        status has: filtering by custom status costs a request for every `page_size` (at most 1,000) rows that the other
        filters let through, and brings their custom statuses here, up to 64 KiB each. Outputs are None, and inputs,
        unless they are asked for; one that is in a blob costs a request more.
        """
        filters = Filters(
            created_from=created_from,
            created_to=created_to,
            runtime_status=runtime_status,
            instance_id_prefix=instance_id_prefix,
            page_size=page_size,
        )
        shown = Shown(input=show_input, output=show_output)
        return stream(hub_flows.list_statuses(self._hub, status_type, filters, where, shown), self._perform)

    def get_history(self, instance_id: str) -> dict[str, Any]:
        """Read the history of an instance's current generation, texts in blobs included.

        The result is JSON that ``check_replay`` and ``durable-status replay`` take: ``instanceId``, and as ``history``
        the events as the orchestrator's trigger gets them. It is empty until the instance has had an episode.
        """
        return run(hub_flows.get_history(self._hub, instance_id), self._perform)

    def watch(self, instance_id: str, status_type: TypeForm[S]) -> Iterator[InstanceStatus[S]]:
        """Yield the status now and after each change of runtime status, custom status or output, until the end."""
        return stream(watching.watch(self._looks(instance_id), status_type), self._perform)

    def wait_for_status(
        self,
        instance_id: str,
        status_type: TypeForm[S],
        predicate: Callable[[InstanceStatus[S]], bool],
        timeout: float,
    ) -> InstanceStatus[S]:
        """Wait until `predicate` holds, for `timeout` seconds at most, and return the status for which it does.

        Raises:
            InstanceEndedError: the instance has ended, and it does not hold; `InstanceFailedError` if it failed.
            WaitTimeoutError: the time is up.
        """
        looks = self._looks(instance_id)
        return run(watching.wait_for_status(looks, status_type, predicate, timeout), self._perform)

    def wait_for_completion(self, instance_id: str, status_type: TypeForm[S], timeout: float) -> InstanceStatus[S]:
        """Wait until the instance has completed, for `timeout` seconds at most.

        Raises:
            InstanceFailedError: it ended Failed, Terminated or Canceled.
            WaitTimeoutError: the time is up.
        """
        return self.wait_for_status(instance_id, status_type, watching.has_completed, timeout)

    def _perform(self, step: HubStep) -> Any:
        match step:
            case GetRow():
                return self._storage.get_row(step)
            case GetPage():
                return self._storage.get_page(step)
            case GetBlob():
                return self._storage.get_blob(step)
            case Pause():
                time.sleep(step.seconds)
                return None


class AsyncTaskHubReader(_Reader[AsyncHubStorage]):
    """Reads the instances of a task hub, wherever it is, without its app, in asyncio.

    Verbs and arguments are those of `TaskHubReader`, which says what they mean; the credential is one for asyncio, of
    ``azure.identity.aio``. Use it in an ``async with`` statement, or close it.
    """

    _is_async = True
    _storage_kind = AsyncHubStorage

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._storage.close()
        if hasattr(self._own_credential, "close"):
            await self._own_credential.close()

    async def get_status(
        self, instance_id: str, status_type: TypeForm[S], *, show_input: bool = False, show_output: bool = True
    ) -> InstanceStatus[S]:
        """Read one instance."""
        shown = Shown(input=show_input, output=show_output)
        return await run_async(hub_flows.get_status(self._hub, instance_id, status_type, shown), self._perform)

    def list_statuses(
        self,
        status_type: TypeForm[S],
        *,
        where: Callable[[InstanceStatus[S]], bool] | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        runtime_status: Collection[RuntimeStatus] = (),
        instance_id_prefix: str = "",
        show_input: bool = False,
        show_output: bool = False,
        page_size: int = LARGEST_PAGE,
    ) -> AsyncIterator[InstanceStatus[S]]:
        """Go through instances, one page in memory at a time; `where` is asked here, for each that came."""
        filters = Filters(
            created_from=created_from,
            created_to=created_to,
            runtime_status=runtime_status,
            instance_id_prefix=instance_id_prefix,
            page_size=page_size,
        )
        shown = Shown(input=show_input, output=show_output)
        return stream_async(hub_flows.list_statuses(self._hub, status_type, filters, where, shown), self._perform)

    async def get_history(self, instance_id: str) -> dict[str, Any]:
        """Read the history of an instance's current generation."""
        return await run_async(hub_flows.get_history(self._hub, instance_id), self._perform)

    def watch(self, instance_id: str, status_type: TypeForm[S]) -> AsyncIterator[InstanceStatus[S]]:
        """Yield the status now and after each change, until the end."""
        return stream_async(watching.watch(self._looks(instance_id), status_type), self._perform)

    async def wait_for_status(
        self,
        instance_id: str,
        status_type: TypeForm[S],
        predicate: Callable[[InstanceStatus[S]], bool],
        timeout: float,
    ) -> InstanceStatus[S]:
        """Wait until `predicate` holds, for `timeout` seconds at most."""
        looks = self._looks(instance_id)
        return await run_async(watching.wait_for_status(looks, status_type, predicate, timeout), self._perform)

    async def wait_for_completion(
        self, instance_id: str, status_type: TypeForm[S], timeout: float
    ) -> InstanceStatus[S]:
        """Wait until the instance has completed, for `timeout` seconds at most."""
        return await self.wait_for_status(instance_id, status_type, watching.has_completed, timeout)

    async def _perform(self, step: HubStep) -> Any:
        match step:
            case GetRow():
                return await self._storage.get_row(step)
            case GetPage():
                return await self._storage.get_page(step)
            case GetBlob():
                return await self._storage.get_blob(step)
            case Pause():
                await asyncio.sleep(step.seconds)
                return None


def _names(hub: str) -> HubNames:
    try:
        return HubNames(hub)
    except ValueError as error:
        raise RefusedError(str(error)) from None


def _connection(name: str, settings: Mapping[str, str]) -> StorageConnection:
    try:
        return read_connection(name, settings)
    except ValueError as error:
        raise RefusedError(str(error)) from None
