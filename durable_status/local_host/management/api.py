"""The ASGI application of the management API."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from durable_status.app.links import RPC_BASE, WEBHOOK_BASE
from durable_status.local_host.errors import StorageError
from durable_status.local_host.management.callers import Callers
from durable_status.local_host.management.paths import match, request_url, resolve_dots
from durable_status.local_host.management.query import Query
from durable_status.local_host.management.refusal import OUT_OF_RANGE, Refusal, bad_argument, failure, storage_failure
from durable_status.local_host.management.request import Operation, Request
from durable_status.local_host.reply import Receive, Reply, Scope, Send, bare, json_text, read_body
from durable_status.replay.profile import Profile

logger = logging.getLogger(__name__)

_LONGEST_REQUEST_LINE = 8192
_ROUND_REQUEST_LINE = len("  HTTP/1.1\r\n")
_HUB_NAME = re.compile("[A-Za-z][A-Za-z0-9]{0,53}")  # its tables' names have 63 characters at most
_BAD_HUB_NAME = "Invalid table name. Check MSDN for more information about valid table naming."
_SHORT_PATH = "startIndex cannot be larger than length of string. (Parameter 'startIndex')"
_EVENT_WITH_SLASH = re.compile(r".*/instances/[^/]+/raiseEvent/(.+(?:/|%2F).+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the management API knows of its host."""

    hub: str
    connections: frozenset[str]
    rpc_port: int | None
    uses_forwarded_host: bool
    profile: Profile


class ManagementApi:
    """Serves the operations on both listeners; they differ in what is cut off the path and in who may call.

    Requests that name the RPC endpoint as their host are addressed to its base, all others to the webhook's.
    """

    def __init__(self, operations: Mapping[str, Operation], surroundings: Surroundings, callers: Callers) -> None:
        self._operations = operations
        self._here = surroundings
        self._callers = callers
        self._rpc_hosts = {f"{name}:{surroundings.rpc_port}" for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        refusal = self.refusal(scope)
        if refusal is not None:
            await refusal.send(send)
            return
        body = await read_body(receive)
        if body is not None:  # else the client has gone
            reply = await self._answer(scope, _headers(scope), body)
            await reply.for_version(scope["http_version"]).send(send)

    def refusal(self, scope: Scope) -> Reply | None:
        """What is refused before the handler, as by the platform's server; and whom we do not let in."""
        headers = _headers(scope)
        target: bytes = scope["raw_path"] + b"?" * bool(scope["query_string"]) + scope["query_string"]
        if len(scope["method"]) + len(target) + _ROUND_REQUEST_LINE > _LONGEST_REQUEST_LINE:
            return bare(414)
        if b"%00" in scope["raw_path"]:
            return bare(400)
        if not headers.get("host"):
            is_newer = "host" not in headers and scope["http_version"] == "1.1"  # which must have it
            return bare(400 if is_newer else 500)
        return self._callers.refuse(scope["server"][1], headers)

    async def _answer(self, scope: Scope, headers: Mapping[str, str], body: bytes) -> Reply:
        base = RPC_BASE if headers["host"].casefold() in self._rpc_hosts else WEBHOOK_BASE
        path, query = resolve_dots(scope["raw_path"].decode("latin-1")), scope["query_string"].decode("latin-1")
        if len(path) < len(base):
            return bad_argument(_SHORT_PATH, OUT_OF_RANGE).reply
        found = match(scope["method"], path[len(base) :], decodes_first=self._here.profile.decodes_paths_first)
        if found is None:
            _tell_lost_event(path)
            return bare(404)
        operation = self._operations[found.operation]
        request = Request(
            values=found.values,
            query=Query(query),
            headers=headers,
            body=body,
            origin=self._origin(scope, headers),
            url=request_url(f"{scope['scheme']}://{headers['host']}", path, query),
        )
        self._note_invocation(found.operation, headers)
        try:
            elsewhere = self._answer_for_another_hub(request.query, found.operation)
            return elsewhere or await operation(request)
        except Refusal as refusal:
            return refusal.reply
        except StorageError as error:
            logger.error("The management operation %s failed: %s", found.operation, error)
            return failure(str(error)).reply
        except Exception:
            logger.exception("The management operation %s failed.", found.operation)
            return failure("The local host failed; its log says why.").reply

    def _origin(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """Scheme and host for the URLs in the answer."""
        if self._here.uses_forwarded_host and self._here.profile.takes_forwarded_hosts:
            forwarded, scheme = headers.get("x-forwarded-host"), headers.get("x-forwarded-proto")
            if forwarded and scheme:
                return f"{scheme}://{forwarded}"
        return f"{scope['scheme']}://{headers['host']}"

    def _note_invocation(self, operation: str, headers: Mapping[str, str]) -> None:
        invocation = headers.get("x-azure-functions-invocationid")
        if invocation is not None and self._here.profile.takes_versions_and_traces:
            logger.debug("Operation %s of function invocation %s.", operation, invocation)

    def _answer_for_another_hub(self, query: Query, operation: str) -> Reply | None:
        """What a request gets that names another hub or connection; this host has only its own."""
        connection = (query.text("connection") or "").strip()
        if connection and connection not in self._here.connections:
            raise failure(f"Unable to resolve the Azure Storage connection named '{connection}'.")
        hub = (query.text("taskHub") or "").strip()
        if not hub or hub.casefold() == self._here.hub.casefold():
            return None
        if _HUB_NAME.fullmatch(hub) is None:
            raise self._bad_hub_name()
        if operation in ("list_instances", "list_entities"):
            return json_text(200, "[]", ("x-ms-continuation-token", ""))
        if operation in ("start", "signal_entity", "delete_entity"):
            raise bad_argument(f"This host serves the task hub '{self._here.hub}' only, not '{hub}'.")
        return None if operation == "make_primary" else bare(404)

    def _bad_hub_name(self) -> Refusal:
        if self._here.profile.refuses_hub_names_with == 400:
            return bad_argument(_BAD_HUB_NAME)
        return storage_failure()


def _tell_lost_event(path: str) -> None:
    """Say why there is no route for an event: the SDK's client only says that there is no such instance."""
    found = _EVENT_WITH_SLASH.fullmatch(path)
    if found is not None:
        logger.warning(
            "The event %r was not raised: a slash ends its name in the URL. Give the event a name without one.",
            unquote(found[1]),
        )


def _headers(scope: Scope) -> Mapping[str, str]:
    """The headers, names in lower case; repeated ones joined with commas."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers
