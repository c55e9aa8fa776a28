"""Plays the recorded HTTP exchanges of tests/goldens/http on a host and says what differs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from durable_status.local_host.clock import Clock, SystemClock
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import Profile
from tests.hosts import TRANSCRIPTS, Answer, RunningHost, running_host
from tests.paths import GOLDENS
from tests.quiet_storage import QuietStorage

_HEADERS = ("Content-Type", "Content-Length", "Location", "Retry-After", "x-ms-continuation-token")
_PLACEHOLDER = re.compile(r"<([A-Za-z]+)(\d*)>")
_JSON_TEXT = r'(?:[^"\\]|\\.)*'
# What a placeholder may stand for. Of those in `_EACH_TIME` every occurrence is a value of its own.
_SHAPES = {
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?(?:Z|[+-]\d\d:\d\d)",
    "stack": _JSON_TEXT,
    "details": _JSON_TEXT,
    "names": r"'\w+'(?:, '\w+')*",
    "instanceId": "[0-9a-f]{32}",
    "key": "[A-Za-z0-9_-]{20,}=*",
    "token": "[A-Za-z0-9_=-]+",
}
_EACH_TIME = {"time", "stack", "details", "names"}


class Names:
    """The values that placeholders stand for, learnt as they are met; a name stands for one value in a file."""

    def __init__(self, host: RunningHost) -> None:
        rpc = (host.host.rpc_base_url or "").removesuffix("/durabletask/")
        self._known = {
            "rpc": rpc,
            "webhook": host.host.base_url,
            "hub": host.host.app.settings.hub_name,
            "connection": "Storage",
            "key1": rpc,  # any text that no other run of the app in this process has
        }

    def fill(self, text: str) -> str:
        """Replace placeholders by what they stand for."""
        return _PLACEHOLDER.sub(lambda found: self._known.get(found[1] + found[2], found[0]), text)

    def match(self, expected: str | None, actual: str | None) -> bool:
        """Whether `actual` is `expected`, learning new names."""
        if expected is None or actual is None:
            return (expected or "") == (actual or "")
        pattern, position = "", 0
        learning: list[str] = []
        for found in _PLACEHOLDER.finditer(expected):
            pattern += re.escape(expected[position : found.start()])
            position = found.end()
            pattern += self._pattern(found[1], found[1] + found[2], learning)
        matched = re.fullmatch(pattern + re.escape(expected[position:]), actual)
        if matched is None:
            return False
        self._known |= matched.groupdict()
        return True

    def _pattern(self, kind: str, name: str, learning: list[str]) -> str:
        if name in self._known:
            return re.escape(self._known[name])
        if kind in _EACH_TIME:
            return _SHAPES[kind]
        if name in learning:
            return f"(?P={name})"
        learning.append(name)
        return f"(?P<{name}>{_SHAPES[kind]})"


@dataclass
class Played:
    """What came of one topic: the differences by the note of the exchange."""

    notes: list[str] = field(default_factory=list)
    differences: dict[str, list[str]] = field(default_factory=dict)

    def add(self, note: str, differences: Sequence[str]) -> None:
        """Note what one exchange came to."""
        self.notes.append(note)
        if differences:
            self.differences.setdefault(note, []).extend(differences)


async def play(topic: str, make_storage: Callable[[Clock], StorageProvider], profile: Profile) -> Played:
    """Play the exchanges of a topic, in order, on an empty hub."""
    played = Played()
    storage = QuietStorage(make_storage(SystemClock()))
    async with running_host(TRANSCRIPTS, storage=lambda _: storage, profile=profile) as host:
        stage = _Stage(host, storage)
        for exchange in json.loads((GOLDENS / "http" / f"{topic}.json").read_text()):
            await stage.prepare(exchange)
            played.add(exchange["note"], await stage.play(exchange))
    return played


class _Stage:
    """A host in the middle of a topic."""

    def __init__(self, host: RunningHost, storage: QuietStorage) -> None:
        self._host = host
        self._storage = storage
        self._names = Names(host)

    async def prepare(self, exchange: Mapping[str, Any]) -> None:
        """Do what comes before an exchange. Waiting is over when nothing happens any more."""
        for action in exchange.get("before", ()):
            ((kind, value),) = action.items()
            if kind == "send":
                method, path, *body = value
                headers = {"Content-Type": "application/json"} if body else {}
                body = [self._names.fill(text) for text in body]
                await self._host.request(method, self._names.fill(path), *body, headers=headers, rpc=True)
            elif kind == "worker" and value == "stop":
                self._storage.stop_worker()
            elif kind == "worker":
                self._storage.start_worker()
            else:
                await self._storage.until_quiet()

    async def play(self, exchange: Mapping[str, Any]) -> Sequence[str]:
        """Send the request, again if it was repeated until this answer, and say what is not as recorded."""
        while True:
            is_last = not exchange.get("poll") or self._storage.is_quiet
            differences = list(self._differences(exchange, await self._ask(exchange)))
            if is_last or not differences:
                return differences
            await self._storage.until_quiet()

    async def _ask(self, exchange: Mapping[str, Any]) -> Answer:
        """Send the request of an exchange."""
        request = exchange["request"]
        is_webhook = request["path"].startswith("/runtime/webhooks") and "RPC port" not in exchange["note"]
        headers = {name: self._names.fill(value) for name, value in request["headers"].items()}
        body = request["body"] and self._names.fill(request["body"])
        path = self._names.fill(request["path"])
        return await self._host.request(request["method"], path, body, headers=headers, rpc=not is_webhook)

    def _differences(self, exchange: Mapping[str, Any], answer: Answer) -> Iterator[str]:
        """What is not as recorded."""
        expected = exchange["response"]
        if answer.status != expected["status"]:
            yield f"status {answer.status}, not {expected['status']}"
        for header in _HEADERS:
            if not self._names.match(expected["headers"].get(header), answer.headers.get(header)):
                yield f"{header}: {answer.headers.get(header)!r}, not {expected['headers'].get(header)!r}"
        if not self._names.match(_without_json_error(expected["body"] or ""), answer.text):
            yield f"body\n  {answer.text!r}, not\n  {expected['body']!r}"


def _without_json_error(text: str) -> str:
    """What the JSON parser says of a broken body is not compared (http.md §8)."""
    words = (
        r'("Message":"(?:Invalid JSON content","ExceptionMessage":"|Could not parse JSON content: ))(?:[^"\\]|\\.)*"'
    )
    return re.sub(words, r'\1<details>"', text)
