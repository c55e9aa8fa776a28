"""The ASGI application of the management API."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from durable_status.local_host.management.entities import EntityOperations
from durable_status.local_host.management.operations import Operations, Request
from durable_status.local_host.management.paths import RPC_BASE, WEBHOOK_BASE, match
from durable_status.local_host.management.query import Query
from durable_status.local_host.management.refusal import Refusal, bad_argument, failure
from durable_status.local_host.reply import Receive, Reply, Scope, Send, bare, json_text, read_body
from durable_status.replay.profile import Profile

logger = logging.getLogger(__name__)


class ManagementApi:
    """Serves the operations on both listeners; they differ in what is cut off the path.

    Requests that name the RPC endpoint as their host are addressed to its base, all others to the webhook's.
    """

    def __init__(
        self,
        operations: Operations,
        entities: EntityOperations,
        profile: Profile,
        *,
        hub: str,
        connections: frozenset[str],
        rpc_port: int,
    ) -> None:
        self._operations = operations
        self._entities = entities
        self._profile = profile
        self._hub = hub
        self._connections = connections
        self._rpc_hosts = {f"127.0.0.1:{rpc_port}", f"localhost:{rpc_port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = await read_body(receive)
        if body is not None:  # else the client has gone
            reply = await self._answer(scope, body)
            await reply.send(send)

    async def _answer(self, scope: Scope, body: bytes) -> Reply:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        base = RPC_BASE if host in self._rpc_hosts else WEBHOOK_BASE
        path = scope["raw_path"].decode("latin-1")
        if len(path) < len(base):
            return bare(400)
        found = match(scope["method"], path[len(base) :], decodes_first=self._profile.decodes_paths_first)
        if found is None:
            return bare(404)
        query = Query(scope["query_string"].decode("latin-1"))
        origin = f"{scope['scheme']}://{host}"
        request = Request(
            values=found.values,
            query=query,
            headers=headers,
            body=body,
            origin=origin,
            url=_request_url(origin, path, scope["query_string"].decode("latin-1")),
        )
        owner = self._entities if found.operation.endswith(("entity", "entities")) else self._operations
        operation: Callable[[Request], Awaitable[Reply]] = getattr(owner, found.operation)
        try:
            elsewhere = self._answer_for_another_hub(query, found.operation)
            return elsewhere or await operation(request)
        except Refusal as refusal:
            return refusal.reply
        except Exception as error:
            logger.exception("The management operation %s failed.", found.operation)
            return failure(str(error), type(error).__name__).reply

    def _answer_for_another_hub(self, query: Query, operation: str) -> Reply | None:
        """What a request gets that names another hub or connection; this host has only its own."""
        connection = (query.text("connection") or "").strip()
        if connection and connection not in self._connections:
            raise failure(f"Unable to resolve the Azure Storage connection named '{connection}'.")
        hub = (query.text("taskHub") or "").strip()
        if not hub or hub.casefold() == self._hub.casefold():
            return None
        if operation in ("list_instances", "list_entities"):
            return json_text(200, "[]", ("x-ms-continuation-token", ""))
        if operation in ("start", "signal_entity", "delete_entity"):
            raise bad_argument(f"This host serves the task hub '{self._hub}' only, not '{hub}'.")
        return bare(404)


def _request_url(origin: str, path: str, query: str) -> str:
    """The URL as it was requested, with what a header must not hold escaped."""
    url = f"{origin}{path}?{query}" if query else f"{origin}{path}"
    return quote(url, safe="%/:=&?~#+!$,;'@()*[]-._")
