"""An HTTP answer as a value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

from durable_status.stored_json import dump_stored

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Scope = MutableMapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Status, headers and body. A body without a length goes out in chunks, as the platform's JSON does."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def for_version(self, http_version: str) -> Reply:
        """The answer as a client of this version of HTTP can read it: 1.0 knows no chunks."""
        is_measured = http_version != "1.0" or any(name == "Content-Length" for name, _ in self.headers)
        return self if is_measured else replace(self, headers=(*self.headers, ("Content-Length", str(len(self.body)))))

    async def send(self, send: Send) -> None:
        """Send it over ASGI."""
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def bare(status: int, *headers: tuple[str, str]) -> Reply:
    """An answer without a body."""
    return Reply(status=status, headers=(*headers, ("Content-Length", "0")))


def json_text(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    """An answer whose body is JSON text."""
    return Reply(
        status=status, headers=(("Content-Type", "application/json; charset=utf-8"), *headers), body=text.encode()
    )


def plain_text(status: int, text: str) -> Reply:
    """An answer that a person reads."""
    return Reply(status=status, headers=(("Content-Type", "text/plain; charset=utf-8"),), body=text.encode())


def message(status: int, text: str) -> Reply:
    """An error of the management API that comes from no exception."""
    return json_text(status, dump_stored({"Message": text}))


async def read_body(receive: Receive, limit: int | None = None) -> bytes | None:
    """Read a request's body; None when it is larger than `limit` bytes or the client went away."""
    chunks: list[bytes] = []
    size = 0
    while True:
        part = await receive()
        if part["type"] != "http.request":
            return None
        chunks.append(part.get("body", b""))
        size += len(chunks[-1])
        if limit is not None and size > limit:
            return None
        if not part.get("more_body", False):
            return b"".join(chunks)
