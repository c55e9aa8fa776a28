"""The three clients under one set of names, so that one test body runs with each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import azure.durable_functions as df

from durable_status.client.durable_client import DurableClient
from durable_status.client.status_client import AsyncStatusClient, StatusClient
from durable_status.client.watching import Pace
from durable_status.local_host.sdk import close_client_session
from tests.hosts import RunningHost

QUICK = Pace(shortest=0.005, longest=0.02)
KINDS = ("http", "http-sync", "in-function")


def sdk_client(host: RunningHost) -> df.DurableOrchestrationClient:
    """The SDK's client, as a function of the app gets it."""
    binding = {
        "taskHubName": "TestHub",
        "creationUrls": {},
        "managementUrls": {"id": "INSTANCEID"},
        "rpcBaseUrl": host.host.rpc_base_url,
    }
    return df.DurableOrchestrationClient(json.dumps(binding))


@asynccontextmanager
async def client_of(kind: str, host: RunningHost) -> AsyncIterator[Any]:
    """A client of this kind to a running host."""
    if kind == "http":
        async with AsyncStatusClient(host.host.base_url, pace=QUICK) as client:
            yield client
    elif kind == "http-sync":
        with StatusClient(host.host.base_url, pace=QUICK) as client:
            yield _InThread(client)
    else:
        yield DurableClient(sdk_client(host), pace=QUICK)
        await close_client_session()


class _InThread:
    """Calls the verbs of the client without asyncio in a thread, where they do not hold up the host."""

    def __init__(self, client: StatusClient) -> None:
        self._client = client

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        method = getattr(self._client, verb)
        if verb in ("list_statuses", "watch"):
            return lambda *arguments, **options: self._each(method, arguments, options)
        return lambda *arguments, **options: asyncio.to_thread(method, *arguments, **options)

    @staticmethod
    async def _each(method: Callable[..., Any], arguments: Any, options: Any) -> AsyncIterator[Any]:
        items, end = await asyncio.to_thread(method, *arguments, **options), object()
        while (item := await asyncio.to_thread(next, items, end)) is not end:
            yield item
