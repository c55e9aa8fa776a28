"""Which rows of the Instances table a list reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from durable_status.client.checks import moment_text
from durable_status.client.flows import Filters
from durable_status.instance_status import RuntimeStatus
from durable_status.task_hub.filters import all_of, created, with_prefix, with_status

# Entities' ids begin with @, and everything from it up to A is theirs.
_NO_ENTITIES = "(PartitionKey lt '@' or PartitionKey ge 'A')"


def instances_filter(filters: Filters) -> str:
    """The instances of a list, entities left out where that costs nothing."""
    return all_of(_conditions(filters))


def _conditions(filters: Filters) -> Iterator[str]:
    if filters.instance_id_prefix:
        yield from with_prefix(filters.instance_id_prefix)
    else:
        yield _NO_ENTITIES
    yield from created(_text(filters.created_from, "created_from"), _text(filters.created_to, "created_to"))
    if filters.runtime_status:
        yield with_status([RuntimeStatus(status) for status in filters.runtime_status])


def _text(moment: datetime | None, name: str) -> str | None:
    return None if moment is None else moment_text(moment, name)
