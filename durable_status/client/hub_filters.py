"""Which rows to read, as filters of the table service (storage.md §5). Keys are indexed; all else is a scan."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from durable_status.client.checks import moment_text
from durable_status.client.flows import Filters
from durable_status.instance_status import RuntimeStatus
from durable_status.stored_json import well_formed
from durable_status.task_hub.names import escape_key

# Entities' ids begin with @, and everything from it up to this is theirs.
_AFTER_ENTITIES = "A"
_LAST_BEFORE_SURROGATES = "\ud7ff"


def instances_filter(filters: Filters) -> str:
    """The instances of a list, entities left out where that costs nothing."""
    return " and ".join(_conditions(filters))


def partition_filter(partition_key: str) -> str:
    """All rows of one instance."""
    return f"PartitionKey eq {_quoted(partition_key)}"


def _conditions(filters: Filters) -> Iterator[str]:
    prefix = escape_key(well_formed(filters.instance_id_prefix))
    if prefix:
        yield f"PartitionKey ge {_quoted(prefix)}"
        if prefix[-1] < _LAST_BEFORE_SURROGATES:  # above them, the order of the service is not ours
            yield f"PartitionKey lt {_quoted(prefix[:-1] + chr(ord(prefix[-1]) + 1))}"
    else:
        yield f"(PartitionKey lt '@' or PartitionKey ge '{_AFTER_ENTITIES}')"
    if filters.created_from is not None:
        yield f"CreatedTime ge {_time(filters.created_from, 'created_from')}"
    if filters.created_to is not None:
        yield f"CreatedTime le {_time(filters.created_to, 'created_to')}"
    if filters.runtime_status:
        statuses = sorted(RuntimeStatus(status).value for status in filters.runtime_status)
        yield "(" + " or ".join(f"RuntimeStatus eq {_quoted(status)}" for status in statuses) + ")"


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _time(moment: datetime, name: str) -> str:
    return f"datetime'{moment_text(moment, name)}'"
