"""Rewinding, restarting and purging, through every client, on both lines of the extension, in memory and SQLite."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from durable_status import InstanceNotFoundError, InstanceStateError, RuntimeStatus
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.sqlite import SqliteStorage
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.durable_status.client.kinds import KINDS
from tests.durable_status.client.test_verbs import play
from tests.hosts import RunningHost


@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=["2.13", "3"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("storage", ["memory", "sqlite"])
def test_an_instance_is_rewound_restarted_and_purged_or_says_why_not(
    kind: str, profile: Profile, storage: str, tmp_path: Path
) -> None:
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
            lambda: client.purge("live"),
        ):
            with pytest.raises(InstanceStateError):
                await ask()
        await client.purge(other)
        for ask in (
            lambda: client.rewind("none"),
            lambda: client.restart("none"),
            lambda: client.purge(other),
            lambda: client.get_status(other, Any),
        ):
            with pytest.raises(InstanceNotFoundError):
                await ask()
        await client.terminate("live")
        await host.until_status("live", "Terminated")
        assert await client.purge_by_filter([RuntimeStatus.TERMINATED, RuntimeStatus.COMPLETED]) == 2

    play(
        story, kind, profile, MemoryStorage if storage == "memory" else partial(SqliteStorage, tmp_path / "hub.sqlite3")
    )
