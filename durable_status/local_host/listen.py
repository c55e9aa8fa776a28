"""Listening sockets and the ASGI servers on them."""

from __future__ import annotations

import asyncio
import errno
import logging
import random
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from durable_status.local_host.errors import ListenError

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_RANDOM_PORTS = range(30_000, 31_000)
_ATTEMPTS = 10
_KEEP_ALIVE_SECONDS = 130  # as the Functions host's server; the SDK's client does not retry on a connection just closed


def listen(port: int, address: str = LOOPBACK) -> socket.socket:
    """Listen on a port, on loopback unless told otherwise; 0 takes any free one.

    Raises:
        ListenError: the port is taken or not allowed.
    """
    # Without the protocol named, asyncio does not switch off Nagle's algorithm: 40 ms more for every answer.
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if hasattr(socket, "SO_REUSEADDR") and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port that was just closed is free
    try:
        listener.bind((address, port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise ListenError(
                f"port {port} is in use; stop what listens there, or choose another with --port (0: any free one)."
            ) from error
        if getattr(error, "errno", None) == errno.EADDRNOTAVAIL:
            raise ListenError(f"{address} is no address of this machine; choose another with --address.") from error
        raise ListenError(f"port {port} cannot be listened on: {error}.") from error
    return listener


def listen_near(port: int) -> socket.socket:
    """Listen on `port`, or when it is taken on a random one, as the durable extension does for its RPC endpoint.

    Raises:
        ListenError: ten attempts found no free port.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        tried = port if attempt == 1 else random.choice(_RANDOM_PORTS)
        try:
            return listen(tried)
        except ListenError as error:
            logger.warning("Failed to open local port %d. This was attempt #%d to open a local port.", tried, attempt)
            if attempt == _ATTEMPTS:
                raise error
    raise AssertionError("unreachable")


def port_of(listener: socket.socket) -> int:
    """The port a socket listens on."""
    port: int = listener.getsockname()[1]
    return port


class AsgiServer:
    """Serves one ASGI application on one socket, inside a running event loop."""

    def __init__(self, application: Callable[..., Any], listener: socket.socket, grace_seconds: float) -> None:
        config = uvicorn.Config(
            application,
            http="httptools",
            ws="none",
            lifespan="off",
            loop="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the platform ignores X-Forwarded-*
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=max(1, round(grace_seconds)),
        )
        self._server = _Server(config)
        self._listener = listener

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer while the context lasts; requests in hand are finished."""
        serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        while not self._server.started and not serving.done():
            await asyncio.sleep(0)
        try:
            yield
        finally:
            self._server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals are the command's business: two servers share one process.
        yield
