"""The built-in activity behind ``call_http``: one HTTP request, by the rules of the platform's HTTP client.

One client serves the whole host, and with it one cookie jar: a cookie that is answered to one instance goes out with
the calls of every other (replay.md §3.6). An answer is a result whatever its status; only a request that gets none
fails.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.provider import ActivityCall
from durable_status.replay.events import TaskCompleted, TaskFailed
from durable_status.replay.profile import Profile
from durable_status.stored_json import dump_stored

_TIMEOUT_SECONDS = 100  # .NET's own
_MAX_REDIRECTS = 50  # .NET's own
_FORM = "application/x-www-form-urlencoded"
_SENT_BY_AIOHTTP_ONLY = ("Accept", "Accept-Encoding", "Content-Type")
_CONTENT_HEADERS = frozenset(
    {
        "allow",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-location",
        "content-md5",
        "content-range",
        "content-type",
        "expires",
        "last-modified",
    }
)
_PRODUCT = re.compile(r"\([^)]*\)|\S+")
_MEDIA_TYPE = re.compile(r"[\w!#$%&'*+.^`|~-]+/[\w!#$%&'*+.^`|~-]+")


def open_http_session(profile: Profile) -> aiohttp.ClientSession:
    """Open the client that all calls of a host share. Needs a running event loop; the caller closes it."""
    return aiohttp.ClientSession(
        headers={"User-Agent": f"Microsoft.Azure.WebJobs.Extensions.DurableTask/{profile.extension_version}"},
        skip_auto_headers=_SENT_BY_AIOHTTP_ONLY,
        cookie_jar=aiohttp.CookieJar(unsafe=True, quote_cookie=False),  # hosts without a name have cookies, too
        timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS),
        auto_decompress=False,
    )


class HttpCalls:
    """Runs the HTTP calls of orchestrations."""

    def __init__(self, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    async def run(self, call: ActivityCall) -> TaskCompleted | TaskFailed:
        """Run one call to its end; what goes wrong is the failure of the task, never of the host."""
        try:
            result = await self._send(_Request.from_input(call.input))
        except _CallFailure as failure:
            return TaskFailed(
                timestamp=self._clock.now(),
                task_scheduled_id=call.task_id,
                reason=failure.message,
                details=failure.details,
            )
        return TaskCompleted(timestamp=self._clock.now(), task_scheduled_id=call.task_id, result=result)

    async def _send(self, request: _Request) -> str:
        try:
            async with self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.content,
                max_redirects=_MAX_REDIRECTS,
            ) as response:
                return _result_text(response, await response.read())
        except TimeoutError as error:
            raise _CallFailure.unhandled(
                "System.Threading.Tasks.TaskCanceledException",
                f"The request was canceled due to the configured HttpClient.Timeout of {_TIMEOUT_SECONDS} seconds "
                "elapsing.",
            ) from error
        except (aiohttp.ClientError, asyncio.IncompleteReadError, ValueError) as error:
            raise _no_answer(error) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    content: bytes | None

    @classmethod
    def from_input(cls, text: str) -> Self:
        """Read the input of the activity: a JSON array of one request.

        Raises:
            _CallFailure: the platform would not send such a request.
        """
        (members,) = json.loads(text)
        headers, content_type = _request_headers(members.get("headers") or {})
        content: str | None = members.get("content")
        if content is not None:
            headers.append(("Content-Type", _content_type(content_type)))
        if members.get("tokenSource") is not None:
            raise _CallFailure.unhandled(
                "System.NotSupportedException",
                "This host has no managed identity, so it cannot get the token that the tokenSource of call_http asks "
                "for. Run this call on Azure, or send an Authorization header of your own.",
            )
        return cls(
            method=members["method"],
            url=_absolute_url(members["uri"]),
            headers=headers,
            content=None if content is None else content.encode("utf-8", "replace"),
        )


def _request_headers(given: Mapping[str, str | list[str]]) -> tuple[list[tuple[str, str]], str]:
    """The headers to send without the content type, and that."""
    headers: list[tuple[str, str]] = []
    content_type = ""
    for name, value in given.items():
        values = value if isinstance(value, list) else [value]
        if name.casefold() == "content-type":
            content_type = values[-1] if values else ""
        elif name.casefold() in _CONTENT_HEADERS:
            raise _CallFailure.unhandled(
                "System.InvalidOperationException",
                f"Misused header name, '{name}'. Make sure request headers are used with HttpRequestMessage, response "
                "headers with HttpResponseMessage, and content headers with HttpContent objects.",
            )
        else:
            headers.extend((name, item) for item in values)
    return headers, content_type


def _content_type(given: str) -> str:
    """The content type of a request with content; parameters such as a charset are refused by .NET's class for it."""
    if "multipart" in given:
        raise _CallFailure.unhandled(
            "Microsoft.Azure.WebJobs.Extensions.DurableTask.FunctionFailedException",
            "Multipart content is not supported with CallHttpAsync.",
        )
    if not given:
        return "text/plain"
    if _MEDIA_TYPE.fullmatch(given) is None:
        raise _CallFailure.unhandled("System.FormatException", f"The format of value '{given}' is invalid.")
    return f"{given}; charset=utf-8" if given.casefold() == _FORM else given


