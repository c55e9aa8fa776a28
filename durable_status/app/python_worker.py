"""What the platform's Python worker does around a function: the values it hands over, what it tells of exceptions."""

from __future__ import annotations

import inspect
import json
import os
import traceback
from dataclasses import dataclass, field
from typing import Any

from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum

from durable_status.stored_json import dump_stored


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationContext:
    """What a function sees in its parameter ``context``; the attributes are the platform's."""

    function_name: str
    invocation_id: str
    function_directory: str = field(default_factory=os.getcwd)
    trace_context: Any = None
    retry_context: Any = None


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
    """Of an exception, its type and text, and the formatted traceback."""
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
