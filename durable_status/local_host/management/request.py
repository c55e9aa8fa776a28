"""What an operation of the management API gets, and what it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from durable_status.local_host.management.query import Query
from durable_status.local_host.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an operation sees of its request."""

    values: Mapping[str, str]
    query: Query
    headers: Mapping[str, str]
    body: bytes
    origin: str
    url: str


Operation = Callable[[Request], Awaitable[Reply]]
