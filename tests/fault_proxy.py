"""A proxy on loopback between a host and a storage account: it counts what passes, and breaks what it is told to.

The account's signatures cover path and headers, not the address, so whatever is signed for the proxy holds for the
account behind it.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from tests.storage_operations import Operation, Service, decoded_messages, read_operation

_HOP_BY_HOP = ("Connection", "Transfer-Encoding", "Content-Length", "Keep-Alive")
_MESSAGE_ID = re.compile(rb"<MessageId>(.*?)</MessageId>")
_MESSAGE = re.compile(rb"<QueueMessage>.*?</QueueMessage>", re.DOTALL)
_AUTOMATIC = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_SERVICES: tuple[Service, ...] = ("blob", "queue", "table")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the account answered, or what the proxy answers instead."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Forward = Callable[[], Awaitable[Answer | None]]
"""Hands the request on; None: the account is gone."""
Fault = Callable[[Operation, Forward], Awaitable[Answer | None]]
"""What happens to a request; None: the connection breaks without an answer."""


def answers(status: int, code: str, **headers: str) -> Fault:
    """The account refuses with this status and error code; nothing is done. In headers ``_`` stands for ``-``."""

    async def fault(operation: Operation, _forward: Forward) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()} | {"x-ms-error-code": code}
        if operation.service == "table":
            text = f'{{"odata.error":{{"code":"{code}","message":{{"lang":"en-US","value":"{code}"}}}}}}'
            return Answer(status, {**named, "Content-Type": "application/json"}, text.encode())
        text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}</Message></Error>'
        return Answer(status, {**named, "Content-Type": "application/xml"}, text.encode())

    return fault


async def breaks_before(_operation: Operation, _forward: Forward) -> None:
    """The connection breaks before the request arrives."""


async def breaks_after(_operation: Operation, forward: Forward) -> None:
    """The request is carried out, its answer is lost."""
    await forward()


async def done_twice(_operation: Operation, forward: Forward) -> Answer | None:
    """The request arrives twice, as when a lost answer makes the sender try again: two messages, say."""
    await forward()
    return await forward()


async def handed_out_twice(_operation: Operation, forward: Forward) -> Answer | None:
    """Every message of the answer is in it twice."""
    answer = await forward()
    return answer and replace(answer, body=_MESSAGE.sub(lambda found: found[0] * 2, answer.body))


def held_until(released: asyncio.Event) -> Fault:
    """The request arrives, its answer comes only when the event is set: longer than the sender's patience."""

    async def fault(_operation: Operation, forward: Forward) -> Answer | None:
        answer = await forward()
        await released.wait()
        return answer

    return fault


def silent_until(released: asyncio.Event) -> Fault:
    """The request does not arrive, and its sender hears nothing until the event is set."""

    async def fault(_operation: Operation, _forward: Forward) -> None:
        await released.wait()

    return fault


def after(action: Callable[[], Awaitable[object]]) -> Fault:
    """Something else happens first: another writer is quicker."""

    async def fault(_operation: Operation, forward: Forward) -> Answer | None:
        await action()
        return await forward()

    return fault


