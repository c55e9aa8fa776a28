"""Transactions of rows (``$batch``): their steps, how they are sent, and what is answered.

https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions. The body is one multipart
text with a request per step; building and reading it by hand costs little, and its few forms are fixed. Azurite reads
it with regular expressions: boundaries begin with ``batch_`` and ``changeset_``, a row is one line of JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from durable_status.local_host.storage.azure_storage.errors import TransactionTooLargeError
from durable_status.stored_json import dump_stored, well_formed
from durable_status.task_hub.tables import Row, row_json

MAX_STEPS = 100
MAX_SIZE = 4 * 1024 * 1024
"""Bytes of a transaction's body."""
CONTENT_TYPE = "multipart/mixed; boundary=batch_steps"

_START = b"--batch_steps\r\nContent-Type: multipart/mixed; boundary=changeset_steps\r\n\r\n"
_END = b"--changeset_steps--\r\n--batch_steps--\r\n"
_STEP_START = "--changeset_steps\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
_STEP_HEADERS = (
    "Content-Type: application/json\r\nAccept: application/json;odata=minimalmetadata\r\n"
    "Prefer: return-no-content\r\nDataServiceVersion: 3.0\r\n"
)
_PART = re.compile(r"^HTTP/1\.1 (\d{3})[^\n]*\n((?:[^\r\n]+\r?\n)*)", re.MULTILINE)
_ETAG = re.compile(r"^ETag: *(.*?)\r?$", re.MULTILINE | re.IGNORECASE)
_FAILED_STEP = re.compile(r'"value"\s*:\s*"(\d+):')


@dataclass(frozen=True, slots=True)
class Put:
    """Insert a row, or replace the one that is there."""

    row: Row


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert a row that must not be there."""

    row: Row


@dataclass(frozen=True, slots=True)
class Merge:
    """Change some columns of a row that must be as it was at `etag`."""

    row: Row
    etag: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a row that must be there, however it is."""

    partition_key: str
    row_key: str


Step = Put | Insert | Merge | Delete


@dataclass(frozen=True, slots=True)
class StepFailure:
    """The step at which a transaction failed, and why."""

    index: int
    status: int


def keys_of(step: Step) -> tuple[str, str]:
    """The partition key and the row key of a step."""
    if isinstance(step, Delete):
        return step.partition_key, step.row_key
    return str(step.row["PartitionKey"]), str(step.row["RowKey"])


def row_path(table: str, partition_key: str, row_key: str) -> str:
    """The address of a row within its service."""
    return f"/{table}(PartitionKey='{_key(partition_key)}',RowKey='{_key(row_key)}')"


def row_body(row: Row) -> bytes:
    """A row as it is sent alone, in ASCII: Azurite breaks other characters where a body arrives in two pieces.

    Raises:
        ValueError: a value is not of its column's type.
    """
    written = {name: well_formed(value) if isinstance(value, str) else value for name, value in row_json(row).items()}
    return json.dumps(written, separators=(",", ":")).encode()


def encode(table_url: str, table: str, steps: Sequence[Step]) -> bytes:
    """The body of a transaction.

    Raises:
        ValueError: there are no steps or too many, they are not of one partition, or two are of one row.
        TransactionTooLargeError: the body is too large.
    """
    _check(steps)
    body = b"".join((_START, *(_encode_step(table_url, table, step) for step in steps), _END))
    if len(body) > MAX_SIZE:
        raise TransactionTooLargeError(
            f"a transaction of {len(steps)} rows has {len(body)} bytes, the table service takes {MAX_SIZE}; "
            "nothing was sent."
        )
    return body


def decode(body: bytes, count: int) -> list[str | None] | StepFailure:
    """The ETags that `count` steps gave their rows, None where one was deleted; or which step failed.

    Raises:
        ValueError: the answer is no such thing.
    """
    text = body.decode()
    parts = _PART.findall(text)
    failed = next((int(status) for status, _ in parts if int(status) >= 400), None)
    if failed is not None:
        found = _FAILED_STEP.search(text)
        return StepFailure(int(found[1]) if found else 0, failed)
    if len(parts) != count:
        raise ValueError(f"the table service answered {len(parts)} steps of a transaction of {count}.")
    return [found[1] if (found := _ETAG.search(headers)) else None for _, headers in parts]


def _check(steps: Sequence[Step]) -> None:
    # Azurite answers more than 100 steps with something that is no HTTP.
    if not 1 <= len(steps) <= MAX_STEPS:
        raise ValueError(f"a transaction has 1 to {MAX_STEPS} steps, not {len(steps)}.")
    keys = [keys_of(step) for step in steps]
    if len({partition_key for partition_key, _ in keys}) > 1:
        raise ValueError("the steps of a transaction are of one partition.")
    if len(set(keys)) < len(keys):
        raise ValueError("the steps of a transaction are of different rows.")


def _encode_step(table_url: str, table: str, step: Step) -> bytes:
    path = row_path(table, *keys_of(step))
    match step:
        case Put():
            method, condition = "PUT", ""
        case Insert():
            method, condition, path = "POST", "", f"/{table}"
        case Merge():
            method, condition = "PATCH", f"If-Match: {step.etag}\r\n"
        case Delete():
            method, condition = "DELETE", "If-Match: *\r\n"
    head = f"{_STEP_START}{method} {table_url}{path} HTTP/1.1\r\n{_STEP_HEADERS}{condition}\r\n".encode()
    return head + (b"" if isinstance(step, Delete) else dump_stored(row_json(step.row)).encode()) + b"\r\n"


def _key(key: str) -> str:
    return quote(key.replace("'", "''"), safe="")
