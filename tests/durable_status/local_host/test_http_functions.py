"""What an HTTP function sees of a request, and what becomes of what it returns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.hosts import RunningHost, app_in, running_host
from tests.paths import APPS

HTTP_FUNCTIONS = APPS / "http_functions"


@pytest.mark.conforms("H5-36")
def test_a_function_sees_url_method_parameters_body_and_repeated_headers() -> None:
    async def main() -> None:
        async with running_host(HTTP_FUNCTIONS) as host:
            path = "/api/seen/A%20b?x=1&x=2&X=3&none="
            body = '{"n": 1}'
            seen = (await host.request("POST", path, body)).json

            assert seen["url"] == f"{host.host.base_url}{path}"
            assert (seen["method"], seen["route"]) == ("POST", {"name": "A b"})
            assert seen["params"] == {"x": "1,2", "X": "3"}
            assert (seen["length"], seen["json"]) == (len(body), {"n": 1})
            assert (await host.request("POST", path, "no")).json["json"] == "no JSON"
            assert (await host.request("GET", path)).json["json"] == "no JSON"
            twice = [("X-Twice", "a"), ("X-Twice", "b")]
            async with host.session.get(f"{host.host.base_url}/api/seen/x", headers=twice) as answer:
                assert (await answer.json())["x-twice"] == "a,b"

    asyncio.run(main())


@pytest.mark.conforms("H5-37")
def test_a_body_sent_in_chunks_arrives_empty() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"some"
        yield b"thing"

    async def main() -> None:
        async with (
            running_host(HTTP_FUNCTIONS) as host,
            host.session.post(f"{host.host.base_url}/api/seen/x", data=pieces()) as answer,
        ):
            assert (await answer.json())["length"] == 0

    asyncio.run(main())


@pytest.mark.conforms("H5-38")
@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("plain", "text/plain; charset=utf-8"),
        ("html", "text/html; charset=utf-8"),
        ("binary", "image/png"),
        ("header", "application/problem+json"),
    ],
)
def test_a_response_has_the_type_that_it_names(kind: str, content_type: str) -> None:
    async def main() -> None:
        async with running_host(HTTP_FUNCTIONS) as host:
            answer = await host.request("GET", f"/api/answer/{kind}")

            assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)

    asyncio.run(main())


@pytest.mark.conforms("H5-28")
@pytest.mark.parametrize("kind", ["none", "dict", "tuple", "body"])
def test_what_is_no_response_and_no_text_is_500_without_a_word(kind: str) -> None:
    async def main() -> None:
        async with running_host(HTTP_FUNCTIONS) as host:
            answer = await host.request("GET", f"/api/answer/{kind}")

            assert (answer.status, answer.text, answer.headers.get("Content-Type")) == (500, "", None)

    asyncio.run(main())


@pytest.mark.conforms("H5-39")
def test_of_two_functions_on_one_route_the_later_is_not_served() -> None:
    async def main() -> None:
        async with running_host(HTTP_FUNCTIONS) as host:
            assert list(host.host.problems) == [
                "Function 'late' is not served: 'answer' has the same route /api/Answer/{Kind}."
            ]

    asyncio.run(main())


@pytest.mark.conforms("H5-40")
def test_a_function_without_a_level_has_that_of_the_app_it_is_registered_with() -> None:
    levels = {function.name: function.trigger["authLevel"] for function in app_in(HTTP_FUNCTIONS).functions}

    assert (levels["seen"], levels["inherits"], levels["lent"]) == ("ANONYMOUS", "ADMIN", "ADMIN")


@pytest.mark.conforms("H5-41")
def test_async_functions_share_one_thread_and_the_others_have_a_pool() -> None:
    async def thread(host: RunningHost, path: str) -> str:
        return (await host.request("GET", path)).text

    async def main() -> None:
        async with running_host(HTTP_FUNCTIONS) as host:
            assert await thread(host, "/api/loop") == "async-functions"
            assert (await host.request("GET", "/api/seen/x")).json["thread"].startswith("function-")

    asyncio.run(main())


@pytest.mark.conforms("H5-42")
@pytest.mark.parametrize("path", ["/api/nothing", "/nothing", "/api", "/api/seen/x/y"])
def test_what_no_function_has_is_404_and_empty(path: str) -> None:
    async def main() -> None:
        async with running_host(HTTP_FUNCTIONS) as host:
            answer = await host.request("GET", path)

            assert (answer.status, answer.text) == (404, "")

    asyncio.run(main())
