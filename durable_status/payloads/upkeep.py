"""Puts a status into a store, and takes older ones of the instance out."""

from __future__ import annotations

import logging
from datetime import timedelta

from durable_status.errors import PayloadError
from durable_status.offloaded import PayloadStore, is_older

logger = logging.getLogger(__name__)

_GRACE = timedelta(minutes=10)


def store_status(store: PayloadStore, instance_id: str, name: str, text: str) -> None:
    """Keep a status, and delete those that no reader can come back for.

    The one before is kept: readers see it until the orchestrator goes on. So is what is at most ten minutes older
    than this one: somebody may have read a reference to it and come for it later. Nothing newer is deleted, for an
    activity may run again after others.

    Raises:
        PayloadError: it could not be stored.
    """
    store.put(instance_id, name, text)
    try:
        before = sorted(other for other in store.names(instance_id) if other < name)
        store.delete(instance_id, [other for other in before[:-1] if is_older(other, name, _GRACE)])
    except PayloadError as error:
        # The status is there, which is what the orchestrator waits for. The next one, or a purge, takes them out.
        logger.warning("Older statuses of %r stay where they are: %s", instance_id, error)
