"""Puts an offloaded status in the place of the reference to it.

A status that cannot be read does not end a list or a watch: its error is kept, and raised by `custom_status`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, TypeVar

from durable_status.client.steps import Discard, Fetch
from durable_status.errors import PayloadError, StatusDecodeError
from durable_status.instance_status import InstanceStatus
from durable_status.offloaded import PayloadStore

S = TypeVar("S")


def from_payload_store(instance_id: str, name: str) -> Generator[Fetch, Any, str | None]:
    """Ask the driver, which may have a payload store."""
    text: str | None = yield Fetch(instance_id, name)
    return text


def hydrated(
    status: InstanceStatus[S], read: Callable[[str, str], Generator[Any, Any, str | None]] = from_payload_store
) -> Generator[Any, Any, InstanceStatus[S]]:
    """The status, with what its reference points to, if it has one.

    Args:
        status: as the task hub shows it.
        read: reads the text of that name of an instance; None where there is nothing to read from.
    """
    try:
        offloaded = status.offloaded
        text = None if offloaded is None else (yield from read(status.instance_id, offloaded.reference))
        if offloaded is None or text is None:
            return status
        return replace(status, custom_status_json=offloaded.read(text))
    except StatusDecodeError:  # a reference of a newer version: custom_status says so
        return status
    except PayloadError as error:
        return replace(status, payload_error=error)


def perform(step: Fetch | Discard, store: PayloadStore) -> str | None:
    """Do what a flow asks of the payload store.

    Raises:
        PayloadError: it could not be done.
    """
    if isinstance(step, Fetch):
        return store.get(step.instance_id, step.name)
    store.delete(step.instance_id, store.names(step.instance_id))
    return None
