"""Closes what the SDK leaves open: the HTTP session that its clients share, which belongs to their event loop."""

from __future__ import annotations

import importlib


async def close_client_session() -> None:
    """Close the session of the SDK's clients, in their event loop; the next client makes a new one."""
    http = importlib.import_module("azure.durable_functions.models.utils.http_utils")
    close = getattr(http, "_close_session", None)
    if close is not None:
        await close()
