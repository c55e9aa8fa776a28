"""Puts an offloaded status in the place of the reference to it.

A status that cannot be read does not end a list or a watch: its error is kept, and raised by `custom_status`.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any, TypeVar

from durable_status.client.steps import Discard, Fetch
from durable_status.errors import PayloadError, StatusDecodeError
from durable_status.instance_status import InstanceStatus
from durable_status.offloaded import PayloadStore

S = TypeVar("S")


def hydrated(status: InstanceStatus[S]) -> Generator[Fetch, Any, InstanceStatus[S]]:
    """The status, with what its reference points to, if it has one and the driver has a payload store."""
    try:
        offloaded = status.offloaded
        if offloaded is None:
            return status
        text = yield Fetch(status.instance_id, offloaded.reference)
        return status if text is None else replace(status, custom_status_json=offloaded.read(text))
    except StatusDecodeError:  # a reference of a newer version: custom_status says so
        return status
    except PayloadError as error:
        return replace(status, payload_error=error)


def hydrated_from(store: PayloadStore, status: InstanceStatus[S]) -> InstanceStatus[S]:
    """The same at once, for a reader that has the store at hand."""
    flow = hydrated(status)
    try:
        fetch = next(flow)
        try:
            text = store.get(fetch.instance_id, fetch.name)
        except PayloadError as error:
            flow.throw(error)
        else:
            flow.send(text)
    except StopIteration as end:
        read: InstanceStatus[S] = end.value
        return read
    raise AssertionError("a flow of one step")


def perform(step: Fetch | Discard, store: PayloadStore) -> str | None:
    """Do what a flow asks of the payload store.

    Raises:
        PayloadError: it could not be done.
    """
    if isinstance(step, Fetch):
        return store.get(step.instance_id, step.name)
    store.delete(step.instance_id, store.names(step.instance_id))
    return None
