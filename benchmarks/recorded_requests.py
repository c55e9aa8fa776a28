"""The requests to a storage account that one instance takes, as a proxy saw them: what kind, how large, after which."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tests.fault_proxy import Exchange
from tests.storage_operations import decoded_messages

_MESSAGE_ID = re.compile(rb"<MessageId>(.*?)</MessageId>")
_MESSAGE_TEXT = re.compile(rb"<MessageText>(.*?)</MessageText>", re.DOTALL)
_ROWS = re.compile(rb"^(?:POST|PUT|PATCH|MERGE|DELETE) ", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """One request of an instance."""

    kind: str
    """As `tests.storage_operations` names it."""
    target: str
    """The end of the name of a table, a queue or a container."""
    size: int
    """Characters of a message, bytes of any other body."""
    rows: int = 0
    """Of a transaction, the sentinel included."""
    message: str | None = None
    """Which message it puts, changes or deletes."""
    after: int
    """How many requests of the instance had been answered when it was sent."""


def requests_of(instance_id: str, exchanges: Sequence[Exchange]) -> list[RecordedRequest]:
    """The requests about an instance, in the order in which they were sent; polls in vain are about none."""
    about = sorted((seen for seen in exchanges if _is_about(instance_id, seen)), key=lambda seen: seen.began)
    return [replace(_request(seen), after=sum(other.ended <= seen.began for other in about)) for seen in about]


def write_requests(requests: Sequence[RecordedRequest], path: Path) -> None:
    """Write them for `read_requests`."""
    path.write_text(json.dumps([asdict(request) for request in requests]))


def read_requests(path: Path) -> list[RecordedRequest]:
    """Read what `write_requests` wrote."""
    return [RecordedRequest(**members) for members in json.loads(path.read_text())]


def last_started(exchanges: Sequence[Exchange]) -> str:
    """The id of the instance whose row was inserted last."""
    inserts = [seen.operation for seen in exchanges if seen.operation.kind == "insert row"]
    return str(json.loads(inserts[-1].body)["PartitionKey"])


def _is_about(instance_id: str, seen: Exchange) -> bool:
    texts: Iterator[str] = iter((seen.operation.path, seen.operation.text))
    if any(instance_id in text for text in texts):
        return True
    return seen.operation.kind == "get messages" and instance_id in decoded_messages(
        seen.answer.body if seen.answer else b""
    )


def _request(seen: Exchange) -> RecordedRequest:
    operation = seen.operation
    text = _MESSAGE_TEXT.search(operation.body)
    put = _MESSAGE_ID.search(seen.answer.body) if operation.kind == "put message" and seen.answer else None
    container = operation.target.partition("/")[0]
    return RecordedRequest(
        kind=operation.kind,
        target=re.sub(r"^.*?(Instances|History|-control-\d+|-workitems|-largemessages)$", r"\1", container).strip("-"),
        size=len(text[1]) if text and operation.kind == "put message" else len(operation.body),
        rows=len(_ROWS.findall(operation.body)) if operation.kind == "transaction" else 0,
        message=put[1].decode() if put else operation.message_id,
        after=0,
    )
