"""Serves the app's HTTP functions: routes, requests and responses as the Functions host has them."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from azure.functions.http import HttpRequest, HttpResponseConverter
from starlette.datastructures import Headers, QueryParams

from durable_status.app.bindings import arguments_of, returned_or_set
from durable_status.app.functions import AppFunction
from durable_status.app.links import Links
from durable_status.local_host.keys import Access, Keys, presented_key
from durable_status.local_host.log_categories import of_function
from durable_status.local_host.reply import Receive, Reply, Scope, Send, bare, read_body
from durable_status.local_host.route_constraints import RouteTemplateError
from durable_status.local_host.route_templates import FunctionRoute
from durable_status.local_host.worker import Worker, worker_failure
from durable_status.replay.failures import WorkerFailure

logger = logging.getLogger(__name__)

_BODY_LIMIT = 104_857_600  # bytes, the Functions host's own
_COOKIE_ATTRIBUTES = {
    "domain": "domain",
    "path": "path",
    "expires": "expires",
    "maxAge": "max-age",
    "sameSite": "samesite",
    "secure": "secure",
    "httpOnly": "httponly",
}
_BODY_LIMIT_SETTING = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFunction:
    """An HTTP function and where it is served. No methods: all of them."""

    function: AppFunction
    path: str
    route: FunctionRoute


class HttpFunctions:
    """The ASGI application of the app's HTTP functions; what matches none gets 404, wrong verbs included."""

    def __init__(self, served: Sequence[ServedFunction], links: Links, worker: Worker, keys: Keys | None) -> None:
        """Without `keys` everybody may call everything."""
        self._served = sorted(served, key=lambda item: item.route.precedence)
        self._links = links
        self._worker = worker
        self._keys = keys
        limit = os.environ.get(_BODY_LIMIT_SETTING, "")
        self._body_limit = int(limit) if limit.isdecimal() else _BODY_LIMIT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        for item in self._served:
            values = item.route.values(scope["method"], scope["raw_path"].decode("latin-1"))
            if values is not None:
                reply = await self._answer(item.function, scope, values, receive)
                await reply.send(send)
                return
        await bare(404).send(send)

    def has_route(self, scope: Scope) -> bool:
        """Whether a function answers this request."""
        path = scope["raw_path"].decode("latin-1")
        return any(item.route.values(scope["method"], path) is not None for item in self._served)

    async def call(self, function: AppFunction, text: str) -> None:
        """Call one function with a body and nothing else, for who does not want the answer."""
        request = HttpRequest(method="POST", url=self._links.public_origin, body=text.encode())
        await self._run(function, request)

    async def _answer(self, function: AppFunction, scope: Scope, values: Mapping[str, str], receive: Receive) -> Reply:
        if function.is_disabled and not self._is_master(scope):
            return bare(404)
        if self._keys is not None:
            level = str(function.trigger.get("authLevel") or "FUNCTION").upper()
            if self._keys.to_function(function.name, level, presented_key(scope)) is not Access.GRANTED:
                return bare(401)
        body = await read_body(receive, self._body_limit)
        return bare(413) if body is None else await self._run(function, _request(scope, values, body))

    def _is_master(self, scope: Scope) -> bool:
        """Whether the request shows the master key, which opens functions that are switched off, too."""
        return self._keys is not None and self._keys.to_admin(presented_key(scope)) is Access.GRANTED

    async def _run(self, function: AppFunction, request: HttpRequest) -> Reply:
        arguments = arguments_of(function, request, self._links)
        try:
            returned = await self._worker.call(function, arguments)
            return _reply(returned_or_set(function, returned, arguments))
        except WorkerFailure as failure:
            about = of_function(function.name)
            logger.error("Function '%s' failed: %s\n%s", function.name, failure.message, failure.stack, extra=about)
            return bare(500)


def serve_functions(functions: Iterable[AppFunction], route_prefix: str) -> tuple[list[ServedFunction], list[str]]:
    """Give each function its route; a sentence for each one that cannot have it."""
    served: list[ServedFunction] = []
    problems: list[str] = []
    taken: dict[str, list[ServedFunction]] = {}
    for function in functions:
        if function.trigger.get("methods") == []:
            problems.append(
                f"Function '{function.name}' is not served: its list of methods is empty, so no request matches; "
                "leave methods out for all of them."
            )
            continue
        template = str(function.trigger.get("route") or function.name).strip("/")
        path = f"/{route_prefix}/{template}" if route_prefix else f"/{template}"
        try:
            route = FunctionRoute(path, function.trigger.get("methods") or ())
        except RouteTemplateError as error:
            problems.append(f"Function '{function.name}' is not served: {error}")
            continue
        item = ServedFunction(function=function, path=path, route=route)
        others = taken.setdefault(path.casefold(), [])
        clash = next((other for other in others if other.route.overlaps(route)), None)
        if clash is not None:
            problems.append(
                f"Function '{function.name}' is not served: '{clash.function.name}' has the same route {path}."
            )
            continue
        others.append(item)
        served.append(item)
    return served, problems


