"""The part of the Functions host's ``/admin`` that tools use: its status, the functions, and calling one directly."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from durable_status.app.functions import ENTITY_TRIGGER, ORCHESTRATION_TRIGGER, AppFunction
from durable_status.local_host.keys import Access, Keys, presented_key
from durable_status.local_host.library_version import library_version
from durable_status.local_host.reply import Receive, Reply, Scope, Send, bare, json_text, read_body

ADMIN_BASE = "/admin"

logger = logging.getLogger(__name__)

_VERSION = "4.0.0"  # of the Functions host, for tools that ask
_NOT_DIRECT = {
    ORCHESTRATION_TRIGGER: (
        "Durable orchestrator functions do not support direct invocation. "
        "Start an orchestration from a client function by using a Durable client."
    ),
    ENTITY_TRIGGER: (
        "Durable entity functions do not support direct invocation. "
        "Signal an entity from a client function by using a Durable client."
    ),
}

Call = Callable[[AppFunction, str], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFunction:
    """A function with where it is served, and how to call it directly; None: this host does not run it."""

    function: AppFunction
    path: str | None
    call: Call | None


class Admin:
    """The ASGI application of what is under ``/admin``."""

    def __init__(self, listed: Sequence[ListedFunction], origin: str, keys: Keys | None) -> None:
        """Without `keys` everybody may call it."""
        self._listed = {item.function.name.casefold(): item for item in listed}
        self._origin = origin
        self._keys = keys
        self._instance_id = uuid.uuid4().hex
        self._began = time.monotonic()
        self._busy: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Let functions that were called directly run while the context lasts."""
        try:
            yield
        finally:
            for task in self._busy:
                task.cancel()
            await asyncio.gather(*self._busy, return_exceptions=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        body = await read_body(receive)
        if body is not None:
            await self._answer(scope, body).send(send)

    def _answer(self, scope: Scope, body: bytes) -> Reply:
        segments = [segment for segment in scope["path"].split("/")[2:] if segment]
        operation = [scope["method"], *(segment.casefold() for segment in segments)]
        if operation in (["GET", "host", "ping"], ["POST", "host", "ping"]):
            return bare(200)
        if self._keys is not None:
            access = self._keys.to_admin(presented_key(scope))
            if access is not Access.GRANTED:
                return bare(access.value)
        match operation:
            case ["GET", "host", "status"]:
                return _json(self._status())
            case ["GET", "functions"]:
                return _json([self._describe(item) for item in self._listed.values()])
            case ["GET", "functions", name] if name in self._listed:
                return _json(self._describe(self._listed[name]))
            case ["POST", "functions", name]:
                return self._call(name, body)
            case _:
                return bare(404)

    def _status(self) -> dict[str, Any]:
        return {
            "id": "durable-status",
            "state": "Running",
            "version": _VERSION,
            "versionDetails": f"durable-status {library_version()}",
            "instanceId": self._instance_id,
            "processUptime": round((time.monotonic() - self._began) * 1000),
            "errors": [],
        }

    def _describe(self, item: ListedFunction) -> dict[str, Any]:
        function = item.function
        href = f"{self._origin}{ADMIN_BASE}/functions/{function.name}"
        return {
            "name": function.name,
            "href": href,
            "config": {"name": function.name, "language": "python", "bindings": list(map(_binding, function.bindings))},
            "invoke_url_template": None if item.path is None else f"{self._origin}{item.path}".lower(),
            "language": "python",
            "isDisabled": function.is_disabled,
            "isDirect": False,
            "isProxy": False,
        }

    def _call(self, name: str, body: bytes) -> Reply:
        try:
            text = json.loads(body)["input"]
        except (ValueError, TypeError, KeyError):
            return bare(400)
        item = self._listed.get(name)
        if item is None:
            return bare(404)
        sentence = _NOT_DIRECT.get(item.function.trigger_type)
        if sentence is not None:
            logger.error("Function '%s': %s", item.function.name, sentence)
        elif item.call is None or item.function.is_disabled:
            logger.error("Function '%s' is not run here.", item.function.name)
        else:
            task = asyncio.create_task(_run(item.call, item.function, text if isinstance(text, str) else ""))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        return bare(202)


async def _run(call: Call, function: AppFunction, text: str) -> None:
    try:
        await call(function, text)
    except Exception as error:
        logger.error("Function '%s' failed: %s", function.name, error)


def _binding(binding: Mapping[str, Any]) -> dict[str, Any]:
    return {**binding, "direction": str(binding.get("direction", "IN")).lower()}


def _json(value: object) -> Reply:
    return json_text(200, json.dumps(value, ensure_ascii=False))
