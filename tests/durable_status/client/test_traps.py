"""The traps of the SDK's client: it falls in, ours do not. Each against the same running host."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status import InstanceNotFoundError, RefusedError, RuntimeStatus
from durable_status.local_host.sdk import close_client_session
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.durable_status.client.kinds import KINDS, client_of, sdk_client
from tests.hosts import TRANSCRIPTS, RunningHost, running_host
from tests.paths import APPS

ENTITIES = APPS / "entities"

Story = Callable[[df.DurableOrchestrationClient, Any, RunningHost], Awaitable[None]]


def play(story: Story, kind: str, profile: Profile = PROFILE_3, app: Path = TRANSCRIPTS) -> None:
    """Play `story` with the SDK's client and one of ours."""

    async def main() -> None:
        async with running_host(app, profile=profile) as host, client_of(kind, host) as ours:
            try:
                await story(sdk_client(host), ours, host)
            finally:
                await close_client_session()

    asyncio.run(main())


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which of our clients."""
    return str(request.param)


def test_t1_the_sdk_fetches_the_input_that_it_was_told_not_to(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, host: RunningHost) -> None:
        await ours.start_new("WaitGo", "secret", instance_id="w")
        await host.until("w", lambda document: document["customStatus"] is not None)

        assert (await sdk.get_status("w", show_input=False)).input_ == '"secret"'
        assert (await ours.get_status("w", Any)).input is None

    play(story, kind)


def test_t2_the_sdk_lets_an_event_name_terminate_another_instance(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, host: RunningHost) -> None:
        for name in ("mine", "victim", "spared"):
            await ours.start_new("WaitGo", instance_id=name)
            await host.until(name, lambda document: document["customStatus"] is not None)
        await sdk.raise_event("mine", "../../victim/terminate")
        with pytest.raises(RefusedError):
            await ours.raise_event("mine", "../../spared/terminate")

        await host.until_status("victim", "Terminated")
        assert (await ours.get_status("spared", Any)).runtime_status is RuntimeStatus.RUNNING

    play(story, kind)


@pytest.mark.parametrize(
    ("injected", "shown"),
    [
        pytest.param("victim?showHistory=true&x=", "victim", id="a query"),
        pytest.param("victim#x", "victim", id="a fragment"),
        pytest.param("other/../victim", "victim", id="dots"),
    ],
)
def test_t2_the_sdk_lets_an_id_read_another_instance(kind: str, injected: str, shown: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, _host: RunningHost) -> None:
        await ours.start_new("WaitGo", instance_id="victim")

        assert (await sdk.get_status(injected)).instance_id == shown
        with pytest.raises(RefusedError):
            await ours.get_status(injected, Any)

    play(story, kind)


def test_t3_a_missing_instance_is_a_falsy_object_that_cannot_be_written(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, _host: RunningHost) -> None:
        missing = await sdk.get_status("none")
        assert not missing
        with pytest.raises(AttributeError):
            missing.to_json()
        with pytest.raises(InstanceNotFoundError, match="'none'"):
            await ours.get_status("none", Any)

    play(story, kind)


def test_t4_an_empty_id_is_a_list_to_the_sdk(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, _host: RunningHost) -> None:
        with pytest.raises(TypeError):
            await sdk.get_status("")
        with pytest.raises(RefusedError, match="no instance id"):
            await ours.get_status("", Any)

    play(story, kind)


def test_t9_an_entity_shows_the_sdk_its_state_as_an_input(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, host: RunningHost) -> None:
        await ours.start_new("Tally", "alice", instance_id="t")
        await host.until_status("t", "Completed")

        assert json.loads((await sdk.get_status("@counter@alice")).input_["state"]) == 5
        with pytest.raises(RefusedError, match="entity"):
            await ours.get_status("@counter@alice", Any, show_input=True)
        for verb in (ours.purge, ours.terminate, ours.restart):
            with pytest.raises(RefusedError, match="entity"):
                await verb("@counter@alice")

    play(story, kind, app=ENTITIES)


def test_http_1_a_purge_of_running_instances_deletes_everything(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, host: RunningHost) -> None:
        await ours.start_new("WaitGo", instance_id="live")
        await ours.start_new("Greet", instance_id="done")
        await host.until_status("done", "Completed")
        for statuses in ([RuntimeStatus.RUNNING], [], [RuntimeStatus.COMPLETED, RuntimeStatus.PENDING]):
            with pytest.raises(RefusedError, match="terminal"):
                await ours.purge_by_filter(statuses)
        assert len([status async for status in ours.list_statuses(Any)]) == 2

        purged = await sdk.purge_instance_history_by(
            datetime(2020, 1, 1), runtime_status=[df.OrchestrationRuntimeStatus.Running]
        )
        assert purged.instances_deleted == 2

    play(story, kind)


@pytest.mark.parametrize(
    ("reason", "kept"), [("42 is enough", 42), ("true story", True), ('{"a":1} was wrong', {"a": 1})]
)
def test_http_3_a_reason_that_starts_like_json_is_cut(kind: str, reason: str, kept: Any) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, host: RunningHost) -> None:
        await ours.start_new("WaitGo", instance_id="w")
        for verb in (ours.terminate, ours.suspend):
            with pytest.raises(RefusedError, match="starts like JSON"):
                await verb("w", reason)
        await sdk.terminate("w", reason)

        assert (await host.until_status("w", "Terminated"))["output"] == kept

    play(story, kind)


def test_http_6_an_id_is_cut_at_its_question_mark(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, _host: RunningHost) -> None:
        assert await sdk.start_new("WaitGo", "a?b") == "a"
        with pytest.raises(RefusedError):
            await ours.start_new("WaitGo", instance_id="c?d")
        assert [status.instance_id async for status in ours.list_statuses(Any)] == ["a"]

    play(story, kind)


def test_http_7_an_id_with_a_blank_gets_urls_that_lead_nowhere(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, host: RunningHost) -> None:
        assert await sdk.start_new("WaitGo", "a b") == "a b"
        started = await host.manage("POST", "orchestrators/WaitGo/c%20d")
        url = started.json["statusQueryGetUri"].removeprefix(host.host.base_url)
        assert (await host.request("GET", url)).status == 404
        with pytest.raises(RefusedError, match="no blank"):
            await ours.start_new("WaitGo", instance_id="e f")

    play(story, kind, PROFILE_2_13)


def test_http_9_the_sdk_lists_a_hundred(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, host: RunningHost) -> None:
        for number in range(105):
            await host.manage("POST", f"orchestrators/WaitGo/i{number:03}")

        assert len(await sdk.get_status_all()) == 100
        ids = [status.instance_id async for status in ours.list_statuses(Any)]
        assert ids == [f"i{number:03}" for number in range(105)]

    play(story, kind)


def test_http_9_the_sdk_lists_entities_among_the_instances(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, host: RunningHost) -> None:
        await ours.start_new("Tally", "alice", instance_id="t")
        await host.until_status("t", "Completed")

        assert [status.instance_id for status in await sdk.get_status_all()] == ["@counter@alice", "t"]
        assert [status.instance_id async for status in ours.list_statuses(Any, show_input=True)] == ["t"]
        assert [status.instance_id async for status in ours.list_statuses(Any, page_size=1)] == ["t"]

    play(story, kind, app=ENTITIES)


def test_http_9_the_sdk_lists_inputs(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, _host: RunningHost) -> None:
        await ours.start_new("WaitGo", "secret", instance_id="w")

        assert (await sdk.get_status_all())[0].input_ == '"secret"'
        assert [status.input async for status in ours.list_statuses(Any)] == [None]

    play(story, kind)


def test_http_10_a_date_is_taken_without_its_zone(kind: str) -> None:
    async def story(sdk: df.DurableOrchestrationClient, ours: Any, _host: RunningHost) -> None:
        await ours.start_new("WaitGo", instance_id="w")
        # A moment ago, as a clock in Kiritimati shows it.
        before = (datetime.now(UTC) - timedelta(minutes=5)).astimezone(timezone(timedelta(hours=14)))

        assert await sdk.get_status_by(created_time_from=before) == []
        assert len([status async for status in ours.list_statuses(Any, created_from=before)]) == 1
        for ask in ({"created_from": datetime(2020, 1, 1)}, {"created_to": datetime(2020, 1, 1)}):
            with pytest.raises(RefusedError, match="no time zone"):
                [status async for status in ours.list_statuses(Any, **ask)]
            with pytest.raises(RefusedError, match="no time zone"):
                await ours.purge_by_filter([RuntimeStatus.COMPLETED], **ask)

    play(story, kind)
