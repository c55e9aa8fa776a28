"""The recorded HTTP exchanges of extension 2.13.7 that this host's part of the management API answers.

Each file is played on an empty hub, on both listeners' shared handler. Placeholders stand for one value within a file.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13
from tests.hosts import TRANSCRIPTS, Answer, RunningHost, running_host
from tests.paths import GOLDENS

_TOPICS = ("control", "history", "list", "purge", "python-client", "raise-event", "routes", "start", "status")

# What is not compared, by the note of the exchange.
_NOT_SERVED_YET = {
    "python-client": {"restart", "read_entity_state", "signal_entity"},
    "history": {"rewound"},
}
_OTHER_DIALECT = {
    "single quotes, trailing comma, comment are accepted",
    "truncated object: 500",
    "truncated array is accepted",
}
_NEEDS_ENTITIES = {
    "all, ordinal by id, entities included",
    "one status",
    "prefix @: entities",
    "showInput=false alone is ignored",
    "first page",
    "last page: empty token",
}
_NEEDS_STOPPED_WORKER = {"Pending (worker stopped)"}
_HEADERS = ("Content-Type", "Content-Length", "Location", "Retry-After", "x-ms-continuation-token")
_PLACEHOLDER = re.compile(r"<([A-Za-z]+\d*)>")
_ANY_TEXT = {"time", "stack", "details", "names", "key", "connection", "token"}


def _is_compared(topic: str, exchange: Mapping[str, Any]) -> bool:
    note = exchange["note"]
    left_out = _OTHER_DIALECT | _NEEDS_ENTITIES | _NEEDS_STOPPED_WORKER
    return note not in left_out and not any(note.startswith(part) for part in _NOT_SERVED_YET.get(topic, ()))


class _Names:
    """The values that placeholders stand for, learnt as they are met."""

    def __init__(self, host: RunningHost) -> None:
        rpc = host.host.rpc_base_url.removesuffix("/durabletask/")
        self._known = {"rpc": rpc, "webhook": host.host.base_url, "hub": "TranscriptHub", "connection": "Storage"}

    def fill(self, text: str) -> str:
        """Replace placeholders by what they stand for."""
        return _PLACEHOLDER.sub(lambda found: self._known.get(found[1], found[0]), text)

    def match(self, expected: str | None, actual: str | None) -> bool:
        """Whether `actual` is `expected`, learning new names."""
        if expected is None or actual is None:
            return (expected or "") == (actual or "")
        pattern, position, names = "", 0, []
        for found in _PLACEHOLDER.finditer(expected):
            pattern += re.escape(expected[position : found.start()])
            name = found[1]
            position = found.end()
            if name in self._known:
                pattern += re.escape(self._known[name])
            elif re.sub(r"\d", "", name) in _ANY_TEXT:
                pattern += "(?:.|\n)*?"
            elif name in names:
                pattern += f"(?P={name})"
            else:
                names.append(name)
                pattern += f'(?P<{name}>[^/?"]+)'
        matched = re.fullmatch(pattern + re.escape(expected[position:]), actual)
        if matched is None:
            return False
        self._known |= matched.groupdict()
        return True


def _text_of_known_difference(text: str) -> str:
    """ExceptionMessage of a JSON error is not compared."""
    return re.sub(r'("Message":"Invalid JSON content","ExceptionMessage":")(?:[^"\\]|\\.)*"', r'\1<details>"', text)


async def _prepare(host: RunningHost, names: _Names, exchange: Mapping[str, Any]) -> None:
    for action in exchange.get("before", ()):
        ((kind, value),) = action.items()
        if kind == "send":
            method, path, *body = value
            headers = {"Content-Type": "application/json"} if body else {}
            await host.request(method, names.fill(path), *body, headers=headers, rpc=True)
        elif kind == "until":
            path, status = value
            instance_id = names.fill(path).rpartition("/")[2]
            await host.until(instance_id, lambda document, wanted=status: wanted in ("any", document["runtimeStatus"]))
        elif kind == "sleep":
            await asyncio.sleep(0)


async def _exchange(host: RunningHost, names: _Names, exchange: Mapping[str, Any]) -> Answer:
    request = exchange["request"]
    path = names.fill(request["path"])
    rpc = not path.startswith("/runtime/webhooks") or "<rpc>" in json.dumps(exchange["response"])
    if exchange["note"].startswith("webhook path on the RPC port"):
        rpc = True
    return await host.request(request["method"], path, request["body"], headers=request["headers"], rpc=rpc)


def _differences(names: _Names, exchange: Mapping[str, Any], answer: Answer) -> Iterator[str]:
    expected = exchange["response"]
    if answer.status != expected["status"]:
        yield f"status {answer.status}, not {expected['status']}"
    for header in _HEADERS:
        if not names.match(expected["headers"].get(header), answer.headers.get(header)):
            yield f"{header}: {answer.headers.get(header)!r}, not {expected['headers'].get(header)!r}"
    if not names.match(_text_of_known_difference(expected["body"] or ""), answer.text):
        yield f"body\n  {answer.text!r}, not\n  {expected['body']!r}"


@pytest.mark.parametrize("topic", _TOPICS)
def test_the_exchanges_of_a_topic_are_answered_as_recorded(
    topic: str, make_storage: Callable[[Clock], StorageProvider]
) -> None:
    exchanges = json.loads((GOLDENS / "http" / f"{topic}.json").read_text())
    problems: list[str] = []

    async def main() -> None:
        async with running_host(TRANSCRIPTS, storage=make_storage, profile=PROFILE_2_13) as host:
            names = _Names(host)
            for exchange in exchanges:
                await _prepare(host, names, exchange)
                answer = await _exchange(host, names, exchange)
                if exchange.get("poll"):
                    answer = await _poll(host, names, exchange, answer)
                if _is_compared(topic, exchange):
                    problems.extend(
                        f"{exchange['note']}: {problem}" for problem in _differences(names, exchange, answer)
                    )

    asyncio.run(main())

    assert problems == []


async def _poll(host: RunningHost, names: _Names, exchange: Mapping[str, Any], answer: Answer) -> Answer:
    for _ in range(2_000):
        if not any(_differences(names, exchange, answer)):
            break
        await asyncio.sleep(0.005)
        answer = await _exchange(host, names, exchange)
    return answer
