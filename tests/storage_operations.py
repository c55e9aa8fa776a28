"""What a request to a storage account does, in words: which service, what kind of operation, on what."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, unquote

Service = Literal["blob", "queue", "table"]

_QUEUE_MESSAGES = {"POST": "put message", "GET": "get messages", "DELETE": "clear messages"}
_QUEUE_MESSAGE = {"DELETE": "delete message", "PUT": "update message"}
_CONTAINER = {"PUT": "create", "GET": "read", "HEAD": "read", "DELETE": "delete"}
_BLOB = {"PUT": "put blob", "GET": "read blob", "HEAD": "read blob", "DELETE": "delete blob"}
_TABLE_ROW = {"POST": "insert row", "PUT": "replace row", "PATCH": "merge row", "MERGE": "merge row"}
_TABLE_ROW |= {"GET": "read row", "DELETE": "delete row"}
_TEXT_OF_MESSAGE = re.compile(r"<MessageText>(.*?)</MessageText>", re.DOTALL)
_READS = ("get messages", "read row", "query rows", "read blob", "read", "list", "metadata")
_OF_MESSAGE = ("delete message", "update message")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One request."""

    service: Service
    kind: str
    target: str
    """The queue, the table, or the container and the blob."""
    path: str = ""
    """With the query, nothing quoted."""
    body: bytes = b""

    @property
    def message_id(self) -> str | None:
        """The message that is deleted or changed."""
        return self.path.partition("?")[0].rpartition("/")[2] if self.kind in _OF_MESSAGE else None

    @property
    def text(self) -> str:
        """What it sends; the Base64 of a message is decoded."""
        return decoded_messages(self.body)

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.kind not in _READS

    @property
    def is_ownership(self) -> bool:
        """Whether it is about who owns the hub, which goes on whether there is work or not."""
        return self.service == "blob" and ("-leases" in self.target or "-applease" in self.target)

    def __str__(self) -> str:
        return f"{self.kind} {self.target}".rstrip()


def read_operation(service: Service, method: str, raw_path: str, body: bytes) -> Operation:
    """The operation behind a request; `raw_path` begins with the account, as on Azurite, and has the query."""
    path, _, query = raw_path.partition("?")
    _account, _, rest = path.lstrip("/").partition("/")
    kind, target = _PARSERS[service](method, unquote(rest), query, body)
    return Operation(service=service, kind=kind, target=target, path=unquote(raw_path), body=body)


def decoded_messages(body: bytes) -> str:
    """A request or an answer of a queue as text, the Base64 of messages decoded."""
    return _TEXT_OF_MESSAGE.sub(lambda found: _decoded(found[1]), body.decode(errors="replace"))


def _queue(method: str, path: str, query: str, _body: bytes) -> tuple[str, str]:
    name, _, rest = path.partition("/")
    if rest == "messages":
        return _QUEUE_MESSAGES[method], name
    if rest:
        return _QUEUE_MESSAGE[method], name
    return ("list" if "comp=list" in query else _CONTAINER[method]), name


def _table(method: str, path: str, _query: str, body: bytes) -> tuple[str, str]:
    if path == "$batch":
        found = re.search(rb"^(?:POST|PUT|PATCH|MERGE|DELETE) \S+/(\w+)[(\s?]", body, re.MULTILINE)
        return "transaction", found[1].decode() if found else ""
    name, _, keys = path.partition("(")
    if name == "Tables":
        return ("list" if method == "GET" else _CONTAINER[{"POST": "PUT"}.get(method, method)]), keys.strip("')")
    if method == "GET" and "RowKey=" not in keys:
        return "query rows", name
    return _TABLE_ROW[method], name


def _blob(method: str, path: str, query: str, _body: bytes) -> tuple[str, str]:
    parameters = parse_qs(query)
    comp = parameters.get("comp", [""])[0]
    if comp == "list":
        return "list", path
    if comp:
        return comp, path  # lease, metadata, block ...
    return (_CONTAINER if "restype" in parameters else _BLOB)[method], path


_PARSERS = {"blob": _blob, "queue": _queue, "table": _table}


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
