"""Rewinding and restarting, through every client, on both lines of the extension."""

from __future__ import annotations

from typing import Any

import pytest

from durable_status import InstanceNotFoundError, InstanceStateError
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.durable_status.client.kinds import KINDS
from tests.durable_status.client.test_verbs import play
from tests.hosts import RunningHost


@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=["2.13", "3"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_instance_is_rewound_and_restarted_or_says_why_not(kind: str, profile: Profile) -> None:
    async def story(client: Any, host: RunningHost) -> None:
        await client.start_new("FailingUncaught", instance_id="f")
        await host.until_status("f", "Failed")
        await client.rewind("f", "try again")
        await client.start_new("EchoInput", "again", instance_id="e")
        await host.until_status("e", "Completed")
        await client.start_new("WaitGo", instance_id="live")

        assert await client.restart("e", new_id=False) == "e"
        other = await client.restart("e")
        assert other != "e"
        assert (await client.wait_for_completion(other, Any, 20)).output == "again"
        for ask in (
            lambda: client.rewind("live"),
            lambda: client.restart("live", new_id=False),
            lambda: client.rewind(other),
        ):
            with pytest.raises(InstanceStateError):
                await ask()
        for ask in (lambda: client.rewind("none"), lambda: client.restart("none")):
            with pytest.raises(InstanceNotFoundError):
                await ask()

    play(story, kind, profile)
