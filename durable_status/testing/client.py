"""Calls starters and endpoints without a server: the clients inside functions are answered in the process.

A function that sleeps or waits with a timeout does so on an event loop whose clock is the task hub's: nothing is waited
for, time just passes, and timers of orchestrations fire on the way.
"""

from __future__ import annotations

import asyncio
import importlib
import selectors
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partialmethod
from json import dumps, loads
from typing import Any, TypeVar

from durable_status.app.bindings import arguments_of, returned_or_set
from durable_status.app.client_calls import telling_lost_calls
from durable_status.app.functions import HTTP_TRIGGER, App, AppFunction
from durable_status.app.python_worker import call_in_loop, call_in_thread, invocation_context
from durable_status.replay.ticks import PER_SECOND
from durable_status.testing.errors import Finding, HarnessError, RuleBroken, known_names
from durable_status.testing.in_process import ORIGIN, InProcessHub
from durable_status.testing.observer import INVOCATION_ID
from durable_status.testing.task_hub import START

Result = TypeVar("Result")

_SHORTEST_SECONDS = 1e-6
_HTTP_MODULE = "azure.durable_functions.models.utils.http_utils"
_CLIENT_MODULE = "azure.durable_functions.models.DurableOrchestrationClient"


class FunctionCalls:
    """Calls functions whose durable clients are answered in a task hub."""

    def __init__(self, hub: InProcessHub[Any]) -> None:
        self._hub = hub

    def wait(self, awaited: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine to its end; its sleeps and timeouts cost virtual time only."""
        loop = _VirtualTimeLoop(self._hub)
        try:
            with self._requests_stay_here():
                return loop.run_until_complete(awaited)
        finally:
            loop.close()

    def run(self, function: AppFunction, trigger: Any, report: Callable[[Finding], None]) -> Any:
        """Call a function with all its bindings and return what it returns, or sets in its HTTP output.

        `report` is told of each call of a durable client that it does not await.
        """
        told = telling_lost_calls(function, lambda lost: report(Finding(rule="await", text=f"{function.name}: {lost}")))
        arguments = arguments_of(function, trigger, self._hub.links) | invocation_context(function, INVOCATION_ID)
        if function.is_async:
            returned = self.wait(call_in_loop(told, arguments, INVOCATION_ID))
        else:
            returned = call_in_thread(told, arguments, INVOCATION_ID)
        return returned_or_set(function, returned, arguments)

    @contextmanager
    def _requests_stay_here(self) -> Iterator[None]:
        """Answer in this block what clients send over the SDK's shared session, and let them wait in virtual time."""

        async def session() -> _Session:
            return _Session(self._hub)

        replaced = [
            (importlib.import_module(_HTTP_MODULE), "_get_session", session),
            (importlib.import_module(_CLIENT_MODULE), "time", lambda: (self._hub.hub.now - START) / PER_SECOND),
        ]
        originals = [getattr(module, name) for module, name, _ in replaced]
        for module, name, replacement in replaced:
            setattr(module, name, replacement)
        try:
            yield
        finally:
            for (module, name, _), original in zip(replaced, originals, strict=True):
                setattr(module, name, original)


class FakeDurableClient(FunctionCalls):
    """The SDK's client of a task hub in the test, and the app's functions, which may use one."""

    def __init__(self, app: App, hub: InProcessHub[Any], *, allow: Collection[str] = ()) -> None:
        super().__init__(hub)
        self._app = app
        self._allow = allow

    def make(self) -> Any:
        """The SDK's own `DurableOrchestrationClient`; its methods are awaited by `wait`."""
        from azure.durable_functions import DurableOrchestrationClient

        return DurableOrchestrationClient(self._hub.links.client_binding(None, None))

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
            RuleBroken: it does not await a call of a durable client.
        """
        found = self._function(function)
        if found.trigger_type == HTTP_TRIGGER and trigger is None:
            trigger = _request(found, method, route or {}, params or {}, headers or {}, body)
        lost: list[Finding] = []
        try:
            return self.run(found, trigger, lost.append)
        finally:
            broken = [finding for finding in lost if finding.rule not in self._allow]
            if broken:
                raise RuleBroken(broken, f"{found.name}()")

    def _function(self, name: str) -> AppFunction:
        functions = {item.name: item for item in self._app.functions}
        if name not in functions:
            raise HarnessError(f"the app has no function {name!r}; {known_names(functions)}.")
        return functions[name]


def _request(
    function: AppFunction,
    method: str,
    route: Mapping[str, str],
    params: Mapping[str, str],
    headers: Mapping[str, str],
    body: Any,
) -> Any:
    from azure.functions import HttpRequest

    content = body if isinstance(body, bytes) else b"" if body is None else dumps(body).encode()
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


class _Session:
    """Stands for the HTTP session that the SDK's client and `DurableClient` share."""

    def __init__(self, hub: InProcessHub[Any]) -> None:
        self._hub = hub

    @asynccontextmanager
    async def request(
        self, method: str, url: object, *, data: str | None = None, json: Any = None, **_: Any
    ) -> AsyncIterator[_Response]:
        """Answer a request; what it sends comes as JSON text or as a value."""
        content = json if data is None else loads(data)
        with _no_running_loop():
            status, answer = self._hub.answer(method, str(url), content)
        yield _Response(status, {}, answer)

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    delete = partialmethod(request, "DELETE")


@dataclass(frozen=True, slots=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    answer: Any

    async def json(self, *, content_type: str | None = None) -> Any:  # noqa: ARG002 - as the session's library has it
        return self.answer

    async def text(self) -> str:
        return "" if self.answer is None else dumps(self.answer)


class _SkippingSelector(selectors.DefaultSelector):
    """Never waits: when nothing is ready, time passes in the task hub."""

    def __init__(self, hub: InProcessHub[Any]) -> None:
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
    def __init__(self, hub: InProcessHub[Any]) -> None:
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
