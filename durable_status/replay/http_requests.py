"""call_http: the input of the host's own activity, and what the host refuses before it looks at any action."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from durable_status.replay.actions import Action, ActionType
from durable_status.stored_json import dump_stored

HTTP_ACTIVITY = "BuiltIn::HttpActivity"
"""The activity that sends the request of a call_http; every app has it."""

_REQUEST_TYPE = (
    "Microsoft.Azure.WebJobs.Extensions.DurableTask.DurableHttpRequest, Microsoft.Azure.WebJobs.Extensions.DurableTask"
)
_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def http_activity_input(request: Mapping[str, Any]) -> str:
    """The activity's input for the `httpRequest` of an action: a JSON array with the request as the host writes it.

    The SDK does not send ``asynchronousPatternEnabled``, so a 202 is not polled (replay.md §3.6).
    """
    token_source = request.get("tokenSource")
    written = {
        "$type": _REQUEST_TYPE,
        "method": request.get("method", "GET"),
        "uri": request.get("uri"),
        "headers": request.get("headers") or {},
        "content": request.get("content"),
        "tokenSource": token_source
        and {
            "kind": token_source["kind"],
            "resource": token_source["resource"],
        },
        "asynchronousPatternEnabled": bool(request.get("asynchronousPatternEnabled")),
        "retryOptions": None,
        "timeout": None,
    }
    return dump_stored([written])


def invalid_method_error(actions: Iterable[Action]) -> str | None:
    """What .NET says of the first HTTP method in `actions` that is none; None if all are good."""
    for request in _http_requests(actions):
        method = request.get("method")
        if method == "":
            return "The value cannot be an empty string. (Parameter 'method')"
        if isinstance(method, str) and not _METHOD.fullmatch(method):
            return "The format of the HTTP method is invalid."
    return None


def _http_requests(actions: Iterable[Action]) -> Iterator[Mapping[str, Any]]:
    for action in actions:
        if action["actionType"] == ActionType.CALL_HTTP:
            yield action["httpRequest"]
        yield from _http_requests(action.get("compoundActions") or ())
