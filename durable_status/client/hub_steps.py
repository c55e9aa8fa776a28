"""What a flow of the readers of a task hub asks of its driver: read this row, these rows, this blob.

The driver is `durable_status.client.hub_storage`; it throws a `HostError` when the account does not answer or refuses.
Rows come typed as in JSON: text, whole numbers and truths, times as text with all their digits.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from durable_status.client.flows import LARGEST_PAGE
from durable_status.client.steps import Found, Pause

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class GetRow:
    """Read one row by its keys; the answer is its columns, or None if there is none."""

    table: str
    partition_key: str
    row_key: str
    columns: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class GetPage:
    """Read rows, with one request; the answer is a `Page`."""

    table: str
    filter: str
    columns: Sequence[str] = ()
    """None is all."""
    most: int = LARGEST_PAGE
    token: Any = None
    """Where to go on, from the page before."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one request. There may be none, and more behind them: only a page without a token is the last."""

    rows: Sequence[Mapping[str, Any]]
    token: Any


@dataclass(frozen=True, slots=True)
class GetBlob:
    """Read a blob of the hub's container of large messages; the answer is its content, or None if there is none."""

    name: str


HubStep = GetRow | GetPage | GetBlob | Pause
HubFlow = Generator[HubStep, Any, T]
HubStream = Generator[HubStep | Found[S], Any, None]
