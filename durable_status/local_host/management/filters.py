"""Which instances a list is about."""

from __future__ import annotations

from durable_status.local_host.management.query import Query
from durable_status.local_host.management.refusal import bad_argument
from durable_status.local_host.storage.provider import InstanceFilter


def instance_filter(query: Query) -> InstanceFilter:
    """Read the filter of a list.

    Raises:
        Refusal: 400, the status ``Unknown`` is asked for.
    """
    if query.names_unknown_status("runtimeStatus"):
        raise bad_argument("Requested value 'Unknown' was not found.")
    return InstanceFilter(
        created_from=query.moment("createdTimeFrom"),
        created_to=query.moment("createdTimeTo"),
        statuses=query.statuses("runtimeStatus"),
        id_prefix=query.text("instanceIdPrefix") or "",
    )
