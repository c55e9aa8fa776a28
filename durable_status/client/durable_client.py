"""`DurableClient`: the SDK's client, typed and safe, inside functions of the app.

It speaks to the same loopback endpoint as the SDK's client, over the same connections, and closes what that one leaves
open: ids and event names reach the URL checked and escaped, the input is fetched only when asked for, a missing
instance is an exception, lists go past the first page, and events arrive as the JSON they were.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any, Protocol

import aiohttp
from yarl import URL

from durable_status.client.steps import Request, Response
from durable_status.client.verbs import AsyncVerbs
from durable_status.client.watching import Pace
from durable_status.errors import HostError
from durable_status.offloaded import PayloadStore
from durable_status.payloads.hub import hub_payload_store


def _loop_time() -> float:
    """The time of the event loop, which is virtual in a test with `durable_status.testing`."""
    return asyncio.get_running_loop().time()


_DEFAULT_PACE = Pace(longest=1.0, now=_loop_time)


class SdkClient(Protocol):
    """What the decorator ``durable_client_input`` of SDK 1.x hands to a function."""

    _orchestration_bindings: Any


class DurableClient(AsyncVerbs):
    """Starts, watches and steers instances from inside a function.

    Args:
        client: the SDK's client, as the function got it.
        pace: how often watching and waiting look.
        payload_store: where offloaded statuses are, if not in the storage account of the task hub.

    Raises:
        HostError: the app has switched its loopback endpoint off.
    """

    def __init__(
        self, client: SdkClient, *, pace: Pace = _DEFAULT_PACE, payload_store: PayloadStore | None = None
    ) -> None:
        super().__init__(pace, payload_store)
        base_url = client._orchestration_bindings.rpc_base_url
        if not base_url:
            raise HostError("The host has no loopback endpoint. Take localRpcEndpointEnabled: false out of host.json.")
        self._base_url = str(base_url)
        self._sdk_client = client

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _store_to_read(self) -> PayloadStore:
        return self._payload_store or hub_payload_store(self._sdk_client)

    def _headers(self) -> dict[str, str]:
        """What the SDK sends along: the invocation, for the host's log, and the trace that a start continues."""
        trace = getattr(self._sdk_client, "_get_current_activity_context", lambda: (None, None))
        parent, state = trace()
        invocation = getattr(self._sdk_client, "_function_invocation_id", None)
        sent = {"X-Azure-Functions-InvocationId": invocation, "traceparent": parent, "tracestate": state}
        return {name: str(value) for name, value in sent.items() if value}

    async def _send(self, request: Request) -> Response:
        sdk = importlib.import_module("azure.durable_functions.models.utils.http_utils")
        session = await sdk._get_session()
        content = {} if request.body is None else {"Content-Type": "application/json"}
        options: dict[str, Any] = (
            {} if request.timeout is None else {"timeout": aiohttp.ClientTimeout(total=request.timeout)}
        )
        try:
            async with session.request(
                request.method,
                URL(self._base_url + request.path, encoded=True).with_query(dict(request.query)),
                data=request.body,
                headers={**self._headers(), **request.headers, **content},
                **options,
            ) as response:
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Response(status=response.status, headers=headers, text=await response.text())
        except (TimeoutError, aiohttp.ClientError) as error:
            raise HostError(f"The host's loopback endpoint did not answer ({type(error).__name__}).") from error
