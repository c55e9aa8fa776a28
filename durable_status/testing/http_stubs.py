"""What the HTTP calls of an orchestration (`call_http`) are answered; none is ever sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from durable_status.stored_json import dump_stored
from durable_status.testing.errors import HarnessError, fresh, known_names


class HttpStubs:
    """Answers by ``"METHOD url"`` or ``"url"``, or one callable that gets the request."""

    def __init__(self, stubs: Mapping[str, Any] | Callable[[Any], Any] | None) -> None:
        self._stubs = stubs if callable(stubs) else dict(stubs or {})

    def result(self, request_text: str | None) -> str:
        """The stored result of a request.

        An answer is a status code, a text or other JSON as content, or the whole response as the orchestrator gets it:
        an object with ``statusCode``, ``headers`` and ``content``. An exception is a request that gets no answer.

        Raises:
            HarnessError: no stub is for the request.
            Exception: the stub's own.
        """
        request = json.loads(request_text or "{}")
        answer = self._answer(request)
        if isinstance(answer, BaseException):
            raise fresh(answer)
        response: dict[str, Any] = {"statusCode": 200, "headers": {}, "content": ""}
        match answer:
            case {"statusCode": _}:
                response |= answer
            case bool() | dict() | list():
                response["content"] = json.dumps(answer)
            case int():
                response["statusCode"] = answer
            case _:
                response["content"] = str(answer)
        return dump_stored(response)

    def _answer(self, request: Any) -> Any:
        if callable(self._stubs):
            return self._stubs(request)
        call = f"{request.get('method')} {request.get('uri')}"
        for key in (call, request.get("uri")):
            if key in self._stubs:
                stub = self._stubs[key]
                return stub(request) if callable(stub) else stub
        raise HarnessError(f"call_http sends {call!r}, and `http` has no answer for it; {known_names(self._stubs)}.")
