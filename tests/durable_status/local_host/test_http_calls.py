"""call_http: what goes over the wire, what the orchestrator gets back, and what fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from durable_status.local_host.http_calls import HttpCalls, open_http_session
from durable_status.local_host.storage.provider import ActivityCall
from durable_status.replay.events import TaskCompleted, TaskFailed
from durable_status.replay.http_requests import HTTP_ACTIVITY, http_activity_input
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.clock import ManualClock

Respond = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _Site:
    """A server that answers as the test says and keeps what it was sent."""

    def __init__(self, server: TestServer, calls: HttpCalls) -> None:
        self.requests: list[tuple[str, Mapping[str, str], str]] = []
        self._server = server
        self._calls = calls

    async def call(self, path: str = "/", **request: Any) -> TaskCompleted | TaskFailed:
        uri = str(self._server.make_url(path)) if path.startswith("/") else path
        return await _run(self._calls, {"method": "GET", "uri": uri, **request})

    async def result(self, path: str = "/", **request: Any) -> Any:
        outcome = await self.call(path, **request)
        assert isinstance(outcome, TaskCompleted), outcome
        return json.loads(outcome.result or "")


async def _run(calls: HttpCalls, request: Mapping[str, Any]) -> TaskCompleted | TaskFailed:
    text = http_activity_input(request)
    return await calls.run(ActivityCall(instance_id="i", execution_id="e", task_id=7, name=HTTP_ACTIVITY, input=text))


@asynccontextmanager
async def _site(respond: Respond, profile: Profile = PROFILE_2_13) -> AsyncIterator[_Site]:
    async def handle(request: web.Request) -> web.StreamResponse:
        site.requests.append((request.method, request.headers, await request.text()))
        return await respond(request)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    async with TestServer(application) as server, open_http_session(profile) as session:
        site = _Site(server, HttpCalls(session, ManualClock()))
        yield site


async def _ok(_: web.Request) -> web.StreamResponse:
    return web.Response(text="fine")


def _sent(profile: Profile = PROFILE_2_13, **request: Any) -> tuple[str, Mapping[str, str], str]:
    """What a server gets of a request."""

    async def main() -> tuple[str, Mapping[str, str], str]:
        async with _site(_ok, profile) as site:
            await site.result(**request)
            return site.requests[0]

    return asyncio.run(main())


def _answered(respond: Respond) -> Any:
    """What an orchestrator gets of an answer."""

    async def main() -> Any:
        async with _site(respond) as site:
            return await site.result()

    return asyncio.run(main())


def _failed(uri: str, **request: Any) -> TaskFailed:
    async def main() -> TaskCompleted | TaskFailed:
        async with open_http_session(PROFILE_2_13) as session:
            return await _run(HttpCalls(session, ManualClock()), {"method": "GET", "uri": uri, **request})

    outcome = asyncio.run(main())
    assert isinstance(outcome, TaskFailed)
    return outcome


@pytest.mark.conforms("R3.6-4")
@pytest.mark.parametrize(("profile", "release"), [(PROFILE_2_13, "2.13.7"), (PROFILE_3, "3.19.0")])
def test_the_user_agent_names_the_extension_and_its_release(profile: Profile, release: str) -> None:
    _, headers, _ = _sent(profile)

    assert headers["User-Agent"] == f"Microsoft.Azure.WebJobs.Extensions.DurableTask/{release}"


@pytest.mark.conforms("R3.6-4")
def test_a_user_agent_of_the_request_wins_and_no_other_header_is_added() -> None:
    _, headers, _ = _sent(headers={"User-Agent": "mine/1", "X-Twice": ["a", "b"]})

    assert sorted(headers.items()) == [
        ("Host", headers["Host"]),
        ("User-Agent", "mine/1"),
        ("X-Twice", "a"),
        ("X-Twice", "b"),
    ]


@pytest.mark.conforms("R3.6-2", "R3.6-3")
@pytest.mark.parametrize(
    ("headers", "content_type"),
    [
        ({}, "text/plain"),
        ({"content-type": "application/json"}, "application/json"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "application/x-www-form-urlencoded; charset=utf-8"),
    ],
)
def test_content_is_sent_as_it_is_and_is_plain_text_unless_the_request_says_otherwise(
    headers: dict[str, str], content_type: str
) -> None:
    method, sent_headers, body = _sent(method="POST", content='{"city": "Köln"}', headers=headers)

    assert (method, sent_headers["Content-Type"], body) == ("POST", content_type, '{"city": "Köln"}')


@pytest.mark.conforms("R3.6-3")
def test_a_content_type_without_content_is_dropped() -> None:
    _, headers, _ = _sent(headers={"Content-Type": "application/json"})

    assert "Content-Type" not in headers


@pytest.mark.conforms("R3.6-5")
def test_redirects_are_followed() -> None:
    async def respond(request: web.Request) -> web.StreamResponse:
        if request.path == "/":
            raise web.HTTPFound("/there")
        return web.Response(text=f"at {request.path}")

    answer = _answered(respond)

    assert (answer["statusCode"], answer["content"]) == (200, "at /there")


@pytest.mark.conforms("R3.6-6", "R3.6-7", "R3.6-8")
def test_the_result_has_status_headers_and_content_but_no_headers_of_the_content() -> None:
    async def respond(_: web.Request) -> web.StreamResponse:
        headers = [("X-Twice", "a"), ("X-Twice", "b"), ("X-Once", "c"), ("Server", "Kestrel/8 (on linux) Core")]
        headers += [("Content-Language", "de"), ("Date", "Sun, 22 Nov 2026 11:30:00 GMT")]
        return web.Response(text="Grüße", headers=headers)

    assert _answered(respond) == {
        "statusCode": 200,
        "headers": {
            "X-Twice": ["a", "b"],
            "X-Once": "c",
            "Server": ["Kestrel/8", "(on linux)", "Core"],
            "Date": "Sun, 22 Nov 2026 11:30:00 GMT",
        },
        "content": "Grüße",
    }


@pytest.mark.conforms("R3.6-9")
@pytest.mark.parametrize("status", [404, 500])
def test_an_error_status_is_a_result(status: int) -> None:
    async def respond(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="no")

    answer = _answered(respond)

    assert (answer["statusCode"], answer["content"]) == (status, "no")


@pytest.mark.conforms("R3.6-14")
def test_a_202_is_the_result_and_its_location_is_not_polled() -> None:
    async def main() -> tuple[Any, int]:
        async def respond(_: web.Request) -> web.StreamResponse:
            return web.Response(status=202, headers={"Location": "/status", "Retry-After": "0"})

        async with _site(respond) as site:
            return await site.result(), len(site.requests)

    answer, requests = asyncio.run(main())

    assert (answer["statusCode"], requests) == (202, 1)


def test_content_is_read_in_the_charset_it_names() -> None:
    async def respond(_: web.Request) -> web.StreamResponse:
        return web.Response(body="Köln".encode("latin-1"), headers={"Content-Type": "text/plain; charset=iso-8859-1"})

    assert _answered(respond)["content"] == "Köln"


@pytest.mark.conforms("R3.6-10")
def test_a_cookie_that_one_instance_is_given_goes_out_with_every_later_call() -> None:
    async def main() -> list[str]:
        async def respond(_: web.Request) -> web.StreamResponse:
            response = web.Response()
            response.set_cookie("session", "of-the-first")
            return response

        async with _site(respond) as site:
            await site.result("/login")
            await site.result("/other")
            return [headers.get("Cookie", "") for _, headers, _ in site.requests]

    assert asyncio.run(main()) == ["", "session=of-the-first"]


@pytest.mark.conforms("R3.6-11")
def test_a_refused_connection_fails_with_the_bare_message_and_the_exception_as_details() -> None:
    port = unused_port()

    failure = _failed(f"http://127.0.0.1:{port}/none")

    details = json.loads(failure.details or "")
    assert failure.task_scheduled_id == 7
    assert failure.reason == f"Connection refused (127.0.0.1:{port})"
    assert details["$type"] == "System.Net.Http.HttpRequestException, System.Net.Http"
    assert (details["Message"], details["HttpRequestError"]) == (failure.reason, 2)
    assert details["InnerException"]["NativeErrorCode"] == 111


@pytest.mark.conforms("R3.6-11")
def test_a_connection_that_ends_without_an_answer_fails() -> None:
    async def respond(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def main() -> TaskCompleted | TaskFailed:
        async with _site(respond) as site:
            return await site.call()

    failure = asyncio.run(main())

    assert isinstance(failure, TaskFailed)
    assert failure.reason == "An error occurred while sending the request."


@pytest.mark.conforms("R3.6-12")
@pytest.mark.parametrize(
    ("uri", "request_members", "reason"),
    [
        (
            "/relative",
            {},
            "An invalid request URI was provided. Either the request URI must be an absolute URI or BaseAddress must "
            "be set.",
        ),
        ("ftp://host/", {}, "The 'ftp' scheme is not supported."),
        ("http://", {}, "Invalid URI: http://"),
        (
            "http://127.0.0.1/",
            {"content": "x", "headers": {"Content-Type": "multipart/form-data"}},
            "Multipart content is not supported with CallHttpAsync.",
        ),
        (
            "http://127.0.0.1/",
            {"content": "x", "headers": {"Content-Type": "text/plain; charset=utf-8"}},
            "The format of value 'text/plain; charset=utf-8' is invalid.",
        ),
        (
            "http://127.0.0.1/",
            {"headers": {"Content-Length": "1"}},
            "Misused header name, 'Content-Length'. Make sure request headers are used with HttpRequestMessage, "
            "response headers with HttpResponseMessage, and content headers with HttpContent objects.",
        ),
    ],
)
def test_a_request_that_cannot_be_made_fails_as_an_unhandled_exception(
    uri: str, request_members: dict[str, Any], reason: str
) -> None:
    failure = _failed(uri, **request_members)

    assert failure.reason == reason
    assert (failure.details or "").startswith("Unhandled exception while executing task: ")
    assert reason in (failure.details or "")


def test_a_token_of_a_managed_identity_is_refused_with_a_cure() -> None:
    source = {"kind": "AzureManagedIdentity", "resource": "https://management.core.windows.net/"}

    failure = _failed("http://127.0.0.1/", tokenSource=source)

    assert "no managed identity" in (failure.reason or "")
    assert "Authorization header" in (failure.reason or "")


def test_a_header_value_with_a_line_break_fails_the_call_and_not_the_host() -> None:
    async def main() -> tuple[TaskCompleted | TaskFailed, int]:
        async with _site(_ok) as site:
            return await site.call(headers={"X-Mine": "a\r\nX-Other: b"}), len(site.requests)

    failure, requests = asyncio.run(main())

    assert isinstance(failure, TaskFailed)
    assert (failure.details or "").startswith("Unhandled exception while executing task: ")
    assert requests == 0


@pytest.mark.conforms("R3.6-4")
def test_a_header_value_that_is_no_text_is_passed_over() -> None:
    _, headers, _ = _sent(headers={"X-Number": 5, "X-Mixed": ["a", 5]})

    assert "X-Number" not in headers
    assert headers["X-Mixed"] == "a"


def test_a_name_that_does_not_resolve_fails_as_the_platform_words_it() -> None:
    class NoNames(aiohttp.abc.AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> Any:  # noqa: ARG002
            raise OSError(None, "no such name")

        async def close(self) -> None:
            """Nothing is open."""

    async def main() -> TaskCompleted | TaskFailed:
        connector = aiohttp.TCPConnector(resolver=NoNames())
        async with aiohttp.ClientSession(connector=connector) as session:
            return await _run(HttpCalls(session, ManualClock()), {"method": "GET", "uri": "http://nowhere.invalid/"})

    failure = asyncio.run(main())

    assert isinstance(failure, TaskFailed)
    assert failure.reason == "Name or service not known (nowhere.invalid:80)"
