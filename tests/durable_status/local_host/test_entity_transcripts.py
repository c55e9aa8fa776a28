"""The recorded exchanges about entities, on extension 2.13.7."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13
from tests.durable_status.local_host.test_transcripts import _differences, _exchange, _Names, _poll, _prepare
from tests.hosts import TRANSCRIPTS, running_host
from tests.paths import GOLDENS

_JSON_ERROR = "Could not parse JSON content: "


def _without_parser_words(body: str) -> str:
    """What the JSON parser says of a broken body is .NET's own."""
    start, marker, _ = body.partition(_JSON_ERROR)
    return f'{start}{marker}<details>"}}' if marker else body


def test_the_exchanges_about_entities_are_answered_as_recorded(
    make_storage: Callable[[Clock], StorageProvider],
) -> None:
    exchanges = json.loads((GOLDENS / "http" / "entities.json").read_text())
    problems: list[str] = []

    async def main() -> None:
        async with running_host(TRANSCRIPTS, storage=make_storage, profile=PROFILE_2_13) as host:
            names = _Names(host)
            for exchange in exchanges:
                exchange["response"]["body"] = _without_parser_words(exchange["response"]["body"])
                await _prepare(host, names, exchange)
                answer = await _exchange(host, names, exchange)
                if exchange["request"]["method"] == "GET":  # the recorder slept where we ask until it is so
                    answer = await _poll(host, names, exchange, answer)
                problems.extend(f"{exchange['note']}: {problem}" for problem in _differences(names, exchange, answer))

    asyncio.run(main())

    assert problems == []
