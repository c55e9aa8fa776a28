"""A proxy in front of one service that fails as it is told, request by request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

Fault = Literal["none", "reset", "reset after", "silence", "silence after"]
"""What happens to a request; *after*: once the service has carried it out."""


@dataclass
class FaultyProxy:
    """Where it is, and what it does to the requests to come; all after those pass."""

    url: str
    faults: list[Fault | int] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    """The methods of all requests, those with faults included."""

    def fail(self, *faults: Fault | int) -> None:
        """Fail the next requests so; a number is the status that is answered without asking the service."""
        self.faults.extend(faults)


@asynccontextmanager
async def faulty_proxy(service_url: str) -> AsyncIterator[FaultyProxy]:
    """A proxy for the service at an address."""
    parts = urlsplit(service_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    proxy = FaultyProxy("")
    async with aiohttp.ClientSession(skip_auto_headers=("Content-Type", "Accept-Encoding")) as session:

        async def answer(request: web.Request) -> web.StreamResponse:
            proxy.seen.append(request.method)
            fault = proxy.faults.pop(0) if proxy.faults else "none"
            body = await request.read()
            if isinstance(fault, int):
                return web.Response(status=fault, text="<Error><Code>ServerBusy</Code></Error>")
            if fault in ("none", "reset after", "silence after"):
                url = URL(origin + request.raw_path, encoded=True)
                async with session.request(
                    request.method, url, data=body or None, headers=_passed(request.headers.items())
                ) as response:
                    content = await response.read()
                    if fault == "none":
                        headers = _passed(response.headers.items())
                        return web.Response(status=response.status, headers=headers, body=content or None)
            if fault.startswith("silence"):
                await asyncio.Event().wait()
            assert request.transport is not None
            request.transport.abort()
            return web.Response()

        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        proxy.url = f"http://{host}:{port}{parts.path}"
        yield proxy
        await runner.cleanup()


def _passed(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    own = ("host", "connection", "transfer-encoding", "content-length", "keep-alive", "date", "server")
    return [(name, value) for name, value in headers if name.lower() not in own]
