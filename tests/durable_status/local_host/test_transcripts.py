"""The recorded HTTP exchanges of extension 2.13.7: as they are under profile 2.13, with named differences under 3."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.memory import MemoryStorage
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

# What 3.x answers otherwise: by topic and exchange, the row of docs/conformance.md that says so.
_UNDER_3 = {
    "history": {
        "showHistory=true": "XH-20",
        "showHistory=true&showHistoryOutput=true": "XH-20",
        "showHistory=true&showInput=false": "XH-20",
        "suspended, event while suspended, resumed": "XH-20",
        "terminated": "XH-20",
        "rewound: failed events became GenericEvent": "XH-20",
    },
    "list": {"top 0": "XH-21"},
    "purge": {
        "running instances are purged too": "XH-7",
        "before: two Completed, one Running, one Failed": "XH-7",  # the one that was not purged is still there
        "Running is not a terminal status: everything in the window goes": "XH-7",
    },
    "python-client": {
        "start_new('Nope') raises Exception: The function 'Nope' doesn't exist, is disabled, or is not an "
        "orchestrator function. Additional info: The following are the known orchestrator functions:": "XH-2",
        "start_new('WaitGo', 'p2') raises Exception: {'Message': 'Something went wrong while processing your "
        "request', 'ExceptionMessage': 'An Orchestration instance with the status Running already exists.": "XH-1",
        "restart('none') raises Exception: The operation failed with an unexpected status code 400": "XH-26",
    },
    "raise-event": {"Python does not match it": "XH-20"},
    "rewind-restart": {
        "restart: unknown id": "XH-26",
        "rewind: Running": "XH-12",
        "rewind: Terminated": "XH-12",
        "restart: Running, same id": "XH-9",
    },
    "start": {
        "unknown orchestrator": "XH-2",
        "id starts with @": "XH-2",
        "id of 257 characters": "XH-2",
        "the Location path does not lead back (+ is not a space in a path)": "XH-14",
        "%2F is not decoded: the id is the four characters": "XH-14",
        "duplicate of a running instance": "XH-1",
    },
    "status": {
        "an activity's error not caught: text and serialised details in output": "XH-18",
        "after continue_as_new: new input, createdTime of the new generation, history starts again": "XH-20",
    },
    "wait": {"interval over timeout: 400, but started": "XH-25"},
}


@pytest.mark.conforms(
    "H0-1",
    "H1.0-1",
    "H1.0-2",
    "H1.1-1",
    "H1.1-30",
    "H1.2-1",
    "H1.2-20",
    "H1.3-1",
    "H1.4-1",
    "H1.5-1",
    "H1.6-1",
    "H1.7-1",
    "H2-10",
    "R3.9-1",
    "H8-1",
)
@pytest.mark.parametrize("topic", _TOPICS)
def test_the_exchanges_of_a_topic_are_answered_as_recorded(
    topic: str, make_storage: Callable[[Clock], StorageProvider]
) -> None:
    played = asyncio.run(play(topic, make_storage, PROFILE_2_13))

    assert {note: text for note, text in played.differences.items() if note not in _OTHER_DIALECT.get(topic, ())} == {}
    assert _OTHER_DIALECT.get(topic, set()) <= played.differences.keys()


@pytest.mark.conforms(
    "XH-1", "XH-2", "XH-7", "XH-9", "XH-12", "XH-14", "XH-18", "XH-20", "XH-21", "XH-25", "XH-26", "XH-32"
)
@pytest.mark.parametrize("topic", _TOPICS)
def test_under_3_only_the_exchanges_that_a_row_names_are_answered_otherwise(topic: str) -> None:
    played = asyncio.run(play(topic, MemoryStorage, PROFILE_3))

    assert sorted(played.differences) == sorted({*_UNDER_3.get(topic, {}), *_OTHER_DIALECT.get(topic, ())})
