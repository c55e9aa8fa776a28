"""How an exception in user code travels from the worker to the host, and what the host cuts out of it.

The Python worker answers with a message and a stack; the Functions host makes one text of them; the durable extension
finds the orchestration's state in that text again, behind a label the SDK put there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from durable_status.replay.profile import Profile
from durable_status.stored_json import dump_stored, well_formed

_STATE_LABEL = "\n\n$OutOfProcData$:"
_MESSAGE_LABEL = "\nException:"
_STACK_LABEL = "\nStack:"
_HRESULT = -2146233088


class WorkerFailure(Exception):
    """User code raised: `message` is ``<Type>: <text>``, `stack` the formatted traceback."""

    def __init__(self, message: str, stack: str = "", *, unwritten_action: int | None = None) -> None:
        super().__init__(message)
        self.message = well_formed(message)
        self.stack = well_formed(stack)
        self.unwritten_action = unwritten_action
        """The index of the action that the SDK cannot write as JSON; None: the failure is another one."""

    @property
    def rpc_text(self) -> str:
        """The message of the exception that the Functions host raises for it."""
        return f"Result: Failure\nException: {self.message}\nStack: {self.stack}"


def cut_state(failure: WorkerFailure, profile: Profile) -> str | None:
    """Cut the orchestration's state (JSON text) out of an orchestrator's failure; None where there is none.

    The first ``\\nStack:`` of the whole text ends the message, so one in the error's own text hides the state.
    """
    message = _friendly_part(failure.rpc_text)
    _, label, state = (
        message.rpartition(_STATE_LABEL) if profile.takes_last_failure_label else message.partition(_STATE_LABEL)
    )
    if not label or not state:
        return None
    if profile.takes_last_failure_label and not _is_failed_state(state):
        return None
    return state


def state_in(failure: WorkerFailure) -> str | None:
    """What stands behind the last label of a failure, whatever the host makes of it; None without a label."""
    _, label, state = failure.message.rpartition(_STATE_LABEL)
    return state if label else None


def activity_failure(name: str, failure: WorkerFailure, profile: Profile) -> tuple[str, str]:
    """The Reason and Details of the TaskFailed event for an activity that raised.

    Reason carries the message up to the first ``\\nStack:``. Details is the .NET exception as JSON; what the Functions
    host adds to it (.NET frames, assembly names) is not imitated.
    """
    message = _friendly_part(failure.rpc_text).partition(_STATE_LABEL)[0]
    if not profile.doubles_blank_in_activity_failures:
        message = message.removeprefix(" ")
    details = dotnet_exception("System.Exception", message, inner=_rpc_exception(failure))
    return f"Activity function '{name}' failed: {message}", details


def unlabelled_failure(failure: WorkerFailure) -> tuple[str, str]:
    """What the host says of an orchestrator whose failure carries no state, and the exception as JSON."""
    inner = _rpc_exception(failure)
    summary = "One or more errors occurred."
    details = dotnet_exception("System.AggregateException", summary, inner=inner, InnerExceptions=[inner])
    return f"{summary} ({failure.rpc_text})", details


def dotnet_exception(class_name: str, message: str, *, inner: Mapping[str, Any] | None = None, **more: Any) -> str:
    """A .NET exception as the platform stores it (JSON); its stack is not imitated."""
    return dump_stored(
        {
            "$type": f"{class_name}, System.Private.CoreLib",
            "ClassName": class_name,
            "Message": message,
            "Data": None,
            "InnerException": inner,
            "HelpURL": None,
            "StackTraceString": None,
            "RemoteStackTraceString": None,
            "RemoteStackIndex": 0,
            "ExceptionMethod": None,
            "HResult": _HRESULT,
            "Source": None,
            "WatsonBuckets": None,
            **more,
        }
    )


def _rpc_exception(failure: WorkerFailure) -> dict[str, Any]:
    return {
        "$type": "Microsoft.Azure.WebJobs.Script.Workers.Rpc.RpcException, Microsoft.Azure.WebJobs.Script",
        "RemoteStackTrace": failure.stack,
        "RemoteMessage": failure.message,
        "Message": failure.rpc_text,
        "Data": {"$type": "System.Collections.ListDictionaryInternal, System.Private.CoreLib"},
        "InnerException": None,
        "HelpLink": None,
        "Source": None,
        "HResult": _HRESULT,
        "StackTrace": None,
    }


def _friendly_part(rpc_text: str) -> str:
    start = rpc_text.index(_MESSAGE_LABEL) + len(_MESSAGE_LABEL)
    return rpc_text[start : rpc_text.index(_STACK_LABEL)]


def _is_failed_state(state: str) -> bool:
    try:
        members: Any = json.loads(state)
    except ValueError:
        return False
    return (
        isinstance(members, dict)
        and members.get("isDone") is False
        and bool(members.get("error"))
        and isinstance(members.get("actions"), list)
    )
