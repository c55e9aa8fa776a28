"""Runs the app's functions, apart from the host: what they block or raise does not stop it.

Coroutine functions run on an event loop of their own, all others in threads, as in the platform's Python worker.
Orchestrators have threads of their own, so that slow activities cannot hold them up.
"""

from __future__ import annotations

import asyncio
import os
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from durable_status.app.functions import AppFunction
from durable_status.app.python_worker import (
    call_in_loop,
    call_in_thread,
    exception_texts,
    invocation_context,
    unwritten_action,
)
from durable_status.local_host.invocations import invocation, tell_outputs
from durable_status.local_host.sdk import close_client_session
from durable_status.local_host.threads import Threads
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.ticks import PER_SECOND

Result = TypeVar("Result")

_SECONDS_TO_END = 1.0


class Worker:
    """Threads and an event loop for user code."""

    def __init__(self, *, orchestrator_threads: int, timeout_seconds: float | None = None) -> None:
        """`timeout_seconds` is how long a function may take, orchestrators and entities excepted."""
        self._timeout_seconds = timeout_seconds
        self._orchestrators = Threads("orchestrator", orchestrator_threads)
        self._functions = Threads("function", _function_threads())
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event

    @contextmanager
    def running(self) -> Iterator[None]:
        """Take functions while the context lasts. Those that are busy after it finish, or die with the process."""
        ready = threading.Event()
        thread = threading.Thread(target=self._run_loop, args=(ready,), name="async-functions", daemon=True)
        thread.start()
        ready.wait()
        try:
            yield
        finally:
            self._orchestrators.stop()
            self._functions.stop()
            self._loop.call_soon_threadsafe(self._stopping.set)
            thread.join(_SECONDS_TO_END)

    def _run_loop(self, ready: threading.Event) -> None:
        async def until_stopped() -> None:
            self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
            ready.set()
            await self._stopping.wait()
            await close_client_session()

        with asyncio.Runner() as runner:  # at its end it cancels what is still running
            runner.run(until_stopped())

    async def run_orchestration(self, episode: Callable[[], Result]) -> Result:
        """Run an orchestrator's episodes in a thread."""
        return await self._orchestrators.run(episode)

    async def run_entity_batch(self, batch: Callable[[], Result]) -> Result:
        """Run an entity's operations in a thread, beside the other functions."""
        return await self._functions.run(batch)

    async def call(self, function: AppFunction, arguments: dict[str, Any]) -> Any:
        """Call a function with its bindings by name, and the invocation context if it takes one.

        Raises:
            WorkerFailure: the function raised, or took longer than it may. A thread cannot be ended, so a function
                that is not async goes on, unheard; the platform ends its worker and all that runs in it.
        """
        number = str(uuid.uuid4())
        arguments = arguments | invocation_context(function, number)
        with invocation(function.name, number):
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    returned = await self._call(function, arguments, number)
            except TimeoutError as error:
                limit = _dotnet_span(self._timeout_seconds or 0)
                raise WorkerFailure(
                    f"Timeout value of {limit} was exceeded by function: Functions.{function.name}"
                ) from error
        tell_outputs(function, arguments)
        return returned

    async def _call(self, function: AppFunction, arguments: dict[str, Any], number: str) -> Any:
        if not function.is_async:
            return await self._functions.run(lambda: call_function(function, arguments, number))
        coroutine: Coroutine[Any, Any, Any] = call_in_loop(function, arguments, number)
        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, self._loop))
        except (Exception, SystemExit) as error:
            raise worker_failure(error) from error


def call_function(function: AppFunction, arguments: Mapping[str, Any], number: str) -> Any:
    """Call a function in this thread; `number` is the call's.

    Raises:
        WorkerFailure: it raised.
    """
    try:
        return call_in_thread(function, arguments, number)
    except (Exception, SystemExit) as error:
        raise worker_failure(error) from error


def worker_failure(error: BaseException) -> WorkerFailure:
    """What the Python worker reports of an exception."""
    return WorkerFailure(*exception_texts(error), unwritten_action=unwritten_action(error))


def _dotnet_span(seconds: float) -> str:
    """A span of time as .NET writes it: ``[d.]hh:mm:ss[.fffffff]``."""
    whole, ticks = divmod(round(seconds * PER_SECOND), PER_SECOND)
    minutes, hours, days = whole // 60 % 60, whole // 3600 % 24, whole // 86_400
    text = f"{hours:02}:{minutes:02}:{whole % 60:02}" + (f".{ticks:07}" if ticks else "")
    return f"{days}.{text}" if days else text


def _function_threads() -> int:
    """The worker's rule: the app setting, else Python's own default for thread pools."""
    configured = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    if configured.isdecimal() and int(configured) > 0:
        return int(configured)
    return min(32, (os.cpu_count() or 1) + 4)
