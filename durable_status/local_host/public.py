"""What the public listener serves, in the order in which the Functions host looks: see `PublicApplication`."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from durable_status.app.links import WEBHOOK_BASE
from durable_status.local_host.admin import ADMIN_BASE, Admin
from durable_status.local_host.failures import FAILURES_PATH, Failures
from durable_status.local_host.http_functions import HttpFunctions
from durable_status.local_host.keys import Access, Keys, presented_key
from durable_status.local_host.management.api import ManagementApi
from durable_status.local_host.management.description import DESCRIPTION_PATH, serve_description
from durable_status.local_host.reply import Receive, Reply, Scope, Send, bare

Application = Callable[[Any, Any, Any], Awaitable[None]]

_NO_HOME_PAGE = "AzureWebJobsDisableHomepage"
_WEBHOOKS = "/runtime/webhooks/"
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>durable-status</title></head>
<body><h1>Your functions are running</h1>
<p>durable-status serves them on this machine. <a href="/admin/functions">They are listed here</a>, and
<a href="/runtime/webhooks/durabletask/instances">the instances there</a>.</p></body></html>
"""


class PublicApplication:
    """Webhooks and ``/admin`` before the app's functions, and a page for ``/`` if no function has it."""

    def __init__(
        self,
        management: ManagementApi,
        admin: Admin,
        functions: HttpFunctions,
        failures: Failures,
        keys: Keys | None,
        headers: Mapping[str, str],
    ) -> None:
        """Without `keys` everybody may call everything. `headers` go into every answer."""
        self._management = management
        self._admin = admin
        self._functions = functions
        self._failures = failures
        self._keys = keys
        self._headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._headers:
            send = self._with_headers(send)
        path = scope["path"].casefold()
        if sum(name == b"host" for name, _ in scope["headers"]) > 1:  # which the platform's server refuses
            await bare(400).send(send)
        elif path == DESCRIPTION_PATH:
            await serve_description(scope, receive, send)
        elif path.startswith(_WEBHOOKS) or path == FAILURES_PATH:
            await self._behind_key(path, scope, receive, send)
        elif path == ADMIN_BASE or path.startswith(f"{ADMIN_BASE}/"):
            await self._admin(scope, receive, send)
        elif path == "/" and not self._functions.has_route(scope):
            await _home_page().send(send)
        else:
            await self._functions(scope, receive, send)

    async def _behind_key(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        is_management = path.startswith((WEBHOOK_BASE, FAILURES_PATH))
        if self._keys is not None:
            key = presented_key(scope)
            access = self._keys.to_management(key) if is_management else self._keys.to_admin(key)
            if access is not Access.GRANTED:
                await bare(access.value).send(send)
                return
        if path == FAILURES_PATH:
            await (self._management.refusal(scope) or self._failures.answer(scope)).send(send)
        elif is_management:
            await self._management(scope, receive, send)
        else:
            await bare(404).send(send)

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self._headers]
            await send(message)

        return sending


def with_cors(application: Application, origins: Sequence[str], *, credentials: bool) -> Application:
    """Let pages of these origins call everything; without origins no header of the kind is sent."""
    if not origins:
        return application
    from durable_status.local_host.cors import Cors  # few apps ask for it, and start-up time counts

    return Cors(
        application,
        allow_origins=origins,
        allow_methods=["*"],
        allow_headers=["*"],
        allow_credentials=credentials,
    )


def _home_page() -> Reply:
    if os.environ.get(_NO_HOME_PAGE, "").casefold() in ("true", "1"):
        return Reply(status=204)
    body = _PAGE.encode()
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body))))
    return Reply(status=200, headers=headers, body=body)
