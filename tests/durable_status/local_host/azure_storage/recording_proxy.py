"""A queue service before the queue service: it passes everything on and notes every message that is put."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import aiohttp
from aiohttp import web
from yarl import URL

_QUEUES = re.compile(r"QueueEndpoint=([^;]+)")
_NOT_PASSED_ON = frozenset({"host", "connection", "keep-alive", "transfer-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """A Put Message as it came in."""

    queue: str
    query: str
    body: bytes
    group: int
    """Requests that were under way at the same time have the same."""

    def as_recorded(self) -> dict[str, Any]:
        """What it puts, in the form of the recordings."""
        text = ElementTree.fromstring(self.body).findtext("MessageText") or ""
        encoding, plain = ("json", text) if text.startswith("{") else ("base64", _decoded(text))
        return {"queue": self.queue, "query": self.query, "encoding": encoding, "body": json.loads(plain)}


@dataclass(kw_only=True)
class RecordingProxy:
    """What has been put so far."""

    connection_string: str = ""
    """Of the account with the proxy for its queues."""
    _requests: list[_Request] = field(default_factory=list)
    _under_way: int = 0
    _group: int = 0

    @property
    def puts(self) -> list[dict[str, Any]]:
        """The messages in their order, as the recordings have them.

        A host puts those of one commit at the same time, each on a connection of its own; then their own numbers tell
        the order. One that is in a blob shows none, and stays behind what came before it.
        """
        numbered: list[tuple[int, int, dict[str, Any]]] = []
        for request in self._requests:
            put = request.as_recorded()
            before = [number for group, number, _ in numbered if group == request.group]
            numbered.append((request.group, put["body"].get("SequenceNumber") or max(before, default=0), put))
        return [put for _, _, put in sorted(numbered, key=lambda one: one[:2])]

    @contextmanager
    def noting(self, request: web.BaseRequest, body: bytes) -> Iterator[Callable[[], None]]:
        """Note a Put Message while it is under way; what is yielded takes it back, as it was refused."""
        self._group += not self._under_way
        self._under_way += 1
        queue = request.path.split("/")[-2]
        noted = _Request(queue=queue, query=request.query_string, body=body, group=self._group)
        self._requests.append(noted)
        try:
            yield lambda: self._requests.remove(noted)
        finally:
            self._under_way -= 1


@asynccontextmanager
async def recording_proxy(connection_string: str) -> AsyncIterator[RecordingProxy]:
    """Listen before the queue service of an account while the context lasts.

    A request goes on as it came, the account's path in it: so its signature holds.
    """
    found = _QUEUES.search(connection_string)
    assert found is not None, "the connection string names no address of the queue service"
    account = URL(found[1])
    proxy = RecordingProxy()
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def pass_on(request: web.BaseRequest) -> web.StreamResponse:
            body = await request.read()
            if request.method != "POST" or not request.path.endswith("/messages"):
                return await send(request, body)
            with proxy.noting(request, body) as take_back:
                answer = await send(request, body)
                if answer.status != 201:
                    take_back()
                return answer

        async def send(request: web.BaseRequest, body: bytes) -> web.Response:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
            url = URL(f"{account.origin()}{request.raw_path}", encoded=True)
            async with session.request(
                request.method, url, data=body, headers=headers, skip_auto_headers=["User-Agent", "Content-Type"]
            ) as answer:
                content = await answer.read()
            told = {name: value for name, value in answer.headers.items() if name.lower() not in _NOT_PASSED_ON}
            return web.Response(status=answer.status, body=content, headers=told)

        runner = web.ServerRunner(web.Server(pass_on))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            url = f"http://127.0.0.1:{runner.addresses[0][1]}{account.path}"
            proxy.connection_string = _QUEUES.sub(f"QueueEndpoint={url}", connection_string)
            yield proxy
        finally:
            await runner.cleanup()


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise AssertionError(f"a message was put that is neither JSON nor Base64 of UTF-8: {text[:80]}") from error