def then(action: Callable[[], Awaitable[object]]) -> Fault:
    """The request is carried out, then something happens instead of the answer: the sender is killed."""

    async def fault(_operation: Operation, forward: Forward) -> None:
        await forward()
        await action()

    return fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request that was answered, or not; times as of `time.perf_counter`."""

    operation: Operation
    answer: Answer | None
    began: float
    ended: float

    @property
    def found_nothing(self) -> bool:
        """Whether it asked a queue in vain."""
        answer = self.answer
        return self.operation.kind == "get messages" and answer is not None and not _MESSAGE.search(answer.body)


@dataclass(slots=True)
class _Rule:
    fault: Fault
    when: Callable[[Operation], bool]
    skip: int
    times: int | None
    hits: int = 0

    def takes(self, operation: Operation) -> bool:
        if self.times == 0 or not self.when(operation):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        self.hits += 1
        return True


class FaultProxy:
    """Three listeners, one for each service.

    `seen` are all exchanges so far, in the order of their answers.
    """

    def __init__(self, connection_string: str) -> None:
        self._settings = dict(part.split("=", 1) for part in connection_string.strip(";").split(";"))
        self._rules: list[_Rule] = []
        self._messages: dict[str, str] = {}  # what has passed, by message id
        self._errors: list[Exception] = []
        self.seen: list[Exchange] = []

    @property
    def connection_string(self) -> str:
        """As that of the account, by way of the proxy."""
        return ";".join(f"{name}={value}" for name, value in self._settings.items())

    def inject(
        self, fault: Fault, when: Callable[[Operation], bool], *, skip: int = 0, times: int | None = 1
    ) -> Callable[[], int]:
        """Let `fault` happen to operations, after the first `skip` of them; `times` None is to all of them.

        Returns:
            How to ask how often it has happened.
        """
        rule = _Rule(fault, when, skip, times)
        self._rules.append(rule)
        return lambda: rule.hits

    def forget_faults(self) -> None:
        """Let everything pass from now on."""
        self._rules.clear()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FaultProxy]:
        """Listen while the context lasts; what went wrong in a fault itself is raised at its end."""
        async with aiohttp.ClientSession(
            auto_decompress=False, connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3)
        ) as session:
            runners = [await self._listen(service, session) for service in _SERVICES]
            try:
                yield self
            finally:
                await asyncio.gather(*(runner.cleanup() for runner in runners))
            if self._errors:
                raise ExceptionGroup("faults failed", self._errors)

    async def _listen(self, service: Service, session: aiohttp.ClientSession) -> web.ServerRunner:
        setting = f"{service.capitalize()}Endpoint"
        account = URL(self._settings[setting])

        async def handle(request: web.BaseRequest) -> web.StreamResponse:
            body = await request.read()
            operation = read_operation(service, request.method, request.raw_path, body)
            answer = await self._answer(operation, lambda: _forwarded(session, request, account.origin(), body))
            if answer is None:
                if request.transport is not None:  # else the sender is gone
                    request.transport.abort()
                return web.Response()
            return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

        runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        (address,) = runner.addresses
        self._settings[setting] = str(account.with_port(address[1]))
        return runner

    async def _answer(self, operation: Operation, forward: Forward) -> Answer | None:
        if operation.message_id is not None:
            operation = replace(operation, body=self._messages.get(operation.message_id, "").encode())
        began = time.perf_counter()
        rule = next((rule for rule in self._rules if rule.takes(operation)), None)
        try:
            answer = await (forward() if rule is None else rule.fault(operation, forward))
        except Exception as error:
            self._errors.append(error)
            answer = None
        ended = time.perf_counter()
        self.seen.append(Exchange(operation=operation, answer=answer, began=began, ended=ended))
        self._remember_messages(operation, answer)
        return answer

    def _remember_messages(self, operation: Operation, answer: Answer | None) -> None:
        if operation.kind in ("put message", "get messages") and answer is not None:
            for message in _MESSAGE.findall(answer.body):
                text = operation.text if operation.kind == "put message" else decoded_messages(message)
                found = _MESSAGE_ID.search(message)
                assert found is not None
                self._messages[found[1].decode()] = text


async def _forwarded(
    session: aiohttp.ClientSession, request: web.BaseRequest, origin: URL, body: bytes
) -> Answer | None:
    headers = CIMultiDict(request.headers)
    headers.popall("Transfer-Encoding", None)
    url = URL(f"{str(origin).rstrip('/')}{request.raw_path}", encoded=True)
    try:
        async with session.request(
            request.method, url, data=body or None, headers=headers, skip_auto_headers=_AUTOMATIC, allow_redirects=False
        ) as response:
            kept = {name: value for name, value in response.headers.items() if name not in _HOP_BY_HOP}
            return Answer(response.status, kept, await response.read())
    except aiohttp.ClientError:
        return None  # the account is gone, and so is the connection
