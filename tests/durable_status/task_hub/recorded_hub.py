"""The recorded hub: `tests/goldens/storage`, as the storage services answered."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from durable_status.task_hub.names import DEFAULT_PARTITION_COUNT, HubNames
from durable_status.task_hub.tables import Row, read_row
from tests.paths import GOLDENS

STORAGE = GOLDENS / "storage"
HUB = HubNames("StorageHub")
PARTITION_COUNT = DEFAULT_PARTITION_COUNT  # of the recorded hub, too
CONTAINER_URL = f"http://127.0.0.1:10000/devstoreaccount1/{HUB.large_messages_container}"
NAMES = sorted(path.stem for path in STORAGE.glob("*.json") if path.stem != "hub")
SERVICE_MEMBERS = frozenset({"odata.etag", "Timestamp"})
"""What the service adds to a row."""


def document(name: str) -> dict[str, Any]:
    """A recording."""
    found: dict[str, Any] = json.loads((STORAGE / f"{name}.json").read_text())
    return found


def as_put(members: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the extension put it, without what the service added."""
    return {name: value for name, value in members.items() if name not in SERVICE_MEMBERS}


def history(name: str) -> Iterator[tuple[dict[str, Any], Row]]:
    """The rows of the History table of a recording: as the service answers, and as values."""
    for members in document(name)["history"]:
        yield members, read_row(members)


def instances(name: str) -> Iterator[tuple[dict[str, Any], Row]]:
    """The rows of the Instances table of a recording: as the service answers, and as values."""
    for members in document(name)["instances"]:
        yield members, read_row(members)


def messages(name: str) -> list[dict[str, Any]]:
    """Every message put for the instances of a recording; a snapshot's are with the later one."""
    found = document(name)["messages"]
    if isinstance(found, list):
        return found
    (later,) = (other for other in NAMES if other.startswith(f"{name.partition('-1')[0]}-2"))
    return messages(later)
