"""A status that is too large: the reference that stands for it, and what keeps it.

As a custom status the reference is an object that `set_custom_status` refuses to anybody else::

    {
        "durableStatusOffloaded": 1,
        "reference": "status-20260102T030405000006-6b86b273ff34fce1.json.gz",
        "size": 40218,
        "contentType": "application/json"
    }

The number is the version of this form. ``reference`` is the name of a blob in the instance's own folder, which no
reader takes from the reference: so a status cannot point at what belongs to another instance. The name is made of
the time of the episode and of what is in the blob. So an activity that runs twice writes one blob, names are in the
order of the statuses, and a reader knows whether it got what was stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Protocol, Self

from durable_status.errors import PayloadError, StatusDecodeError
from durable_status.stored_json import Json, utf16_size

OFFLOADED_KEY = "durableStatusOffloaded"
"""The member that marks a custom status as a reference."""
BLOB_PREFIX = "status-"
"""What the names of all blobs begin with; the platform's own in the same folder begin otherwise."""

_VERSION = 1
_CONTENT_TYPE = "application/json"
_MOMENT = "%Y%m%dT%H%M%S%f"
_DIGITS = 16  # of the hash: enough to tell that a blob is another
_NAME = re.compile(rf"{BLOB_PREFIX}\d{{8}}T\d{{12}}-([0-9a-f]{{{_DIGITS}}})\.json\.gz")


@dataclass(frozen=True, slots=True)
class Offloaded:
    """A status that is in a payload store, to a reader who has none."""

    reference: str
    """The name of the blob in the instance's folder."""
    size: int
    """Bytes of UTF-16 of its JSON text: the unit of the limit that it is over."""

    @classmethod
    def of(cls, text: str, moment: datetime) -> Self:
        """The reference to a status that is published at `moment`; `text` is its stored JSON."""
        return cls(f"{BLOB_PREFIX}{moment:{_MOMENT}}-{_digest(text)}.json.gz", utf16_size(text))

    @classmethod
    def from_json(cls, status: Any) -> Self | None:
        """Read a custom status; None when it is one of its own.

        Raises:
            StatusDecodeError: it is marked as a reference, and is none that this version knows.
        """
        match status:
            case {"durableStatusOffloaded": 1, "reference": str(reference), "size": int(size)} if _NAME.fullmatch(
                reference
            ):
                return cls(reference, size)
            case {"durableStatusOffloaded": version}:
                raise StatusDecodeError(
                    f"The status is in storage, under a reference of version {version!r} that this version of "
                    "durable-status cannot read. Update it.",
                    status_type=cls,
                    payload=status,
                )
            case _:
                return None

    def to_json(self) -> dict[str, Json]:
        """The custom status that stands for the large one."""
        return {
            OFFLOADED_KEY: _VERSION,
            "reference": self.reference,
            "size": self.size,
            "contentType": _CONTENT_TYPE,
        }

    def read(self, text: str) -> Json:
        """The status, from what the store holds.

        Raises:
            PayloadError: that is not what was stored.
        """
        name = _NAME.fullmatch(self.reference)
        if name is None or name[1] != _digest(text):
            raise PayloadError(
                f"The blob {self.reference} is not the status that was stored there: it has {utf16_size(text):,} "
                f"bytes, and {self.size:,} were stored. Something else has written to it; publish the status again."
            )
        status: Json = json.loads(text)
        return status


class PayloadStore(Protocol):
    """Keeps offloaded statuses: blobs by instance and name. Used from several threads, and waited for.

    `durable_status.payloads` has one in blob storage and one in a folder. Every method raises `PayloadError` when the
    store cannot be reached or does not let it.
    """

    def put(self, instance_id: str, name: str, text: str) -> None:
        """Keep `text`. It may be there already, and is the same then."""

    def get(self, instance_id: str, name: str) -> str:
        """The text.

        Raises:
            PayloadMissingError: there is none.
        """

    def names(self, instance_id: str) -> Collection[str]:
        """The names of what is kept for an instance."""

    def delete(self, instance_id: str, names: Collection[str]) -> None:
        """Delete these; what is not there is deleted already."""


def is_older(name: str, than: str, by: timedelta) -> bool:
    """Whether the status called `name` was published more than so long before the one called `than`."""
    return _moment(name) + by < _moment(than)


def _moment(name: str) -> datetime:
    return datetime.strptime(name.removeprefix(BLOB_PREFIX).partition("-")[0], _MOMENT)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_DIGITS]
