"""The management API under races, large bodies, clients that leave, and old or odd HTTP."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.provider import InstanceRow, StorageProvider
from tests.durable_status.local_host.management import start, with_host, with_storage
from tests.hosts import RunningHost
from tests.quiet_storage import QuietStorage

MakeStorage = Callable[[Clock], StorageProvider]


async def _connect(host: RunningHost) -> tuple[str, asyncio.StreamReader, asyncio.StreamWriter]:
    """A plain connection to the RPC endpoint, after the name to call it by."""
    name = (host.host.rpc_base_url or "").split("/")[2]
    reader, writer = await asyncio.open_connection("127.0.0.1", int(name.split(":")[1]))
    return name, reader, writer


async def _exchange(host: RunningHost, *lines: str, body: str = "") -> bytes:
    """All that comes back before the host closes the connection."""
    name, reader, writer = await _connect(host)
    writer.write("\r\n".join([*lines, "", body]).replace("{host}", name).encode())
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.conforms("H1.1-15")
def test_of_starts_that_race_for_one_id_exactly_one_wins(make_storage: MakeStorage) -> None:
    async def test(host: RunningHost, storage: QuietStorage) -> None:
        answers = await asyncio.gather(*(start(host, "WaitGo/one", str(number)) for number in range(20)))
        assert sorted(answer.status for answer in answers) == [202] + [500] * 19
        (winner,) = (number for number, answer in enumerate(answers) if answer.status == 202)
        await storage.until_quiet()
        assert (await host.status("one"))["input"] == winner
        assert len((await host.manage("GET", "instances")).json) == 1

    with_storage(test, make_storage)


class _AwayStorage(MemoryStorage):
    """A task hub that no instance can be read of."""

    async def read_instance(self, instance_id: str) -> InstanceRow | None:
        raise StorageError(f"the account of {instance_id} cannot be reached; start it.")


def test_a_task_hub_that_is_away_is_told_in_the_answer_and_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def test(host: RunningHost) -> None:
        answer = await host.manage("GET", "instances/one")
        assert answer.status == 500
        assert answer.json["ExceptionMessage"] == "the account of one cannot be reached; start it."

    with_host(test, storage=_AwayStorage)

    assert "The management operation show failed: the account of one cannot be reached" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.conforms("H1.0-31")
def test_a_start_of_forty_megabytes_is_accepted(make_storage: MakeStorage) -> None:
    async def test(host: RunningHost, storage: QuietStorage) -> None:
        storage.stop_worker()
        body = io.BytesIO(b'"' + b"y" * 40_000_000 + b'"')
        async with host.session.post(f"{host.host.rpc_base_url}orchestrators/WaitGo/big", data=body) as answer:
            assert answer.status == 202
        shown = await host.manage("GET", "instances?showInput=false&instanceIdPrefix=b")
        assert [item["instanceId"] for item in shown.json] == ["big"]

    with_storage(test, make_storage)


@pytest.mark.conforms("H1.0-35")
def test_a_client_that_leaves_in_the_middle_of_its_body_started_nothing() -> None:
    async def test(host: RunningHost) -> None:
        name, _, writer = await _connect(host)
        writer.write(f"POST /durabletask/orchestrators/WaitGo/half HTTP/1.1\r\nHost: {name}\r\n".encode())
        writer.write(b'Content-Length: 100\r\n\r\n{"a":')
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await start(host, "WaitGo/whole")).status == 202
        assert [item["instanceId"] for item in (await host.manage("GET", "instances")).json] == ["whole"]

    with_host(test)


@pytest.mark.conforms("H1.0-36")
def test_one_connection_serves_many_requests_one_after_the_other() -> None:
    async def test(host: RunningHost) -> None:
        both = await _exchange(
            host,
            "GET /durabletask/instances/none HTTP/1.1",
            "Host: {host}",
            "",
            "GET /durabletask/instances HTTP/1.1",
            "Host: {host}",
            "Connection: close",
            "",
        )
        assert both.startswith(b"HTTP/1.1 404")
        assert b"HTTP/1.1 200" in both
        assert both.endswith(b"2\r\n[]\r\n0\r\n\r\n")

    with_host(test)


@pytest.mark.conforms("H1.0-37")
def test_an_answer_to_http_1_0_has_a_length_and_no_chunks() -> None:
    async def test(host: RunningHost) -> bytes:
        return await _exchange(host, "GET /durabletask/instances HTTP/1.0", "Host: {host}", "")

    head, _, body = with_host(test).partition(b"\r\n\r\n")
    assert b"content-length: 2" in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert body == b"[]"


@pytest.mark.conforms("H0-4")
@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("GET /durabletask/instances HTTP/1.0",), b"500"),
        (("GET /durabletask/instances HTTP/1.1", "Connection: close"), b"400"),
        (("GET /durabletask/instances HTTP/1.1", "Host:", "Connection: close"), b"500"),
    ],
)
def test_requests_without_a_host_are_refused_without_a_body(lines: tuple[str, ...], status: bytes) -> None:
    async def test(host: RunningHost) -> bytes:
        return await _exchange(host, *lines, "")

    head, _, body = with_host(test).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"content-length: 0" in head.lower()
    assert body == b""
