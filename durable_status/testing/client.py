"""Calls starters and endpoints without a server: the SDK's own client, answered in the process, in virtual time.

A function that sleeps or waits with a timeout does so on an event loop whose clock is the task hub's: nothing is waited
for, time just passes, and timers of orchestrations fire on the way.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from durable_status.app.functions import DURABLE_CLIENT, HTTP_TRIGGER, App, AppFunction
from durable_status.replay.ticks import PER_SECOND
from durable_status.testing.errors import HarnessError, known_names
from durable_status.testing.in_process import ORIGIN, InProcessHub, client_binding
from durable_status.testing.outcomes import InvocationContext
from durable_status.testing.task_hub import START

Result = TypeVar("Result")

_SHORTEST_SECONDS = 1e-6
_CLIENT_MODULE = "azure.durable_functions.models.DurableOrchestrationClient"
_SESSION_MODULE = "azure.durable_functions.models.utils.http_utils"


class FakeDurableClient:
    """The SDK's client of a task hub in the test, and the app's functions that use one."""

    def __init__(self, app: App, hub: InProcessHub) -> None:
        self._app = app
        self._hub = hub

    def make(self) -> Any:
        """The SDK's own `DurableOrchestrationClient`; its methods are awaited by `wait`."""
        from azure.durable_functions import DurableOrchestrationClient

        with self._requests_stay_here():
            return DurableOrchestrationClient(client_binding())

    def wait(self, awaited: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end; its sleeps and timeouts cost virtual time only."""
        loop = _VirtualTimeLoop(self._hub)
        try:
            with self._requests_stay_here():
                return loop.run_until_complete(awaited)
        finally:
            loop.close()

    def call(
        self,
        function: str,
        *,
        trigger: Any = None,
        method: str = "POST",
        route: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Any:
        """Call a function of the app and return what it returns.

        Raises:
            HarnessError: there is no such function.
        """
        found = self._function(function)
        if found.trigger_type == HTTP_TRIGGER and trigger is None:
            trigger = _request(found, method, route or {}, params or {}, headers or {}, body)
        arguments = {found.trigger["name"]: trigger}
        arguments |= {binding["name"]: client_binding() for binding in found.bindings_of(DURABLE_CLIENT)}
        if found.takes_context:
            arguments["context"] = InvocationContext(function_name=found.name)
        return self.wait(found.call(**arguments)) if found.is_async else found.call(**arguments)

    def _function(self, name: str) -> AppFunction:
        functions = {item.name: item for item in self._app.functions}
        if name not in functions:
            raise HarnessError(f"the app has no function {name!r}; {known_names(functions)}.")
        return functions[name]

    @contextmanager
    def _requests_stay_here(self) -> Iterator[None]:
        """Answer the requests of clients that are made in this block, and let them wait in virtual time."""
        with (
            _replaced(
                _CLIENT_MODULE,
                get_async_request=self._requests("GET"),
                post_async_request=self._requests("POST"),
                delete_async_request=self._requests("DELETE"),
                time=lambda: (self._hub.hub.now - START) / PER_SECOND,
            ),
            _replaced(_SESSION_MODULE, _get_session=self._session),
        ):
            yield

    async def _session(self) -> _Session:
        return _Session(self._hub)

    def _requests(self, method: str) -> Callable[..., Coroutine[Any, Any, list[Any]]]:
        async def request(url: str, data: Any = None, *_: Any, **__: Any) -> list[Any]:
            with _no_running_loop():
                return list(self._hub.answer(method, url, data if method == "POST" else None))

        return request


@dataclass(frozen=True)
class _Session:
    """What `durable_status.client.durable_client` sends its requests with, instead of the SDK's session."""

    hub: InProcessHub

    @asynccontextmanager
    async def request(
        self, method: str, url: object, *, data: str | None = None, **_: Any
    ) -> AsyncIterator[_SessionResponse]:
        """Answer a request in the process."""
        with _no_running_loop():
            status, body = self.hub.answer(method, str(url), None if data is None else json.loads(data))
        yield _SessionResponse(status, json.dumps(body))


@dataclass(frozen=True)
class _SessionResponse:
    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)

    async def text(self) -> str:
        """The body."""
        return self.body


@contextmanager
def _replaced(module_name: str, **members: Any) -> Iterator[None]:
    """Give a module other members while the context lasts."""
    module = importlib.import_module(module_name)
    originals = {name: getattr(module, name) for name in members}
    vars(module).update(members)
    try:
        yield
    finally:
        vars(module).update(originals)


def _request(
    function: AppFunction,
    method: str,
    route: Mapping[str, str],
    params: Mapping[str, str],
    headers: Mapping[str, str],
    body: Any,
) -> Any:
    from azure.functions import HttpRequest

    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    template = str(function.trigger.get("route") or function.name)
    path = "/".join(route.get(part.strip("{}").partition(":")[0], part) for part in template.split("/"))
    kind = {} if body is None or isinstance(body, bytes) else {"content-type": "application/json"}
    return HttpRequest(
        method=method,
        url=f"{ORIGIN}/api/{path}",
        headers=kind | dict(headers),
        params=dict(params),
        route_params=dict(route),
        body=content,
    )


class _SkippingSelector(selectors.DefaultSelector):
    """Never waits: when nothing is ready, time passes in the task hub."""

    def __init__(self, hub: InProcessHub) -> None:
        super().__init__()
        self._hub = hub

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise HarnessError("the function waits for something that happens outside of the test.")
        with _no_running_loop():
            self._hub.advance(max(timeout, _SHORTEST_SECONDS))  # no less than the hub's clock can tell
        return ready


class _VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self, hub: InProcessHub) -> None:
        super().__init__(_SkippingSelector(hub))
        self._task_hub = hub.hub

    def time(self) -> float:
        return (self._task_hub.now - START) / PER_SECOND


@contextmanager
def _no_running_loop() -> Iterator[None]:
    """Lets activities that are coroutines have a loop of their own, although one is running."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)
