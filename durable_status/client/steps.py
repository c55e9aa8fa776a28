"""What a flow asks of its driver: send this request, read this blob, wait so long, hand this out.

A flow is a generator. It decides and does nothing else: no socket, no clock, no event loop. A driver performs its steps
with its own means and sends back what came of them. So every verb of the clients is written once, and a driver is
written three times: httpx, httpx in asyncio, and aiohttp for functions of the app.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the management API; the driver answers with a `Response`, or throws a `HostError`."""

    method: str
    path: str
    """Below the base, percent-encoded, without a leading slash."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    """JSON text."""
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    """Seconds; None for the driver's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read an offloaded status; the driver answers with its text, or None without a payload store."""

    instance_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Discard:
    """Delete the offloaded statuses of an instance, if the driver was given a payload store."""

    instance_id: str


@dataclass(frozen=True, slots=True)
class Found(Generic[S]):
    """Hand this out and come back when more is wanted."""

    item: S


Step = Request | Fetch | Discard | Pause
"""What a driver performs. A `HostError` or a `PayloadError` on the way is thrown into the flow."""

Flow = Generator[Step, Any, T]
"""A verb with one result."""

Stream = Generator[Step | Found[S], Any, None]
"""A verb that hands out one item after the other."""
