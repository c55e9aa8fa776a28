"""Which instances a list or a purge is about."""

from __future__ import annotations

from durable_status.local_host.management.query import Query, UnknownStatusError
from durable_status.local_host.management.refusal import bad_argument
from durable_status.local_host.storage.provider import InstanceFilter


def instance_filter(query: Query) -> InstanceFilter:
    """Read the filter of a list or a purge.

    Raises:
        Refusal: 400, the status ``Unknown`` is asked for.
    """
    try:
        statuses = query.statuses("runtimeStatus")
    except UnknownStatusError as error:
        raise bad_argument(f"Requested value '{error}' was not found.") from error
    return InstanceFilter(
        created_from=query.moment("createdTimeFrom"),
        created_to=query.moment("createdTimeTo"),
        statuses=statuses,
        id_prefix=query.text("instanceIdPrefix") or "",
    )
