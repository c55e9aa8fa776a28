"""Messages in the queues of a storage account (storage.md §4).

Texts travel as they are, without an encoding of their own; the task hub's messages have one. Every request is tried
again when its answer is lost: a message may then be in the queue twice, and one that was fetched for nobody comes
back when its time is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from durable_status.local_host.storage.azure_storage.endpoint import Endpoint
from durable_status.local_host.storage.azure_storage.errors import MessageLostError, QueueMissingError
from durable_status.local_host.storage.azure_storage.refusals import Answer

MAX_RECEIVED = 32
"""How many messages one request answers at most."""
MAX_INVISIBLE_SECONDS = 7 * 24 * 3600

_HEADERS = {"Content-Type": "application/xml"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """The right to delete a message, or to keep it invisible, until another reader gets it."""

    queue: str
    message_id: str
    pop_receipt: str


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message in hand."""

    receipt: Receipt
    text: str
    dequeue_count: int
    inserted_on: datetime
    """Whole seconds, UTC."""


class Queues:
    """The queues of an account.

    Every method raises `StorageError` if the service cannot be used, and `QueueMissingError` if the queue is missing.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def create(self, queue: str) -> None:
        """Create a queue, if it is not there."""
        answer = await self._endpoint.send("PUT", f"/{queue}")
        if answer.status >= 400:
            raise self._endpoint.refusal(answer, queue)

    async def exists(self, queue: str) -> bool:
        """Whether there is such a queue."""
        answer = await self._endpoint.send("GET", f"/{queue}", query={"comp": "metadata"})
        if answer.status == 404:
            return False
        self._check(answer, queue)
        return True

    async def delete(self, queue: str) -> None:
        """Delete a queue and its messages, if it is there."""
        answer = await self._endpoint.send("DELETE", f"/{queue}")
        if answer.status != 404:
            self._check(answer, queue)

    async def put(self, queue: str, text: str, *, invisible_seconds: int = 0) -> Receipt:
        """Put a message that stays until it is deleted, and is not seen for `invisible_seconds` (7 days at most).

        `text` has to be what XML can carry, which no control characters are but tabs and ends of lines.
        """
        query = {"messagettl": "-1", "visibilitytimeout": str(invisible_seconds)}
        answer = await self._endpoint.send(
            "POST", f"/{queue}/messages", query=query, headers=_HEADERS, body=_message_body(text)
        )
        self._check(answer, queue)
        (message,) = _messages(answer)
        return _receipt(queue, message)

    async def get(self, queue: str, *, limit: int, invisible_seconds: int) -> list[QueuedMessage]:
        """Fetch up to `limit` (1 to 32) messages, which nobody else sees for `invisible_seconds`."""
        query = {"numofmessages": str(limit), "visibilitytimeout": str(invisible_seconds)}
        answer = await self._endpoint.send("GET", f"/{queue}/messages", query=query)
        self._check(answer, queue)
        return [
            QueuedMessage(
                _receipt(queue, message),
                message.findtext("MessageText", ""),
                int(message.findtext("DequeueCount", "0")),
                parsedate_to_datetime(message.findtext("InsertionTime", "")),
            )
            for message in _messages(answer)
        ]

    async def extend(self, receipt: Receipt, invisible_seconds: int) -> Receipt:
        """Keep a message invisible for `invisible_seconds` from now; the new receipt replaces the old one.

        Raises:
            MessageLostError: the message is gone, or another reader has got it.
        """
        query = {"popreceipt": receipt.pop_receipt, "visibilitytimeout": str(invisible_seconds)}
        answer = await self._endpoint.send("PUT", _message_path(receipt), query=query)
        self._check_message(answer, receipt)
        return Receipt(receipt.queue, receipt.message_id, answer.headers["x-ms-popreceipt"])

    async def delete_message(self, receipt: Receipt) -> None:
        """Delete a message.

        Raises:
            MessageLostError: the message is gone, or another reader has got it.
        """
        query = {"popreceipt": receipt.pop_receipt}
        self._check_message(await self._endpoint.send("DELETE", _message_path(receipt), query=query), receipt)

    def _check_message(self, answer: Answer, receipt: Receipt) -> None:
        if answer.status >= 400 and answer.code in ("MessageNotFound", "PopReceiptMismatch"):
            raise MessageLostError(
                f"a message in {receipt.queue} is gone or in other hands.", after_retry=answer.after_retry
            )
        self._check(answer, receipt.queue)

    def _check(self, answer: Answer, queue: str) -> None:
        if answer.status < 400:
            return
        if answer.status == 404:
            raise QueueMissingError(f"there is no queue {queue} in {self._endpoint.label}.")
        raise self._endpoint.refusal(answer, queue)


def _message_path(receipt: Receipt) -> str:
    return f"/{receipt.queue}/messages/{quote(receipt.message_id, safe='')}"


def _message_body(text: str) -> bytes:
    # XML reads a carriage return as the end of a line; Azurite breaks what is not ASCII if it arrives in two pieces.
    written = escape(text, {"\r": "&#13;"}).encode("ascii", "xmlcharrefreplace")
    return b"<QueueMessage><MessageText>" + written + b"</MessageText></QueueMessage>"


def _messages(answer: Answer) -> Sequence[ElementTree.Element]:
    # The parser of the standard library reads nothing from elsewhere, and expat limits what entities grow to.
    return ElementTree.fromstring(answer.body).findall("QueueMessage")


def _receipt(queue: str, message: ElementTree.Element) -> Receipt:
    return Receipt(queue, message.findtext("MessageId", ""), message.findtext("PopReceipt", ""))
