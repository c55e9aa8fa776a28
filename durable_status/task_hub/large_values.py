"""Texts too large for a row or a message: they go to a blob, gzipped (storage.md §2.6, §3.6, §4)."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from durable_status.stored_json import utf16_size, well_formed

MAX_PROPERTY_SIZE = 60 * 1024
"""Bytes of UTF-16: a text above it goes to a blob."""
MAX_MESSAGE_SIZE = 45 * 1024
"""Bytes of UTF-8: a message above it goes to a blob."""

_SUFFIX = ".json.gz"


@dataclass(frozen=True, slots=True)
class InBlob:
    """A text that is in the hub's container of large messages; the caller has to fetch it."""

    blob_name: str

    @property
    def is_message(self) -> bool:
        """Whether the blob is a whole start message; the value is the input of its event."""
        return self.blob_name.endswith(f"ExecutionStarted{_SUFFIX}")


Text = str | InBlob


def is_large_property(text: str) -> bool:
    """Whether a text must not be a column."""
    return utf16_size(text) > MAX_PROPERTY_SIZE


def is_large_message(text: str) -> bool:
    """Whether a message's JSON must not be in a queue."""
    return len(well_formed(text).encode()) > MAX_MESSAGE_SIZE


def compress(text: str) -> bytes:
    """The content of a blob. Equal texts give equal bytes."""
    return gzip.compress(well_formed(text).encode(), mtime=0)


def decompress(content: bytes) -> str:
    """The text in a blob.

    Raises:
        ValueError: `content` is not gzipped UTF-8.
    """
    if not content:  # which gzip would take for an empty text
        raise ValueError("the blob is not gzipped text: it is empty")
    try:
        return gzip.decompress(content).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"the blob is not gzipped text: {error}") from error


def property_blob_name(partition_key: str, row_key: str, kind: str, column: str, suffix: str) -> str:
    """Where a column's text goes. `kind` is the event's type, or the column in the Instances table.

    `suffix` keeps blobs of one row apart from run to run: 8 random hexadecimal digits.
    """
    return f"{partition_key}/history-{row_key}-{kind}-{suffix.upper()}-{column}{_SUFFIX}"


def message_blob_name(instance_id: str, activity_id: str, event_type: str) -> str:
    """Where a message's JSON goes. The id is not escaped here, as on the platform."""
    return f"{instance_id}/message-{activity_id.replace('-', '')}-{event_type}{_SUFFIX}"


def blob_url(container_url: str, blob_name: str) -> str:
    """The address that the Instances table shows for a text in a blob."""
    return container_url.rstrip("/") + "/" + "/".join(quote(part, safe="") for part in blob_name.split("/"))


def blob_name_in(text: str, container: str) -> str | None:
    """The blob's name if `text` is the address of a blob in the hub's `container`, else None.

    The platform takes any address for one and asks there, with its credentials; a reason that is an address makes its
    readers fail. Here only a blob of the hub itself counts, whatever the host's name: `text` is never asked.
    """
    if not text.startswith(("http://", "https://")) or not text.endswith(_SUFFIX):
        return None
    try:
        path = urlsplit(text).path
    except ValueError:
        return None
    _, found, quoted = path.partition(f"/{container}/")
    name = unquote(quoted)
    return name if found and "/" in name and is_inside(name) else None


def is_inside(blob_name: str) -> bool:
    """Whether a blob of that name is in its container: HTTP clients take ``..`` for a step out of it."""
    return {".", ".."}.isdisjoint(blob_name.replace("\\", "/").split("/"))
