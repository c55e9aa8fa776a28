"""What the platform's Python worker does around a function: the values it hands over, what it tells of exceptions."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
import traceback
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from azure.functions import get_binding_registry
from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum

from durable_status.app.errors import AppError
from durable_status.app.functions import AppFunction
from durable_status.stored_json import dump_stored


class _ThreadLocalStorage(threading.local):
    """What the worker knows in the current thread; threads of the app's own may set it."""

    invocation_id: str | None = None


_THREAD_LOCAL = _ThreadLocalStorage()
_in_hand: ContextVar[str | None] = ContextVar("_in_hand", default=None)


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The trace of a call: none, as without distributed tracing. Each member has two spellings there."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def Traceparent(self) -> str:  # noqa: N802 - the worker's other spelling
        """`trace_parent`."""
        return self.trace_parent

    @property
    def Tracestate(self) -> str:  # noqa: N802
        """`trace_state`."""
        return self.trace_state

    @property
    def Attributes(self) -> dict[str, str]:  # noqa: N802
        """`attributes`."""
        return self.attributes


@dataclass(frozen=True, slots=True)
class RpcException:
    """What the try before failed with: nothing, and yet an object there."""

    source: str = ""
    stack_trace: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class RetryContext:
    """Which try of a call this is: the only one, because there are no retries of functions here."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: RpcException = RpcException()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a function sees in its parameter ``context``; the attributes are the platform's, and none is ever None."""

    function_name: str
    invocation_id: str
    function_directory: str
    thread_local_storage: Any = _THREAD_LOCAL
    trace_context: TraceContext = field(default_factory=TraceContext)
    retry_context: RetryContext = field(default_factory=RetryContext)


def invocation_context(function: AppFunction, invocation_id: str) -> dict[str, Context]:
    """The argument ``context`` of a call, if the function takes one."""
    if not function.takes_context:
        return {}
    return {
        "context": Context(
            function_name=function.name, invocation_id=invocation_id, function_directory=function.directory
        )
    }


def trigger_arguments(function: AppFunction, text: str, invocation_id: str) -> dict[str, Any]:
    """The arguments of an orchestrator or an entity; the worker makes an object with ``.body`` of the host's text."""
    converter = get_binding_registry().get(function.trigger_type)
    given = converter.decode(Datum(type="json", value=text), trigger_metadata=None)
    return {function.trigger["name"]: given} | invocation_context(function, invocation_id)


def call_in_thread(function: AppFunction, arguments: Mapping[str, Any], invocation_id: str) -> Any:
    """Call a function in this thread, which knows the call meanwhile. What it raises is raised here."""
    _THREAD_LOCAL.invocation_id = invocation_id
    token = _in_hand.set(function.name)
    try:
        returned = function.call(**arguments)
        return asyncio.run(returned) if function.is_async else returned
    finally:
        _in_hand.reset(token)
        _THREAD_LOCAL.invocation_id = None


async def call_in_loop(function: AppFunction, arguments: Mapping[str, Any], invocation_id: str) -> Any:
    """Call a coroutine function in this event loop. Its thread knows the call that has begun last."""
    _THREAD_LOCAL.invocation_id = invocation_id
    _in_hand.set(function.name)  # of this task only
    return await function.call(**arguments)


def function_in_hand() -> str | None:
    """The name of the function that is running here, if one is."""
    return _in_hand.get()


def activity_input(text: str | None) -> Any:
    """What an activity gets for the JSON text that the orchestrator gave; the SDK's converter decides.

    Raises:
        ValueError: the text is no JSON.
    """
    return ActivityTriggerConverter.decode(Datum(type="json", value=text or "null"), trigger_metadata=None)


def activity_result(returned: Any) -> str | None:
    """What an activity returned as the host stores it; a JSON null is no result.

    Raises:
        ValueError: it cannot be written as JSON.
    """
    value = json.loads(ActivityTriggerConverter.encode(returned, expected_type=None).value)
    return None if value is None else dump_stored(value)


def exception_texts(error: BaseException) -> tuple[str, str]:
    """Of an exception, its type and text, and the formatted traceback; one of the app's loading is its text alone."""
    if isinstance(error, AppError):
        return str(error), ""
    return f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error))


def unwritten_action(error: BaseException) -> int | None:
    """The index of the action that the SDK could not write as JSON; None if `error` is another one.

    It writes the whole answer at once, so the error itself does not say whether a call's arguments or the custom status
    is to blame.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "to_json_string" and "json_dict" in frame.f_locals:
            actions = [action for step in frame.f_locals["json_dict"]["actions"] for action in step]
            return next((index for index, action in enumerate(actions) if not _is_writable(action)), None)
    return None


def close_coroutines(error: BaseException) -> None:
    """Close the coroutines that an orchestrator has given to the SDK, which awaits none and fails with `error`.

    Python would warn of each of them, later and at whatever line is running then.
    """
    cause: BaseException | None = error
    while cause is not None:
        for frame, _ in traceback.walk_tb(cause.__traceback__):
            for value in frame.f_locals.values():
                if inspect.iscoroutine(value) and inspect.getcoroutinestate(value) == inspect.CORO_CREATED:
                    value.close()
        cause = cause.__cause__


def _is_writable(value: Any) -> bool:
    try:
        activity_result(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
