"""Every recorded episode of the real extension 2.13.7.

Each one is a trigger, the SDK's answer to it, and what the host did next: the events it appended, the instance row it
committed, the trigger it sent the next time, what children and parents were told.
"""

from __future__ import annotations

import pytest

from durable_status.replay.profile import PROFILE_2_13
from tests.paths import GOLDENS
from tests.recorded_differences import find_differences
from tests.recordings import RecordedEpisode, read_episodes, read_host

_FOLDER = GOLDENS / "replay"
_HOST = read_host(_FOLDER)
_EPISODES = read_episodes(_FOLDER)


def test_every_recorded_episode_is_put_to_the_engine() -> None:
    assert len(_EPISODES) == 563


@pytest.mark.conforms(
    "R0-1",
    "R1-1",
    "R1-2",
    "R1-3",
    "R1.1-6",
    "R1.2-1",
    "R1.2-4",
    "R1.3-2",
    "R2-1",
    "R2-2",
    "R2-3",
    "R2.1-1",
    "R2.2-4",
    "R2.2-5",
    "R3-1",
    "R3-5",
    "R3-6",
    "R3-7",
    "R3.10-2",
    "R3.10-3",
    "R3.11-1",
    "R3.2-1",
    "R3.3-3",
    "R3.3-8",
    "R3.5-4",
    "R3.8-1",
    "R4-1",
    "R5-1",
)
@pytest.mark.parametrize("recorded", _EPISODES, ids=lambda recorded: recorded.name)
def test_the_engine_does_what_the_extension_did(recorded: RecordedEpisode) -> None:
    assert find_differences(recorded, _HOST, PROFILE_2_13) == []
