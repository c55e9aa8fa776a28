"""What the host does to the SDK beyond `durable_status.app.sdk`: it keeps what was read, and closes what stays open.

Every episode hands the SDK its instance's whole history, which reads it all again; see `trigger_reader`. And the SDK's
clients share an HTTP session that belongs to the event loop of their functions.
"""

from __future__ import annotations

import functools
import importlib

from durable_status.local_host.trigger_reader import read_events_once


@functools.cache  # once per process: a second time would wrap what was wrapped
def keep_read_events() -> None:
    """Have the SDK read each event of a history once; another release of it stays as it is."""
    module = importlib.import_module("azure.durable_functions.models.DurableOrchestrationContext")
    context_class = getattr(module, "DurableOrchestrationContext", None)
    if context_class is not None:
        read_events_once(context_class)


async def close_client_session() -> None:
    """Close the session of the SDK's clients, in their event loop; the next client makes a new one."""
    http = importlib.import_module("azure.durable_functions.models.utils.http_utils")
    close = getattr(http, "_close_session", None)
    if close is not None:
        await close()
