"""`StatusClient` and `AsyncStatusClient`: the management API over HTTP, from outside the app.

Needs httpx: ``pip install durable-status[client]``. A function app does not import this module, for httpx takes its
time to import; inside functions there is `durable_status.client.durable_client`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
from typing_extensions import TypeForm

from durable_status.client import flows, watching
from durable_status.client.driving import run, stream
from durable_status.client.hydration import perform
from durable_status.client.steps import Flow, Pause, Request, Response, Step, Stream
from durable_status.client.verbs import AsyncVerbs
from durable_status.client.watching import HttpLooks, Pace
from durable_status.errors import HostError, RefusedError
from durable_status.harmless_text import masked
from durable_status.instance_status import InstanceStatus, RuntimeStatus
from durable_status.offloaded import PayloadStore

S = TypeVar("S")
T = TypeVar("T")

MANAGEMENT_PATH = "/runtime/webhooks/durabletask/"
_DEFAULT_TIMEOUT = 30.0
_DEFAULT_PACE = Pace()


class StatusClient:
    """Starts, watches and steers the instances of an app, over HTTP.

    The verbs are those of `AsyncStatusClient`, which says what they mean. Use it in a ``with`` statement, or close it.

    Args:
        url: the address of the app, such as ``http://localhost:7071``.
        key: the system key ``durabletask_extension``. It travels in a header, never in a URL. Who has it can do
            everything with every instance of the app.
        timeout: seconds that a request may take.
        pace: how often watching and waiting look.
        payload_store: where offloaded statuses are; without one they are shown as `Offloaded`. It stays open.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout: float = _DEFAULT_TIMEOUT,
        pace: Pace = _DEFAULT_PACE,
        payload_store: PayloadStore | None = None,
    ) -> None:
        self._url = _checked_url(url)
        self._http = httpx.Client(base_url=self._url + MANAGEMENT_PATH, headers=_headers(key), timeout=timeout)
        self._pace = pace
        self._payload_store = payload_store

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def start_new(
        self, orchestration: str, input: Any = None, *, instance_id: str | None = None, version: str | None = None
    ) -> str:
        """Start an instance and return its id."""
        return self._run(flows.start_new(orchestration, input, instance_id, version))

    def get_status(
        self, instance_id: str, status_type: TypeForm[S], *, show_input: bool = False, show_history: bool = False
    ) -> InstanceStatus[S]:
        """Ask for one instance."""
        return self._run(flows.get_status(instance_id, status_type, show_input=show_input, show_history=show_history))

    def list_statuses(
        self,
        status_type: TypeForm[S],
        *,
        where: Callable[[InstanceStatus[S]], bool] | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        runtime_status: Collection[RuntimeStatus] = (),
        instance_id_prefix: str = "",
        show_input: bool = False,
        page_size: int = 100,
    ) -> Iterator[InstanceStatus[S]]:
        """Go through instances, however many, one page in memory at a time."""
        filters = flows.Filters(
            created_from=created_from,
            created_to=created_to,
            runtime_status=runtime_status,
            instance_id_prefix=instance_id_prefix,
            page_size=page_size,
        )
        return self._stream(flows.list_statuses(status_type, filters, where, show_input))

    def watch(self, instance_id: str, status_type: TypeForm[S]) -> Iterator[InstanceStatus[S]]:
        """Yield the status now and after each change, until the end."""
        return self._stream(watching.watch(HttpLooks(instance_id, self._pace), status_type))

    def wait_for_status(
        self,
        instance_id: str,
        status_type: TypeForm[S],
        predicate: Callable[[InstanceStatus[S]], bool],
        timeout: float,
    ) -> InstanceStatus[S]:
        """Wait until `predicate` holds, for `timeout` seconds at most."""
        return self._run(watching.wait_for_status(HttpLooks(instance_id, self._pace), status_type, predicate, timeout))

    def wait_for_completion(self, instance_id: str, status_type: TypeForm[S], timeout: float) -> InstanceStatus[S]:
        """Wait until the instance has completed, for `timeout` seconds at most."""
        return self.wait_for_status(instance_id, status_type, watching.has_completed, timeout)

    def raise_event(self, instance_id: str, event_name: str, payload: Any = None) -> None:
        """Raise an event."""
        self._run(flows.raise_event(instance_id, event_name, payload))

    def terminate(self, instance_id: str, reason: str | None = None) -> None:
        """End an instance from outside."""
        self._run(flows.control(instance_id, "terminate", reason))

    def suspend(self, instance_id: str, reason: str | None = None) -> None:
        """Let an instance rest until it is resumed."""
        self._run(flows.control(instance_id, "suspend", reason))

    def resume(self, instance_id: str, reason: str | None = None) -> None:
        """Let a suspended instance go on."""
        self._run(flows.control(instance_id, "resume", reason))

    def rewind(self, instance_id: str, reason: str | None = None) -> None:
        """Run the failed activities of a failed instance again."""
        self._run(flows.control(instance_id, "rewind", reason))

    def restart(self, instance_id: str, *, new_id: bool = True) -> str:
        """Start an instance again from its input, and return the id."""
        return self._run(flows.restart(instance_id, new_id))

    def purge(self, instance_id: str) -> None:
        """Delete an instance that has ended."""
        self._run(flows.purge(instance_id))

    def purge_by_filter(
        self,
        runtime_status: Collection[RuntimeStatus],
        *,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
    ) -> int:
        """Delete all instances that have ended so, created in this time, and return their number."""
        return self._run(flows.purge_by_filter(runtime_status, created_from, created_to))

    def _perform(self, step: Step) -> Response | str | None:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        if not isinstance(step, Request):
            return None if self._payload_store is None else perform(step, self._payload_store)
        try:
            return _response(self._http.send(_httpx_request(self._http, step)))
        except httpx.HTTPError as error:
            raise _no_answer(self._url, error) from error

    def _run(self, flow: Flow[T]) -> T:
        return run(flow, self._perform)

    def _stream(self, flow: Stream[S]) -> Iterator[S]:
        return stream(flow, self._perform)