def _request(scope: Scope, values: Mapping[str, str], body: bytes) -> HttpRequest:
    headers = Headers(scope=scope)
    query = QueryParams(scope["query_string"])
    raw_query = scope["query_string"].decode("latin-1")
    url = f"{scope['scheme']}://{headers.get('host', '')}{scope['raw_path'].decode('latin-1')}"
    # The worker gets a body only with a length: one sent in chunks arrives empty, as on the platform.
    sent = body if headers.get("content-length") else b""
    return HttpRequest(
        method=scope["method"],
        url=f"{url}?{raw_query}" if raw_query else url,
        headers={name: ",".join(headers.getlist(name)) for name in headers},
        params={name: ",".join(query.getlist(name)) for name in query if any(query.getlist(name))},
        route_params=dict(values),
        body_type="bytes",
        body=sent,
    )


def _reply(returned: Any) -> Reply:
    """What a function returned as an HTTP answer.

    Raises:
        WorkerFailure: it is neither a response nor a text.
    """
    try:
        datum = HttpResponseConverter.encode(returned, expected_type=None)
    except NotImplementedError:
        raise WorkerFailure(
            f"TypeError: an HTTP function returns func.HttpResponse or str, not {type(returned).__name__}"
        ) from None
    except Exception as error:
        raise worker_failure(error) from error
    try:
        return _text_reply(datum.value) if datum.type == "string" else _response_reply(datum.value)
    except (TypeError, ValueError, KeyError, AttributeError, CookieError) as error:
        raise worker_failure(error) from error


def _response_reply(response: Mapping[str, Any]) -> Reply:
    headers = [(name, value.value) for name, value in response["headers"].items()]
    for jar in response["cookies"] or ():
        headers += [("Set-Cookie", cookie.OutputString()) for cookie in jar.values()]
    body: bytes = response["body"].value
    return Reply(
        status=int(response["status_code"].value),
        headers=(*headers, ("Content-Length", str(len(body)))),
        body=body,
    )


def _text_reply(text: str) -> Reply:
    """A returned text. One that is a JSON object or array is not sent as it is, but as the host reads it."""
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(value, dict) and "body" in value:
        return _described_reply(value)
    if isinstance(value, dict | list):
        return _sized_reply(200, "application/json; charset=utf-8", json.dumps(value, indent=2, ensure_ascii=False))
    return _sized_reply(200, "text/plain; charset=utf-8", text)


def _described_reply(description: Mapping[str, Any]) -> Reply:
    """An object with a ``body`` describes the response: status, headers, cookies, body."""
    body = description["body"]
    kind = "text/plain; charset=utf-8"
    if not isinstance(body, str):
        body, kind = json.dumps(body, ensure_ascii=False), "application/json; charset=utf-8"
    headers = {str(name).lower(): str(value) for name, value in (description.get("headers") or {}).items()}
    cookies = [("Set-Cookie", _cookie(cookie)) for cookie in description.get("cookies") or ()]
    status = int(description.get("status") or description.get("statusCode") or 200)
    return _sized_reply(status, headers.pop("content-type", kind), body, *headers.items(), *cookies)


def _cookie(described: Mapping[str, Any]) -> str:
    """A cookie of a described response: ``name``, ``value``, and its attributes in the spelling of JavaScript."""
    name = str(described["name"])
    jar: SimpleCookie = SimpleCookie({name: str(described.get("value", ""))})
    for member, attribute in _COOKIE_ATTRIBUTES.items():
        if described.get(member) is not None:
            jar[name][attribute] = described[member]
    return jar[name].OutputString()


def _sized_reply(status: int, content_type: str, text: str, *headers: tuple[str, str]) -> Reply:
    body = text.encode()
    return Reply(
        status=status,
        headers=(("Content-Type", content_type), *headers, ("Content-Length", str(len(body)))),
        body=body,
    )
