"""Extension 3.x replays as 2.13 does, but for these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from durable_status.replay.profile import PROFILE_2_13, PROFILE_3
from tests.durable_status.replay.histories import Driven
from tests.paths import GOLDENS
from tests.recorded_differences import find_differences
from tests.recordings import RecordedEpisode, read_episodes, read_host

_FOLDER = GOLDENS / "replay"
_IN_THE_TRIGGER = {"triggers[0].upperSchemaVersionNew", "triggers[0].sourceInstanceId"}
# Their functions are unknown, which 3.x fails; or their failure's state is one that only one of the two takes: 3.x
# takes the last label, and only a state that is not done.
_DIFFERENT = {
    "b02-21",
    "h00-30-UnknownActivity",
    "mx-act-unknown-all",
    "mx-bad-output",
    "mx-can-raise",
    "mx-entity-unknown",
    "mx-error-label",
    "mx-sub-unknown",
}


def _other_than_the_trigger(recorded: RecordedEpisode) -> Iterator[str]:
    for difference in find_differences(recorded, read_host(_FOLDER), PROFILE_3):
        if difference.field not in _IN_THE_TRIGGER:
            yield difference.field


@pytest.mark.conforms("XR-1", "XR-5")
def test_recordings_of_2_13_come_out_equal_but_for_the_trigger_and_what_3_is_known_to_change() -> None:
    different = {
        recorded.file.removesuffix(".json")
        for recorded in read_episodes(_FOLDER)
        if any(_other_than_the_trigger(recorded))
    }

    assert different == _DIFFERENT


@pytest.mark.conforms("XR-1")
def test_the_trigger_names_schema_3_and_the_original_of_a_restart() -> None:
    triggers: list[dict[str, Any]] = []

    def orchestrator(context: Any) -> Any:
        triggers.append(context.function_context.__dict__)
        yield context.call_activity("Echo")

    for profile in (PROFILE_2_13, PROFILE_3):
        Driven(orchestrator, profile=profile).start()

    assert ["sourceInstanceId" in trigger for trigger in triggers] == [False, True]


@pytest.mark.conforms("XR-4")
def test_every_difference_of_replay_is_one_member_of_the_profile() -> None:
    of_replay = {
        "upper_schema_version",
        "writes_newer_members",
        "fails_unknown_functions",
        "doubles_blank_in_activity_failures",
        "takes_last_failure_label",
    }
    alike = replace(PROFILE_3, **{name: getattr(PROFILE_2_13, name) for name in of_replay})
    host = read_host(_FOLDER)

    assert of_replay < {field.name for field in fields(PROFILE_3)}
    assert [recorded.name for recorded in read_episodes(_FOLDER) if find_differences(recorded, host, alike)] == []