class AsyncStatusClient(AsyncVerbs):
    """Starts, watches and steers the instances of an app, over HTTP, in asyncio.

    Arguments as of `StatusClient`. Use it in an ``async with`` statement, or close it.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout: float = _DEFAULT_TIMEOUT,
        pace: Pace = _DEFAULT_PACE,
        payload_store: PayloadStore | None = None,
    ) -> None:
        super().__init__(pace, payload_store)
        self._url = _checked_url(url)
        self._http = httpx.AsyncClient(base_url=self._url + MANAGEMENT_PATH, headers=_headers(key), timeout=timeout)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _send(self, request: Request) -> Response:
        try:
            return _response(await self._http.send(_httpx_request(self._http, request)))
        except httpx.HTTPError as error:
            raise _no_answer(self._url, error) from error


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        # Not even the wrong one is shown: it may hold a key.
        raise RefusedError(
            "The address of an app is scheme, host and port, such as http://localhost:7071, and nothing behind them. "
            "Give the key by itself."
        )
    return url.rstrip("/")


def _headers(key: str | None) -> dict[str, str]:
    if key is None:
        return {}
    if not key.isascii() or not key.isprintable() or " " in key or not key:
        # httpx would refuse it later, and show it.
        raise RefusedError("The key is empty or has a blank, a line end or another character that no key has. Trim it.")
    return {"x-functions-key": key}


def _httpx_request(http: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    content = {} if request.body is None else {"content-type": "application/json"}
    return http.build_request(
        request.method,
        request.path,
        params=request.query,
        content=request.body,
        headers={**request.headers, **content},
        timeout=httpx.USE_CLIENT_DEFAULT if request.timeout is None else request.timeout,
    )


def _response(response: httpx.Response) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(status=response.status_code, headers=headers, text=response.text)


def _no_answer(url: str, error: httpx.HTTPError) -> HostError:
    return HostError(
        f"{url} did not answer ({type(error).__name__}{': ' + masked(str(error)) if str(error) else ''}). "
        "Is the host running?"
    )
