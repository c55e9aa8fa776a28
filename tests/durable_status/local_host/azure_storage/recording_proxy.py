"""A queue service before the queue service: it passes everything on and notes every message that is put."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

import aiohttp
from aiohttp import web
from yarl import URL

_QUEUES = re.compile(r"QueueEndpoint=([^;]+)")
_NOT_PASSED_ON = frozenset({"host", "connection", "keep-alive", "transfer-encoding"})


@dataclass(kw_only=True)
class RecordingProxy:
    """The messages put so far in their order, as the recordings have them."""

    connection_string: str = ""
    """Of the account with the proxy for its queues."""
    puts: list[dict[str, Any]] = field(default_factory=list)

    def note(self, request: web.BaseRequest, body: bytes) -> dict[str, Any]:
        """Add what a request puts; a refused one is to be taken out again."""
        text = ElementTree.fromstring(body).findtext("MessageText") or ""
        encoding, plain = ("json", text) if text.startswith("{") else ("base64", _decoded(text))
        put = {
            "queue": request.path.split("/")[-2],
            "query": request.query_string,
            "encoding": encoding,
            "body": json.loads(plain),
            "text": plain,
        }
        self.puts.append(put)
        return put


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
            is_put = request.method == "POST" and request.path.endswith("/messages")
            put = proxy.note(request, body) if is_put else None
            headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
            url = URL(f"{account.origin()}{request.raw_path}", encoded=True)
            async with session.request(
                request.method, url, data=body, headers=headers, skip_auto_headers=["User-Agent", "Content-Type"]
            ) as answer:
                content = await answer.read()
            if put is not None and answer.status != 201:
                proxy.puts.remove(put)
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
