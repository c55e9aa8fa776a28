"""Who reads which control queue: blobs of the lease container, the app lease, rows of the partitions table.

storage.md §1. Extension 2.13 holds two blobs per control queue: it acquires the *intent* first, then the *ownership*,
and reads the queue only then. Extension 3.x holds rows instead. Times are UTC texts, as everywhere in a hub.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from durable_status.stored_json import dump_stored
from durable_status.task_hub.names import fnv1a
from durable_status.task_hub.tables import Row, short_time_text, time_text

CONFIG_BLOB = "taskhub.json"
APP_LEASE_UNHELD = "{}"
"""The content of the app lease's blob before an app has held it."""


def intent_blob(control_queue: str) -> str:
    """The blob whose lease says who is to read a control queue."""
    return f"intent/{control_queue}"


def ownership_blob(control_queue: str) -> str:
    """The blob whose lease says who reads a control queue."""
    return f"ownership/{control_queue}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """The hub's configuration blob. The number of partitions stays for the life of the hub."""

    hub: str
    created_at: str
    partition_count: int

    def text(self) -> str:
        """The blob's content."""
        created_at = short_time_text(self.created_at)
        return dump_stored({"TaskHubName": self.hub, "CreatedAt": created_at, "PartitionCount": self.partition_count})

    @classmethod
    def from_text(cls, text: str) -> HubConfig:
        """Read the blob's content.

        Raises:
            ValueError: `text` is no configuration of a hub.
        """
        members = _members(text, {"TaskHubName": str, "CreatedAt": str, "PartitionCount": int}, CONFIG_BLOB)
        return cls(
            hub=members["TaskHubName"],
            created_at=time_text(members["CreatedAt"]),
            partition_count=members["PartitionCount"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionLease:
    """The content of an intent or ownership blob."""

    control_queue: str
    owner: str | None = None
    """A machine's name; None after a clean stop."""
    token: str | None = None
    """The id of the lease: a host of the same machine may renew it."""
    epoch: int = 0
    """Grows with each change of the owner."""

    def text(self) -> str:
        """The blob's content."""
        return dump_stored(
            {"PartitionId": self.control_queue, "Owner": self.owner, "Token": self.token, "Epoch": self.epoch}
        )

    @classmethod
    def from_text(cls, text: str) -> PartitionLease:
        """Read the blob's content.

        Raises:
            ValueError: `text` is no such content.
        """
        members = _members(text, {"PartitionId": str, "Epoch": int}, "a lease of a partition")
        return cls(
            control_queue=members["PartitionId"],
            owner=members.get("Owner"),
            token=members.get("Token"),
            epoch=members["Epoch"],
        )


def app_lease_id(app_name: str) -> str:
    """The id under which an app holds the lease of the app-lease container."""
    return f"{fnv1a(app_name):08x}-0000-0000-0000-000000000000"


def app_lease_text(owner_id: str) -> str:
    """The content of the app lease's blob while, and after, an app has held it."""
    return dump_stored({"OwnerId": owner_id, "DesiredSwapId": None})


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionRow:
    """A row of the partitions table; a hub has one per control queue, empty at first."""

    control_queue: str
    current_owner: str | None = None
    next_owner: str | None = None
    """Who waits for the owner to let go."""
    owned_since: str | None = None
    last_renewal: str | None = None
    expires_at: str | None = None
    is_draining: bool = False

    def row(self) -> Row:
        """The row as it is stored. All rows are in one partition, whose key is empty."""
        columns: dict[str, str | bool | None] = {
            "PartitionKey": "",
            "RowKey": self.control_queue,
            "CurrentOwner": self.current_owner,
            "NextOwner": self.next_owner,
            "OwnedSince": self.owned_since and time_text(self.owned_since),
            "LastRenewal": self.last_renewal and time_text(self.last_renewal),
            "ExpiresAt": self.expires_at and time_text(self.expires_at),
            "IsDraining": self.is_draining,
        }
        return {name: value for name, value in columns.items() if value is not None}

    @classmethod
    def from_row(cls, row: Row) -> PartitionRow:
        """Read a stored row."""
        texts = {name: None if value is None else str(value) for name, value in row.items()}
        return cls(
            control_queue=str(row["RowKey"]),
            current_owner=texts.get("CurrentOwner"),
            next_owner=texts.get("NextOwner"),
            owned_since=texts.get("OwnedSince"),
            last_renewal=texts.get("LastRenewal"),
            expires_at=texts.get("ExpiresAt"),
            is_draining=row.get("IsDraining") is True,
        )


def _members(text: str, needed: Mapping[str, type], what: str) -> dict[str, Any]:
    try:
        members = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{what} is no JSON: {error}.") from error
    for name, kind in needed.items():
        if not isinstance(members, dict) or type(members.get(name)) is not kind:
            raise ValueError(f"{what} has no {name}, or not as a task hub writes it.")
    found: dict[str, Any] = members
    return found
