"""What is refused before anything is sent, and that keys do not show."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import Any
from urllib.parse import unquote

import azure.durable_functions as df
import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_status import HostError, RefusedError, WaitTimeoutError
from durable_status.client.answers import unexpected
from durable_status.client.checks import instance_segment, json_text, name_segment, reason_query
from durable_status.client.durable_client import DurableClient
from durable_status.client.status_client import AsyncStatusClient, StatusClient
from durable_status.client.steps import Response
from durable_status.client.watching import Pace
from durable_status.harmless_text import masked
from durable_status.local_host.sdk import close_client_session


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a" * 257,
        ".",
        "..",
        "a b",
        "a\n",
        "a\x7f",
        "a\u2028",
        "a\u00a0",
        "a/b",
        "a\\b",
        "a?b",
        "a#b",
        "a%b",
        "\ud800",
    ],
)
def test_what_is_no_id_is_no_event_name_either(text: str) -> None:
    with pytest.raises(RefusedError):
        instance_segment(text)
    with pytest.raises(RefusedError):
        name_segment(text, "event name")


def test_an_event_name_may_begin_with_an_at_sign_and_an_id_may_not() -> None:
    assert name_segment("@a", "event name") == "%40a"
    with pytest.raises(RefusedError, match="entity"):
        instance_segment("@a")


@given(text=st.text())
def test_what_is_accepted_is_one_segment_that_reads_back_as_itself(text: str) -> None:
    try:
        segment = instance_segment(text)
    except RefusedError:
        return

    assert unquote(segment) == text
    assert not set(segment) & set("/\\?#+ ;&=:@")
    assert segment not in (".", "..")


@pytest.mark.parametrize(
    "reason",
    [
        "42 is enough",
        "-1 day",
        ".5 left",
        " 7",
        "true story",
        "null and void",
        "undefined behaviour",
        "new Date(5)",
        "Infinity",
        "'quoted' text",
        '"quoted" text',
        "[wip] stop",
        "{oops}",
        "// comment",
        "/* comment */ 5",
        "http://example.com/x",
        "https://example.com",
        "mailto:a@example.com",
        "urn:isbn:1",
        " ftp://example.com ",
    ],
)
def test_a_reason_that_the_platform_would_not_keep_is_refused(reason: str) -> None:
    with pytest.raises(RefusedError):
        reason_query(reason)


@pytest.mark.parametrize(
    "reason", ["", "stop", "nothing", "truest", "newer", "see http://example.com/x", "note: done", "- a dash", "/path"]
)
def test_any_other_reason_is_sent(reason: str) -> None:
    assert reason_query(reason) == {"reason": reason}


@pytest.mark.parametrize("value", [float("nan"), {"a": {1, 2}}, b"bytes", object(), {("a",): 1}])
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(RefusedError, match="The input cannot be sent as JSON"):
        json_text(value, "The input")


@pytest.mark.parametrize(
    "url",
    [
        "localhost:7071",
        "ftp://localhost",
        "http://",
        "http://localhost:7071?code=s3cret",
        "http://user:s3cret@host",
        "",
    ],
)
def test_what_is_no_address_of_an_app_is_refused(url: str) -> None:
    with pytest.raises(RefusedError) as refused:
        StatusClient(url)

    assert "s3cret" not in str(refused.value)


def test_a_key_shows_in_no_repr_and_no_error() -> None:
    async def ask() -> None:
        async with AsyncStatusClient("http://localhost:1", key="s3cret", pace=Pace(patience=0)) as client:
            assert "s3cret" not in repr(client)
            with pytest.raises(HostError, match="did not answer") as error:
                await client.get_status("i", Any)
            assert "s3cret" not in "".join(traceback.format_exception(error.value)) + repr(error.value)

    asyncio.run(ask())
    with StatusClient("http://localhost:1", key="s3cret") as client:
        assert "s3cret" not in repr(client)
        with pytest.raises(HostError) as error:
            client.get_status("i", Any)
        assert "s3cret" not in "".join(traceback.format_exception(error.value)) + repr(error.value)


@pytest.mark.parametrize("key", ["s3cret\n", " s3cret", "s3cret\x00", "s3crét", ""])
@pytest.mark.parametrize("client", [StatusClient, AsyncStatusClient])
def test_what_is_no_key_is_refused_and_not_shown(client: type, key: str) -> None:
    with pytest.raises(RefusedError, match="The key is empty or has") as refused:
        client("http://localhost:1", key=key)

    assert "s3c" not in "".join(traceback.format_exception_only(refused.value))


def test_a_host_that_never_answers_ends_no_wait_late() -> None:
    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _reader.read()
        writer.close()

    async def main() -> None:
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            binding = {"taskHubName": "h", "creationUrls": {}, "managementUrls": {"id": "INSTANCEID"}}
            sdk = df.DurableOrchestrationClient(json.dumps(binding | {"rpcBaseUrl": f"http://127.0.0.1:{port}/"}))
            try:
                with pytest.raises(WaitTimeoutError):
                    await asyncio.wait_for(DurableClient(sdk).wait_for_completion("i", Any, 0), 30)
            finally:
                await close_client_session()

    asyncio.run(main())


def test_a_key_in_what_the_host_says_is_masked() -> None:
    answer = Response(
        status=500, headers={}, text='{"Message":"GET https://x/instances?code=s3cret&sig=s3cret failed"}'
    )

    assert "s3cret" not in str(unexpected(answer))
    assert masked("?taskHub=a&Code=s3cret") == "?taskHub=a&Code=***"


def test_a_refusal_of_the_key_says_which_key_it_wants() -> None:
    assert "durabletask_extension" in str(unexpected(Response(status=401, headers={}, text="")))
