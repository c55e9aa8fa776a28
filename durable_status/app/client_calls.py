"""Notes the calls of durable clients that a function makes, to say which of them it never awaits: they are not sent.

Python warns of such a call when it is thrown away, in words of its own; and mostly the function fails before, with an
error that leads elsewhere. What is noted are the clients that are made while a function runs: the SDK's, and
`DurableClient`.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from durable_status.app.action_lines import Place, place_of_call, place_text, placed
from durable_status.app.functions import DURABLE_CLIENT, AppFunction

_SDK_CLIENT = ("azure.durable_functions.models.DurableOrchestrationClient", "DurableOrchestrationClient")
_OWN_CLIENT = ("durable_status.client.durable_client", "DurableClient")

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Call:
    verb: str
    coroutine: Coroutine[Any, Any, Any]
    place: Place | None


@dataclass(slots=True)
class _Calls:
    """The calls of clients that one invocation of a function makes and nobody awaits."""

    open: list[_Call] = field(default_factory=list)

    def add(self, call: _Call) -> None:
        """Note one more; those that are awaited by now are forgotten."""
        self.open = [*filter(_is_open, self.open), call]

    def lost(self) -> Iterator[str]:
        """A sentence for each that is still open. It is closed: Python would warn of it again."""
        for call in filter(_is_open, self.open):
            call.coroutine.close()
            verb = f"client.{call.verb}(...)"
            sentence = f"{verb} is never awaited, so nothing is sent; write: await {verb}"
            yield placed(place_text(call.place), sentence)


def _is_open(call: _Call) -> bool:
    return inspect.getcoroutinestate(call.coroutine) == inspect.CORO_CREATED


_current: ContextVar[_Calls | None] = ContextVar("calls of clients in the function that is called", default=None)


def telling_lost_calls(function: AppFunction, tell: Tell) -> AppFunction:
    """The same function; `tell` gets a sentence for each call of a durable client that it does not await."""
    if not function.bindings_of(DURABLE_CLIENT):
        return function
    call = function.call

    async def call_in_loop(*positional: Any, **named: Any) -> Any:
        with _noting() as calls:
            try:
                return await call(*positional, **named)
            finally:
                await asyncio.sleep(0)  # tasks that were made of calls have begun after it
                _tell_all(calls, tell)

    def call_in_thread(*positional: Any, **named: Any) -> Any:
        with _noting() as calls:
            try:
                return call(*positional, **named)
            finally:
                _tell_all(calls, tell)

    return replace(function, call=functools.wraps(call)(call_in_loop if function.is_async else call_in_thread))


def _tell_all(calls: _Calls, tell: Tell) -> None:
    for sentence in calls.lost():
        tell(sentence)


@contextmanager
def _noting() -> Iterator[_Calls]:
    _hook(*_SDK_CLIENT)
    if _OWN_CLIENT[0] in sys.modules:  # the app has imported it, or has none
        _hook(*_OWN_CLIENT)
    calls = _Calls()
    token = _current.set(calls)
    try:
        yield calls
    finally:
        _current.reset(token)


@functools.cache  # once per process and class
def _hook(module: str, name: str) -> None:
    """Let each client that is made while calls are noted note its own; the class stays as it is for who copies it."""
    client = getattr(importlib.import_module(module), name)
    make = client.__init__

    @functools.wraps(make)
    def making(self: Any, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        calls = _current.get()
        if calls is not None:
            for verb, method in inspect.getmembers(type(self), inspect.iscoroutinefunction):
                if not verb.startswith("_"):
                    setattr(self, verb, _noting_calls(functools.partial(method, self), verb, calls))

    client.__init__ = making


def _noting_calls(method: Callable[..., Any], verb: str, calls: _Calls) -> Callable[..., Any]:
    @functools.wraps(method.func)  # type: ignore[attr-defined]  # of the partial
    def noting(*arguments: Any, **options: Any) -> Any:
        coroutine = method(*arguments, **options)
        calls.add(_Call(verb, coroutine, place_of_call(sys._getframe(1))))
        return coroutine

    return noting