def _absolute_url(text: str) -> str:
    try:
        scheme = urlsplit(text).scheme
    except ValueError as error:
        raise _CallFailure.unhandled("System.UriFormatException", f"Invalid URI: {error}") from error
    if not scheme:
        raise _CallFailure.unhandled(
            "System.InvalidOperationException",
            "An invalid request URI was provided. Either the request URI must be an absolute URI or BaseAddress must "
            "be set.",
        )
    if scheme not in ("http", "https"):
        raise _CallFailure.unhandled("System.NotSupportedException", f"The '{scheme}' scheme is not supported.")
    return text


def _result_text(response: aiohttp.ClientResponse, body: bytes) -> str:
    """What the orchestrator gets: status, headers without those of the content, and the content as text."""
    headers: dict[str, str | list[str]] = {}
    for name in dict.fromkeys(response.headers):
        if name.casefold() in _CONTENT_HEADERS or name in headers:
            continue
        values = response.headers.getall(name)
        if name.casefold() == "server":  # .NET counts each product of it as a value
            values = [product for value in values for product in _PRODUCT.findall(value)]
        headers[name] = values[0] if len(values) == 1 else values
    return dump_stored({"statusCode": response.status, "headers": headers, "content": _text(body, response.charset)})


def _text(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8", "replace").removeprefix("\ufeff")
    except LookupError as error:
        raise _CallFailure.unhandled(
            "System.InvalidOperationException",
            "The character set provided in ContentType is invalid. Cannot read content as string using an invalid "
            "character set.",
        ) from error


class _CallFailure(Exception):
    """A call that failed: `message` is the reason that the orchestrator sees, `details` what stands behind it."""

    def __init__(self, message: str, details: str) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    @classmethod
    def unhandled(cls, exception_type: str, message: str) -> Self:
        """What the activity itself does not catch; the platform's dispatcher words the details."""
        return cls(message, f"Unhandled exception while executing task: {exception_type}: {message}")

    @classmethod
    def no_answer(cls, error_number: int, message: str, inner: Mapping[str, Any] | None) -> Self:
        """.NET's HttpRequestException, as JSON in the details; its own stack is not imitated."""
        details = {
            "$type": "System.Net.Http.HttpRequestException, System.Net.Http",
            "HttpRequestError": error_number,
            "StatusCode": None,
            "Message": message,
            "Data": {"$type": "System.Collections.ListDictionaryInternal, System.Private.CoreLib"},
            "InnerException": inner,
            "HelpLink": None,
            "Source": "System.Net.Http",
            "HResult": -2147467259,
            "StackTrace": None,
        }
        return cls(message, dump_stored(details))


_NAME_RESOLUTION, _CONNECTION, _SECURE_CONNECTION, _UNKNOWN = 1, 2, 3, 0


def _no_answer(error: Exception) -> _CallFailure:
    """The failure that .NET reports where aiohttp reports `error`."""
    match error:
        case aiohttp.ClientSSLError():
            text = "The SSL connection could not be established, see inner exception."
            return _CallFailure.no_answer(_SECURE_CONNECTION, text, None)
        case aiohttp.ClientConnectorDNSError():
            return _unreachable(_NAME_RESOLUTION, "Name or service not known", error)
        case aiohttp.ClientConnectorError():
            return _unreachable(_CONNECTION, os.strerror(error.os_error.errno or 0), error)
        case _:
            return _CallFailure.no_answer(_UNKNOWN, "An error occurred while sending the request.", None)


def _unreachable(error_number: int, text: str, error: aiohttp.ClientConnectorError) -> _CallFailure:
    inner = {
        "$type": "System.Net.Sockets.SocketException, System.Net.Primitives",
        "ClassName": "System.Net.Sockets.SocketException",
        "Message": text,
        "NativeErrorCode": error.os_error.errno,
    }
    return _CallFailure.no_answer(error_number, f"{text} ({error.host}:{error.port})", inner)
