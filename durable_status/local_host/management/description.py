"""The management API in the words of OpenAPI 3.1, for tools that read it. Kept by hand in ``openapi.json``.

It is served beside the API, below ``/runtime``, where no function of an app can have its route.
"""

from __future__ import annotations

from importlib.resources import files

from durable_status.local_host.reply import Receive, Scope, Send, bare, json_text

DESCRIPTION_PATH = "/runtime/durable-status/openapi.json"


async def serve_description(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer a request for the description."""
    if scope["method"] == "GET":
        text = (files(__package__) / "openapi.json").read_text(encoding="utf-8")
        await json_text(200, text).send(send)
    else:
        await bare(404).send(send)
