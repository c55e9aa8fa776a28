"""How the management API reads requests: listeners, paths, queries, bodies, callers."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from durable_status.local_host.listen import listen, listen_near, port_of
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.hosts import CLIENT_CALLS, TRANSCRIPTS, RunningHost, running_host

_RPC = "/durabletask"


async def _raw(host: RunningHost, text: str, *, rpc: bool = True) -> bytes:
    """What the host sends back to these exact bytes."""
    url = host.host.rpc_base_url if rpc else host.host.base_url
    assert url is not None
    port = int(url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode("latin-1"))
    answer = await reader.read(65_536)
    writer.close()
    return answer


async def _statuses(host: RunningHost, requests: list[tuple[str, str]]) -> list[int]:
    return [(await host.request(method, path, rpc=True)).status for method, path in requests]


@pytest.mark.conforms("H0-2", "H0-3")
def test_the_host_header_decides_which_base_is_cut_off() -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS) as host:
            await host.start("WaitGo", "g1")
            plain = {"Host": "localhost"}
            webhook = await host.request("GET", "/runtime/webhooks/durabletask/instances/g1", headers=plain, rpc=True)
            assert webhook.status == 202, "not addressed to the RPC endpoint, so the webhook's base"
            assert (await host.request("GET", f"{_RPC}/instances/g1", headers=plain, rpc=True)).status == 400
            assert (await host.request("GET", f"{_RPC}/instances/g1", rpc=True)).status == 202
            assert (await host.request("GET", "/xxxxxxxxxxx/instances/g1", rpc=True)).status == 202
            port = (host.host.rpc_base_url or "").split(":")[2].split("/")[0]
            for name in ("LocalHost", "[::1]"):
                named = {"Host": f"{name}:{port}"}
                assert (await host.request("GET", f"{_RPC}/instances/g1", headers=named, rpc=True)).status == 202

    asyncio.run(main())


@pytest.mark.conforms("H0-3")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3])
def test_a_path_that_is_shorter_than_the_base_is_an_argument_error(profile: Profile) -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS, profile=profile) as host:
            for method, path, headers in (
                ("GET", "/x", {}),
                ("POST", _RPC, {}),
                ("DELETE", "/", {}),
                ("GET", f"{_RPC}/instances/g1", {"Host": "localhost"}),
            ):
                answer = await host.request(method, path, headers=headers, rpc=True)
                assert answer.status == 400
                assert answer.json == {
                    "Message": "One or more of the arguments submitted is incorrect",
                    "ExceptionMessage": "startIndex cannot be larger than length of string. (Parameter 'startIndex')",
                    "ExceptionType": "System.ArgumentOutOfRangeException",
                    "StackTrace": "",
                }
            assert (await host.request("GET", f"{_RPC}/", rpc=True)).status == 404

    asyncio.run(main())


@pytest.mark.conforms("H0-8")
@pytest.mark.parametrize("rpc", [True, False])
@pytest.mark.parametrize("path", ["/durabletask/instances", "/runtime/webhooks/durabletask/instances", "/api/x", "/"])
def test_two_host_headers_are_refused(rpc: bool, path: str) -> None:
    async def main() -> bytes:
        async with running_host(TRANSCRIPTS) as host:
            url = host.host.rpc_base_url if rpc else host.host.base_url
            authority = (url or "").split("/")[2]
            hosts = f"Host: {authority}\r\nhost: {authority}\r\n"
            return await _raw(host, f"GET {path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n", rpc=rpc)

    assert asyncio.run(main()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.conforms("H0-4", "H1.0-30")
def test_requests_without_a_host_or_with_an_endless_line_are_refused_by_the_server() -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS) as host:
            no_host = await _raw(host, "GET /durabletask/instances HTTP/1.0\r\n\r\n")
            assert no_host.startswith(b"HTTP/1.1 500")
            assert b"content-length: 0" in no_host.lower()
            long_line = await host.request("GET", f"{_RPC}/instances/{'x' * 8192}", rpc=True)
            assert (long_line.status, long_line.text) == (414, "")

    asyncio.run(main())


@pytest.mark.conforms("H0-5", "H2-1")
def test_a_busy_rpc_port_gives_way_to_a_random_one(caplog: pytest.LogCaptureFixture) -> None:
    with closing(listen(0)) as taken, closing(listen_near(port_of(taken))) as other:
        assert port_of(other) in range(30_000, 31_000)
        assert caplog.messages == [
            f"Failed to open local port {port_of(taken)}. This was attempt #1 to open a local port."
        ]


@pytest.mark.conforms("H2-2")
def test_the_log_tells_the_rpc_endpoint(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> str | None:
        async with running_host(TRANSCRIPTS) as host:
            return host.host.rpc_base_url

    with caplog.at_level(logging.INFO):
        url = asyncio.run(main())

    assert f"Opened local http RPC endpoint: {url}" in caplog.messages


@pytest.mark.conforms("H1.0-3", "H1.0-4", "H1.0-5", "H1.0-6", "H1.0-7")
def test_paths_are_matched_segment_by_segment() -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS, profile=PROFILE_2_13) as host:
            assert (await host.request("POST", f"{_RPC}/ORCHESTRATORS/WaitGo/x%2Fy", rpc=True)).json["id"] == "x%2Fy"
            for sent, instance_id in (("a+b", "a+b"), ("50%25", "50%"), ("lone%25%20end", "lone% end")):
                assert (await host.request("POST", f"{_RPC}/orchestrators/WaitGo/{sent}", rpc=True)).json[
                    "id"
                ] == instance_id
            generated = (await host.request("POST", f"{_RPC}/orchestrators/WaitGo/%20", rpc=True)).json["id"]
            assert len(generated) == 32
            assert await _statuses(
                host,
                [
                    ("GET", f"{_RPC}/INSTANCES/a+b/"),
                    ("GET", f"{_RPC}///instances/a+b///"),
                    ("GET", f"{_RPC}/instances/x%2Fy"),
                    ("GET", f"{_RPC}/instances/x%252Fy"),
                    ("GET", f"{_RPC}/instances/x%2fy"),
                    ("GET", f"{_RPC}/instances/A+b"),
                    ("GET", f"{_RPC}/instances//a+b"),
                    ("GET", f"{_RPC}/instances/%2E/nothing/%2e%2E/a+b"),
                    ("GET", f"{_RPC}/instances/%00"),
                    ("GET", f"{_RPC}/instances/50%"),
                ],
            ) == [202, 202, 202, 202, 404, 404, 404, 202, 400, 202]

    asyncio.run(main())


@pytest.mark.conforms("H1.0-8", "H1.9-2")
def test_other_verbs_and_routes_are_404_never_405() -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS) as host:
            await host.start("WaitGo", "i")
            requests = [
                (verb, f"{_RPC}/{path}")
                for verb in ("PUT", "PATCH", "HEAD", "OPTIONS", "PROPFIND")
                for path in ("instances", "instances/i", "orchestrators/WaitGo", "instances/i/terminate", "nothing")
            ]
            assert set(await _statuses(host, requests)) == {404}
            assert await _statuses(host, [("GET", f"{_RPC}/orchestrators/WaitGo"), ("GET", f"{_RPC}/")]) == [404, 404]

    asyncio.run(main())


@pytest.mark.conforms("H1.9-1")
def test_makeprimary_takes_any_verb_and_fails_without_app_leases() -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS) as host:
            assert await _statuses(host, [(verb, f"{_RPC}/makePrimary") for verb in ("GET", "POST", "PATCH")]) == [
                200,
                200,
                200,
            ]
        async with running_host(TRANSCRIPTS, settings={"uses_app_lease": False}) as host:
            refused = await host.manage("POST", "makeprimary")
            assert refused.status == 500
            assert refused.json["ExceptionMessage"].startswith("Cannot make current app primary. ")

    asyncio.run(main())


@pytest.mark.conforms("H1.0-17", "H1.0-18", "H1.0-19", "XH-24")
def test_other_hubs_are_empty_and_other_connections_unknown() -> None:
    async def main() -> None:
        for profile, bad_name, bad_text in (
            (
                PROFILE_2_13,
                400,
                (
                    "System.ArgumentException",
                    "Invalid table name. Check MSDN for more information about valid table naming.",
                ),
            ),
            (
                PROFILE_3,
                500,
                (
                    "DurableTask.AzureStorage.Storage.DurableTaskStorageException",
                    "An error occurred while communicating with Azure Storage",
                ),
            ),
        ):
            async with running_host(TRANSCRIPTS, profile=profile) as host:
                await host.start("WaitGo", "i")
                assert await _statuses(
                    host,
                    [
                        ("GET", f"{_RPC}/instances/i?taskHub=TRANSCRIPThub&connection=Storage"),
                        ("GET", f"{_RPC}/instances/i?taskHub=+"),
                        ("GET", f"{_RPC}/instances/i?taskHub=NeverHub"),
                        ("GET", f"{_RPC}/instances?taskHub=NeverHub"),
                        ("GET", f"{_RPC}/instances/i?taskHub=A"),  # with the tables' names behind it long enough
                        ("DELETE", f"{_RPC}/instances/i?taskHub=NeverHub"),
                        ("GET", f"{_RPC}/instances/i?connection=Nope"),
                        ("GET", f"{_RPC}/instances/i?taskHub=no-hub"),
                        ("GET", f"{_RPC}/instances/i?taskHub=TranscriptHub&taskHub=TranscriptHub"),
                    ],
                ) == [202, 202, 404, 200, 404, 404, 500, bad_name, bad_name]
                assert (await host.manage("GET", "instances?taskHub=NeverHub")).text == "[]"
                refused = (await host.manage("GET", "instances/i?taskHub=no-hub")).json
                assert (refused["ExceptionType"], refused["ExceptionMessage"]) == bad_text

    asyncio.run(main())


@pytest.mark.conforms("H1.0-20")
def test_starting_on_another_hub_is_refused_and_another_spelling_skips_the_check() -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS, profile=PROFILE_2_13) as host:
            refused = await host.manage("POST", "orchestrators/WaitGo/x?taskHub=OtherHub")
            assert refused.status == 400
            assert "TranscriptHub" in refused.json["ExceptionMessage"]
            accepted = await host.manage("POST", "orchestrators/Nope/y?taskHub=transcripthub")
            assert accepted.status == 202
            document = await host.until_status("y", "Failed")
            assert document["output"].startswith("Orchestrator function 'Nope' failed: ")

    asyncio.run(main())


@pytest.mark.conforms("H1.0-21", "H1.0-22", "H1.0-23", "H1.0-24", "H1.0-25")
def test_bodies_have_the_platforms_shapes() -> None:
    async def main() -> None:
        async with running_host(TRANSCRIPTS, profile=PROFILE_2_13) as host:
            missing = await host.manage("GET", "instances/none")
            assert (missing.text, missing.headers.get("Content-Type")) == ("", None)
            assert missing.headers["Content-Length"] == "0"
            await host.start("EchoInput", "%C3%A9", "grün")
            shown = await host.manage("GET", "instances/%C3%A9")
            assert shown.headers["Content-Type"] == "application/json; charset=utf-8"
            assert shown.headers["Transfer-Encoding"] == "chunked"
            assert '"instanceId":"é"' in shown.text
            wrong = await host.manage("POST", "orchestrators/WaitGo/@x")
            assert list(wrong.json) == ["Message", "ExceptionMessage", "ExceptionType", "StackTrace"]
            assert wrong.json["Message"] == "One or more of the arguments submitted is incorrect"
            no_date = await host.manage("DELETE", "instances")
            assert no_date.text == "\"Please provide value for 'createdTimeFrom' parameter.\""

    asyncio.run(main())


@pytest.mark.conforms("H1.0-31", "H1.0-32")
def test_large_and_chunked_bodies_are_read() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'"\\"'
        yield b"x" * 70_000
        yield b'\\""'

    async def main() -> None:
        async with running_host(TRANSCRIPTS) as host:
            url = f"{host.host.rpc_base_url}orchestrators/EchoInput/"
            async with host.session.post(f"{url}chunked", data=pieces()) as answer:
                assert answer.status == 202
            assert len((await host.until_status("chunked", "Completed"))["output"]) == 70_000
            big = io.BytesIO(json.dumps(json.dumps("y" * 5_000_000)).encode())
            async with host.session.post(f"{url}big", data=big) as answer:
                assert answer.status == 202
            head = f"POST /durabletask/orchestrators/EchoInput/empty HTTP/1.1\r\nHost: {url.split('/')[2]}\r\n"
            sent = f"{head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n"
            assert (await _raw(host, sent)).startswith(b"HTTP/1.1 202")
            assert (await host.status("empty"))["input"] is None

    asyncio.run(main())


@pytest.mark.conforms("H0-6")
@pytest.mark.parametrize(
    ("rpc", "headers", "status"),
    [
        (True, {}, 202),
        (True, {"Origin": "https://evil.example"}, 403),
        (True, {"Origin": "http://localhost:7071"}, 403),
        (True, {"Host": "evil.example"}, 400),
        (True, {"Host": "evil.example:17071"}, 400),
        (False, {}, 202),
        (False, {"Origin": "https://evil.example"}, 403),
        (False, {"Origin": "null"}, 403),
        (False, {"Origin": "https://listed.example"}, 202),
        (False, {"Host": "evil.example"}, 403),
        (False, {"Host": "listed.example"}, 202),
        (False, {"Host": "[::1]:7071"}, 202),
        (False, {"Host": "[bad"}, 403),
        (False, {"Host": "localhost:7071", "Origin": "http://localhost:7071"}, 202),
        (False, {"Host": "localhost:7071", "Origin": "http://localhost:3000"}, 403),
    ],
)
def test_web_pages_and_foreign_names_do_not_get_in(rpc: bool, headers: dict[str, str], status: int) -> None:
    async def main() -> int:
        async with running_host(TRANSCRIPTS, cors_origins=["https://listed.example"]) as host:
            base = f"{_RPC}/" if rpc and "Host" not in headers else "/runtime/webhooks/durabletask/"
            answer = await host.request(
                "POST", f"{base}orchestrators/WaitGo/i", headers={"Content-Type": "text/plain", **headers}, rpc=rpc
            )
            listed = (await host.manage("GET", "instances")).json
            assert bool(listed) == (answer.status == 202), "a refused request changes nothing"
            return answer.status

    assert asyncio.run(main()) == status


@pytest.mark.conforms("H1.0-26")
def test_errors_inside_the_host_are_logged_once_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    from durable_status.local_host.storage.memory import MemoryStorage

    class Broken(MemoryStorage):
        async def read_instance(self, instance_id: str) -> None:
            raise OSError(f"disk /secret/path is full, {instance_id}")

    async def main() -> None:
        async with running_host(TRANSCRIPTS, storage=Broken) as host:
            answer = await host.manage("GET", "instances/x")
            assert answer.status == 500
            assert "secret" not in answer.text
            assert answer.json["Message"] == "Something went wrong while processing your request"

    asyncio.run(main())

    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
        "The management operation show failed."
    ]


def test_a_listener_is_on_loopback_only() -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS) as host:
            port = int(host.host.base_url.rsplit(":", 1)[1])
            others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
            for address in others - {"127.0.0.1", "127.0.1.1"}:
                with pytest.raises(ConnectionRefusedError):
                    await asyncio.open_connection(address, port)

    asyncio.run(main())


def test_a_host_that_others_reach_may_be_called_by_any_name_but_by_no_foreign_page() -> None:
    async def main() -> list[int]:
        async with running_host(TRANSCRIPTS, address="127.0.0.2") as host:
            return [
                (await host.manage("GET", "instances", headers=headers)).status
                for headers in ({}, {"Host": "build-server:7071"}, {"Origin": "https://foreign.example"})
            ]

    assert asyncio.run(main()) == [200, 200, 403]
