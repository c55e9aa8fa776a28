"""The recorded HTTP exchanges of extension 2.13.7: as they are under profile 2.13, with named differences under 3."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3
from tests.durable_status.local_host.transcripts import play
from tests.paths import GOLDENS

_TOPICS = sorted(path.stem for path in (GOLDENS / "http").glob("*.json"))

# The JSON dialect of http.md §8, the one thing that is not imitated: exchanges by topic.
_OTHER_DIALECT = {
    "start": {
        "single quotes, trailing comma, comment are accepted",
        "truncated object: 500",
        "truncated array is accepted",
    },
}


@pytest.mark.parametrize("topic", _TOPICS)
def test_the_exchanges_of_a_topic_are_answered_as_recorded(
    topic: str, make_storage: Callable[[Clock], StorageProvider]
) -> None:
    played = asyncio.run(play(topic, make_storage, PROFILE_2_13))

    assert {note: text for note, text in played.differences.items() if note not in _OTHER_DIALECT.get(topic, ())} == {}
    assert _OTHER_DIALECT.get(topic, set()) <= played.differences.keys()


@pytest.mark.parametrize("topic", _TOPICS)
def test_under_3_only_the_exchanges_that_a_row_names_are_answered_otherwise(topic: str) -> None:
    from durable_status.local_host.storage.memory import MemoryStorage

    played = asyncio.run(play(topic, MemoryStorage, PROFILE_3))

    assert played.differences == {}
