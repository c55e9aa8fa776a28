"""One storage account, open: its tables, queues and blobs over one set of kept connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp

from durable_status.local_host.storage.azure_storage.blobs import BlobContainers
from durable_status.local_host.storage.azure_storage.endpoint import Endpoint, Patience, lose_once
from durable_status.local_host.storage.azure_storage.queues import Queues
from durable_status.local_host.storage.azure_storage.signing import (
    SignatureSigner,
    Signer,
    TokenSigner,
    open_identity,
    shared_key,
    shared_key_lite,
)
from durable_status.local_host.storage.azure_storage.tables import Tables
from durable_status.task_hub.connection import AccountKey, SharedAccessSignature, StorageConnection

_MAX_CONNECTIONS = 64  # thousands of requests may wait, but a process may not have as many files
_DEFAULT_PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Services:
    """The services of an account."""

    tables: Tables
    queues: Queues
    blobs: BlobContainers


@asynccontextmanager
async def open_services(
    connection: StorageConnection, *, patience: Patience = _DEFAULT_PATIENCE
) -> AsyncIterator[Services]:
    """Open an account; nothing is sent yet. Its connections are closed at the end."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_MAX_CONNECTIONS),
                # Not of the whole: to wait for a free connection is no fault of the service.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=patience.answer, sock_read=patience.answer),
                skip_auto_headers=("Accept-Encoding", "Content-Type", "User-Agent"),
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(lose_once,),
            )
        )
        table_signer, other_signer = await _signers(connection, stack)

        def endpoint(kind: str, url: str, signer: Signer) -> Endpoint:
            return Endpoint(kind, url, connection, session=session, signer=signer, patience=patience)

        yield Services(
            tables=Tables(endpoint("table", connection.table_url, table_signer)),
            queues=Queues(endpoint("queue", connection.queue_url, other_signer)),
            blobs=BlobContainers(endpoint("blob", connection.blob_url, other_signer)),
        )


async def _signers(connection: StorageConnection, stack: AsyncExitStack) -> tuple[Signer, Signer]:
    """What lets requests to tables in, and what lets requests to queues and blobs in."""
    match connection.credential:
        case AccountKey() as account:
            return shared_key_lite(account), shared_key(account)
        case SharedAccessSignature() as signature:
            signer = SignatureSigner(signature)
            return signer, signer
        case identity:
            tokens = TokenSigner(await stack.enter_async_context(open_identity(identity)), connection.setting)
            return tokens, tokens
