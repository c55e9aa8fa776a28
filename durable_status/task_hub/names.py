"""Names in a task hub: tables, queues, containers, and the keys of rows (storage.md §1, §2.1, §3.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from durable_status.stored_json import well_formed

DEFAULT_PARTITION_COUNT = 4
MAX_PARTITION_COUNT = 16
SENTINEL = "sentinel"
"""The row key of the History row that locks an instance's history."""
INSTANCE_ROW_KEY = ""

# Up to 50 are accepted although the platform's own text says 45 (http.md §6.3).
_HUB_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{2,49}")
_ESCAPES = {"^": "^^", "/": "^0", "\\": "^1", "#": "^2", "?": "^3"}
_ESCAPES |= {chr(code): "^" + chr(0xC0 + code) for code in (*range(0x20), *range(0x7F, 0xA0))}
_ESCAPE_TABLE = str.maketrans(_ESCAPES)
_BLOB_ESCAPE_TABLE = str.maketrans({one: escape for one, escape in _ESCAPES.items() if one not in "^/#?"})
_UNESCAPES = {escape: character for character, escape in _ESCAPES.items()}
_FNV_OFFSET_BASIS = 2166136261
_FNV_PRIME = 16777619


@dataclass(frozen=True, slots=True)
class HubNames:
    """The tables, queues and containers of one hub. Tables keep the name's case; queues and containers cannot."""

    hub: str

    def __post_init__(self) -> None:
        """Check the name.

        Raises:
            ValueError: storage cannot have tables, queues and containers of that name.
        """
        if _HUB_NAME.fullmatch(self.hub) is None:
            raise ValueError(
                f"'{self.hub}' cannot be the name of a task hub; use ASCII letters and digits only, a letter first, "
                "3 to 50 of them."
            )

    @property
    def instances_table(self) -> str:
        """One row per instance."""
        return f"{self.hub}Instances"

    @property
    def history_table(self) -> str:
        """One row per event."""
        return f"{self.hub}History"

    @property
    def partitions_table(self) -> str:
        """Who reads which control queue, where the table partition manager is on."""
        return f"{self.hub}Partitions"

    @property
    def work_item_queue(self) -> str:
        """Activities to run."""
        return f"{self.hub.lower()}-workitems"

    @property
    def leases_container(self) -> str:
        """The hub's configuration, and who reads which control queue."""
        return f"{self.hub.lower()}-leases"

    @property
    def app_lease_container(self) -> str:
        """Which app runs the hub."""
        return f"{self.hub.lower()}-applease"

    @property
    def app_lease_blob(self) -> str:
        """The blob in the app-lease container."""
        return f"{self.hub.lower()}-appleaseinfo"

    @property
    def large_messages_container(self) -> str:
        """Texts too large for a row or a message; made when the first one is stored."""
        return f"{self.hub.lower()}-largemessages"

    def control_queue(self, partition: int) -> str:
        """The messages to the instances of one partition."""
        return f"{self.hub.lower()}-control-{partition:02d}"

    def control_queues(self, partition_count: int) -> list[str]:
        """All control queues, by partition.

        Raises:
            ValueError: a hub cannot have so many partitions.
        """
        if not 1 <= partition_count <= MAX_PARTITION_COUNT:
            raise ValueError(f"a task hub has 1 to {MAX_PARTITION_COUNT} partitions, not {partition_count}.")
        return [self.control_queue(partition) for partition in range(partition_count)]

    def control_queue_of(self, instance_id: str, partition_count: int) -> str:
        """The queue for messages to an instance."""
        return self.control_queue(partition_of(instance_id, partition_count))


def partition_of(instance_id: str, partition_count: int) -> int:
    """The partition of an instance; the id is taken as it is, not escaped."""
    return fnv1a(instance_id) % partition_count


def fnv1a(text: str) -> int:
    """The 32-bit FNV-1a hash of the text's UTF-8."""
    value = _FNV_OFFSET_BASIS
    for byte in well_formed(text).encode():
        value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return value


def escape_key(instance_id: str) -> str:
    """The partition key of an instance: what a key cannot hold is escaped with ``^``."""
    return instance_id.translate(_ESCAPE_TABLE)


def unescape_key(partition_key: str) -> str:
    """The instance id of a partition key; a ``^`` that begins no escape stays (senders before 2021 did not escape)."""
    return re.sub(r"\^(.)", lambda found: _UNESCAPES.get(found[0], found[0]), partition_key, flags=re.DOTALL)


def blob_folder(instance_id: str) -> str:
    """Where the blobs of an instance are, but for those of its history: under its id as it is, as on the platform.

    Only what no name of a blob can hold is escaped as in keys: a backslash, which the service takes for a slash, and
    control characters, for which it cannot list the container any more. The platform's clients refuse ids with them.
    """
    return instance_id.translate(_BLOB_ESCAPE_TABLE)


def history_row_key(index: int) -> str:
    """The row key of an execution's event number `index`, counted from 0."""
    return f"{index:016X}"


def is_entity_id(instance_id: str) -> bool:
    """Whether an instance is an entity's."""
    return instance_id.startswith("@")
