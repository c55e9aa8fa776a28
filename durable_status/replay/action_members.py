"""What every kind of action must say, so that nothing behind this check meets an action it cannot read.

The host turns the whole answer into objects before anything in it counts. The SDK never gives an answer that fails
there; the sentences are ours, except those that a Python program can cause: a retry interval of 25 days, or an HTTP
method that is none (replay.md §3.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durable_status.replay.actions import ActionType
from durable_status.replay.answer import HostRefusal
from durable_status.replay.entity_messages import EntityId
from durable_status.replay.http_requests import invalid_method_error
from durable_status.replay.ticks import parse_ticks

_LARGEST_INT32 = 2**31 - 1
_KINDS: Mapping[type, str] = {str: "text", int: "number", dict: "object", list: "list"}

_RETRY: Mapping[str, type] = {"firstRetryIntervalInMilliseconds": int, "maxNumberOfAttempts": int}
_TOKEN_SOURCE: Mapping[str, type] = {"kind": str, "resource": str}
_CALL: Mapping[str, type] = {"functionName": str}
_RETRIED_CALL: Mapping[str, type] = {**_CALL, "retryOptions": dict}
_REQUEST: Mapping[str, type] = {"instanceId": str, "operation": str}
_NEEDED: Mapping[int, Mapping[str, type]] = {
    ActionType.CALL_ACTIVITY: _CALL,
    ActionType.CALL_ACTIVITY_WITH_RETRY: _RETRIED_CALL,
    ActionType.CALL_SUB_ORCHESTRATOR: _CALL,
    ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY: _RETRIED_CALL,
    ActionType.CREATE_TIMER: {"fireAt": str},
    ActionType.WAIT_FOR_EXTERNAL_EVENT: {"externalEventName": str},
    ActionType.CALL_ENTITY: _REQUEST,
    ActionType.CALL_HTTP: {"httpRequest": dict},
    ActionType.SIGNAL_ENTITY: _REQUEST,
    ActionType.SIGNAL_ENTITY_LATER: {**_REQUEST, "fireAt": str},
    ActionType.WHEN_ANY: {"compoundActions": list},
    ActionType.WHEN_ALL: {"compoundActions": list},
}
"""By action type; a type that is not here is refused when the walk reaches it."""


def check_actions(action_lists: Any) -> None:
    """Refuse what cannot be read; an answer without actions is for the walk to refuse.

    Raises:
        HostRefusal: `action_lists` is no list of lists of actions, or an action lacks what its type needs.
    """
    if action_lists is None:
        return
    if not isinstance(action_lists, list) or not all(isinstance(actions, list) for actions in action_lists):
        raise HostRefusal("The 'actions' of the answer is no list of lists.")
    for actions in action_lists:
        for index, action in enumerate(actions):
            _check_action(action, f"action {index} of the answer")
    error = invalid_method_error(action for actions in action_lists for action in actions)
    if error is not None:
        raise HostRefusal(error)


def _check_action(action: Any, place: str) -> None:
    if not isinstance(action, dict):
        raise HostRefusal(f"It cannot be read: {place} is no object.")
    _check_members(action, {"actionType": int}, place)
    needed = _NEEDED.get(action["actionType"], {})
    _check_members(action, needed, place)
    if action.get("instanceId") is not None:
        _check_members(action, {"instanceId": str}, place)
    if "retryOptions" in needed:
        _check_retry_options(action["retryOptions"], f"the retryOptions of {place}")
    if "httpRequest" in needed:
        _check_token_source(action["httpRequest"], f"the httpRequest of {place}")
    try:
        if "fireAt" in needed:
            parse_ticks(action["fireAt"])
        if "operation" in needed:
            EntityId.parse(action["instanceId"])
    except ValueError as error:
        raise HostRefusal(f"It cannot be read: {place}: {error}.") from None
    for child in action["compoundActions"] if "compoundActions" in needed else ():
        _check_action(child, place)


def _check_token_source(request: Mapping[str, Any], place: str) -> None:
    if request.get("tokenSource"):
        _check_members(request, {"tokenSource": dict}, place)
        _check_members(request["tokenSource"], _TOKEN_SOURCE, f"the tokenSource of {place}")


def _check_retry_options(options: Mapping[str, Any], place: str) -> None:
    _check_members(options, _RETRY, place)
    if any(abs(options[name]) > _LARGEST_INT32 for name in _RETRY):  # .NET's sentence; 2**31 ms are almost 25 days
        raise HostRefusal("Value was either too large or too small for an Int32.")


def _check_members(members: Mapping[str, Any], needed: Mapping[str, type], place: str) -> None:
    for name, kind in needed.items():
        if not isinstance(members.get(name), kind):
            raise HostRefusal(f"It cannot be read: {place} has no {_KINDS[kind]} as '{name}'.")
