"""The least that a storage account's operations can cost a client in Python: kept connections and texts put together.

No retries, no parsing beyond the status, the length and what the next request needs, nothing checked. Azurite only:
paths begin with the account, connections are not encrypted.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from email.utils import formatdate
from urllib.parse import urlsplit

_VERSION = "2021-12-02"
_TABLE_VERSION = "2019-02-02"
_JSON = "application/json;odata=nometadata"
_BOUNDARY = "batch_floor"


class RawStorage:
    """One account over some kept connections to each service."""

    def __init__(self, connection_string: str, connections: int) -> None:
        settings = dict(part.split("=", 1) for part in connection_string.strip(";").split(";"))
        self._account = settings["AccountName"]
        self._key = base64.b64decode(settings["AccountKey"])
        self._pools = {
            service: _Pool(settings[f"{service.capitalize()}Endpoint"], connections)
            for service in ("blob", "queue", "table")
        }

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[RawStorage]:
        """Close the connections when the context ends."""
        try:
            yield self
        finally:
            for pool in self._pools.values():
                pool.close()

    async def warm_up(self) -> None:
        """Open all connections."""
        await asyncio.gather(*(pool.open_all() for pool in self._pools.values()))

    async def create_queue(self, queue: str) -> None:
        """Make a queue."""
        await self._signed("queue", "PUT", f"/{queue}", 201)

    async def create_table(self, table: str) -> None:
        """Make a table."""
        await self._table("POST", "/Tables", f'{{"TableName":"{table}"}}'.encode(), 204, prefer=True)

    async def create_container(self, container: str) -> None:
        """Make a container."""
        await self._signed("blob", "PUT", f"/{container}", 201, query={"restype": "container"})

    async def put_message(self, queue: str, size: int, invisible_seconds: int) -> tuple[str, str]:
        """Put a message of `size` characters; returns its id and its pop receipt."""
        body = f"<QueueMessage><MessageText>{'x' * size}</MessageText></QueueMessage>".encode()
        query = {"visibilitytimeout": str(invisible_seconds), "messagettl": "-1"}
        answer = (await self._signed("queue", "POST", f"/{queue}/messages", 201, body, query=query)).decode()
        return _between(answer, "MessageId"), _between(answer, "PopReceipt")

    async def get_messages(self, queue: str, limit: int) -> None:
        """Ask for messages."""
        query = {"numofmessages": str(limit), "visibilitytimeout": "30"}
        await self._signed("queue", "GET", f"/{queue}/messages", 200, query=query)

    async def delete_message(self, queue: str, message_id: str, pop_receipt: str) -> None:
        """Delete a message."""
        path = f"/{queue}/messages/{message_id}"
        await self._signed("queue", "DELETE", path, 204, query={"popreceipt": pop_receipt})

    async def put_blob(self, container: str, name: str, size: int) -> None:
        """Store a blob of `size` bytes."""
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
        await self._signed("blob", "PUT", f"/{container}/{name}", 201, b"x" * size, headers=headers)

    async def read_blob(self, container: str, name: str) -> None:
        """Read a blob."""
        await self._signed("blob", "GET", f"/{container}/{name}", 200)

    async def insert_row(self, table: str, key: str, size: int) -> None:
        """Insert a row of a body of `size` bytes."""
        await self._table("POST", f"/{table}", _row_text(key, "", size), 204, prefer=True)

    async def merge_row(self, table: str, key: str, size: int) -> None:
        """Merge into a row, which is made if it is missing."""
        await self._table("PATCH", _row_path(table, key, ""), _row_text(key, "", size), 204)

    async def read_row(self, table: str, key: str) -> None:
        """Read a row, which may be missing."""
        await self._table("GET", _row_path(table, key, ""), b"", 200, 404)

    async def query_rows(self, table: str, key: str) -> None:
        """Read all rows of a partition."""
        await self._table("GET", f"/{table}()", b"", 200, query=f"?$filter=PartitionKey%20eq%20'{key}'")

    async def transact(self, table: str, key: str, first: int, rows: int, size: int) -> None:
        """Store rows number `first` on, in one transaction of a body of about `size` bytes."""
        body = _batch(f"{self._pools['table'].base}/{table}", key, first, rows, size)
        await self._table("POST", "/$batch", body, 202, content_type=f"multipart/mixed; boundary={_BOUNDARY}")

    async def _table(
        self,
        method: str,
        path: str,
        body: bytes,
        *expected: int,
        query: str = "",
        content_type: str = "application/json",
        prefer: bool = False,
    ) -> bytes:
        pool, date = self._pools["table"], formatdate(usegmt=True)
        text = f"{date}\n/{self._account}{pool.path}{path}"  # SharedKeyLite of the table service
        headers = {
            "Authorization": f"SharedKeyLite {self._account}:{self._signature(text)}",
            "x-ms-date": date,
            "x-ms-version": _TABLE_VERSION,
            "DataServiceVersion": "3.0",
            "Accept": _JSON,
        }
        if body:
            headers["Content-Type"] = content_type
        if prefer:
            headers["Prefer"] = "return-no-content"
        return await pool.request(method, f"{path}{query}", headers, body, expected)

    async def _signed(
        self,
        service: str,
        method: str,
        path: str,
        expected: int,
        body: bytes = b"",
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        pool, query = self._pools[service], query or {}
        sent = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION, **(headers or {})}
        length = str(len(body)) if body else ""
        canonical = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent) if name.startswith("x-ms-"))
        resource = f"/{self._account}{pool.path}{path}" + "".join(f"\n{name}:{query[name]}" for name in sorted(query))
        fields = (method, "", "", length, "", sent.get("Content-Type", ""), *([""] * 6))
        sent["Authorization"] = (
            f"SharedKey {self._account}:{self._signature(chr(10).join(fields) + chr(10) + canonical + resource)}"
        )
        text = "&".join(f"{name}={_quoted(value)}" for name, value in query.items())
        return await pool.request(method, f"{path}?{text}" if text else path, sent, body, (expected,))

    def _signature(self, text: str) -> str:
        return base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()


class _Pool:
    """Connections to one service, each kept as long as the service keeps it."""

    def __init__(self, endpoint: str, connections: int) -> None:
        parts = urlsplit(endpoint)
        self.base, self.path = endpoint, parts.path
        self._address = (parts.hostname or "", parts.port or 80)
        self._connections = connections
        self._free = asyncio.Semaphore(connections)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def open_all(self) -> None:
        """Open what may be used at once."""
        missing = self._connections - len(self._idle)
        self._idle += await asyncio.gather(*(asyncio.open_connection(*self._address) for _ in range(missing)))

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, expected: Collection[int]
    ) -> bytes:
        lines = [f"{method} {self.path}{path} HTTP/1.1", f"Host: {self._address[0]}:{self._address[1]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {len(body)}\r\n\r\n")
        request = "\r\n".join(lines).encode() + body
        async with self._free:
            while True:
                is_new = not self._idle
                reader, writer = await asyncio.open_connection(*self._address) if is_new else self._idle.pop()
                try:
                    writer.write(request)
                    status, answer = await _read_answer(reader)
                except (ConnectionError, asyncio.IncompleteReadError):
                    writer.close()
                    if is_new:
                        raise
                    continue  # it was idle for longer than the service waits
                self._idle.append((reader, writer))
                break
        if status not in expected:
            raise ValueError(f"{method} {path} was answered {status}: {answer[:500]!r}")
        return answer

    def close(self) -> None:
        """Close what is idle; nothing is in use any more."""
        for _, writer in self._idle:
            writer.close()


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        return int(head[9:12]), await _read_chunks(reader)
    _, found, rest = lower.partition(b"content-length:")
    length = int(rest.partition(b"\r\n")[0]) if found else 0
    return int(head[9:12]), await reader.readexactly(length)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    chunks = []
    while size := int(await reader.readline(), 16):
        chunks.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readexactly(2)
    return b"".join(chunks)


def _between(text: str, tag: str) -> str:
    return text.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]


def _quoted(text: str) -> str:
    return text.replace("%", "%25").replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


def _row_path(table: str, key: str, row_key: str) -> str:
    return f"/{table}(PartitionKey='{key}',RowKey='{row_key}')"


def _row_text(key: str, row_key: str, size: int) -> bytes:
    """A row's JSON, filled up to `size` bytes."""
    text = f'{{"PartitionKey":"{key}","RowKey":"{row_key}","Filling":"%s"}}'
    return (text % ("x" * max(0, size - len(text) + 2))).encode()


def _batch(table_url: str, key: str, first: int, rows: int, size: int) -> bytes:
    """The multipart body of a transaction that stores `rows` rows, filled up to about `size` bytes."""
    changeset = "changeset_floor"
    empty = [_part(changeset, table_url, key, first + index, 0) for index in range(rows)]
    filling = max(0, size - sum(map(len, empty))) // rows
    parts = [_part(changeset, table_url, key, first + index, filling) for index in range(rows)]
    head = f"--{_BOUNDARY}\r\nContent-Type: multipart/mixed; boundary={changeset}\r\n\r\n".encode()
    return head + b"".join(parts) + f"--{changeset}--\r\n--{_BOUNDARY}--\r\n".encode()


def _part(changeset: str, table_url: str, key: str, index: int, filling: int) -> bytes:
    row_key = f"{index:016X}"
    empty = len(_row_text(key, row_key, 0))
    row = _row_text(key, row_key, empty + filling)
    return (
        (
            f"--{changeset}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
            f"PUT {table_url}(PartitionKey='{key}',RowKey='{row_key}') HTTP/1.1\r\n"
            f"Accept: application/json;odata=nometadata\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(row)}\r\n\r\n"
        ).encode()
        + row
        + b"\r\n"
    )
