"""Typed statuses on the whole path: orchestrator, SDK, host, management API, client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durable_status import InstanceFailedError, Progress, RecentItems
from durable_status.client.status_client import AsyncStatusClient
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from durable_status.testing.bench import DurableBench
from durable_status.testing.moves import event
from tests.durable_status.client.kinds import QUICK
from tests.hosts import RunningHost, running_host
from tests.paths import APPS
from tests.typed_values import READ_BACK, REFUSED

_APP = APPS / "typed_status"


def _play(story: Any, profile: Profile = PROFILE_3) -> None:
    async def main() -> None:
        async with (
            running_host(_APP, profile=profile) as host,
            AsyncStatusClient(host.host.base_url, pace=QUICK) as client,
        ):
            await story(client, host)

    asyncio.run(main())


def test_every_value_of_the_table_is_read_back_as_it_was_set() -> None:
    read: dict[str, Any] = {}

    async def story(client: AsyncStatusClient, _host: RunningHost) -> None:
        for name, (_, status_type) in READ_BACK.items():
            instance_id = await client.start_new("SetValue", name)
            shown = await client.wait_for_status(
                instance_id, status_type, lambda status: status.custom_status_json is not None, 20
            )
            read[name] = shown.custom_status

    _play(story)

    assert read == {name: value for name, (value, _) in READ_BACK.items()}
    assert {name: type(value) for name, value in read.items()} == {
        name: type(value) for name, (value, _) in READ_BACK.items()
    }


def test_every_other_value_of_the_table_fails_in_a_sentence_that_names_the_cure() -> None:
    said: dict[str, str] = {}

    async def story(client: AsyncStatusClient, _host: RunningHost) -> None:
        for name in REFUSED:
            with pytest.raises(InstanceFailedError) as failed:
                await client.wait_for_completion(await client.start_new("SetValue", name), Any, 20)
            assert failed.value.status.custom_status_json is None
            said[name] = failed.value.status.output

    _play(story)

    for name, sentence in said.items():
        assert sentence.startswith("Orchestrator function 'SetValue' failed: "), name
        assert any(cure in sentence for cure in ("Set an object", "Use ", "use a dict", "Put it into storage")), name


def test_a_cleared_status_is_null_again() -> None:
    async def story(client: AsyncStatusClient, host: RunningHost) -> None:
        await client.start_new("SetAndClear", instance_id="c")
        await host.until("c", lambda document: document["customStatus"] == "here")
        await client.raise_event("c", "go")

        await host.until("c", lambda document: document["customStatus"] is None)
        assert (await client.get_status("c", str)).custom_status is None

    _play(story)


def test_a_status_is_carried_over_continue_as_new_once() -> None:
    async def story(client: AsyncStatusClient, host: RunningHost) -> None:
        await client.start_new("SetAndGoOn", 0, instance_id="c")
        await host.until("c", lambda document: document["customStatus"] == "first generation")
        await client.raise_event("c", "go")
        second = await host.until("c", lambda document: document["input"] in (1, "1"))
        assert second["customStatus"] == "first generation"
        await client.raise_event("c", "again")

        await host.until("c", lambda document: document["customStatus"] is None)

    _play(story)


@pytest.mark.parametrize(
    ("kind", "factor"), [pytest.param("activities", 2, id="activities"), pytest.param("children", 0.5, id="children")]
)
def test_a_fan_out_counts_up_to_all_and_returns_the_results_in_order(kind: str, factor: float) -> None:
    async def story(client: AsyncStatusClient, _host: RunningHost) -> None:
        await client.start_new("FanOut", {"kind": kind, "tasks": 12, "updates": 4}, instance_id="f")
        done: list[int] = []
        async for status in client.watch("f", Progress):
            if status.custom_status is not None:
                assert (status.custom_status.stage, status.custom_status.total) == ("fan-out", 12)
                done.append(status.custom_status.done)

        assert done == sorted(done)
        assert done[-1] == 12
        assert len(set(done)) <= 5
        assert status.output == [[number * factor for number in range(12)], 200]

    _play(story)


def test_a_failure_in_a_fan_out_is_raised_when_all_have_ended() -> None:
    async def story(client: AsyncStatusClient, _host: RunningHost) -> None:
        await client.start_new("FanOut", {"kind": "activities", "tasks": 20, "updates": 20}, instance_id="f")
        with pytest.raises(InstanceFailedError) as failed:
            await client.wait_for_completion("f", Progress, 20)

        assert "thirteen" in failed.value.status.output
        assert failed.value.status.custom_status.done == 20

    _play(story)


def test_a_call_with_retries_in_a_fan_out_is_refused() -> None:
    async def story(client: AsyncStatusClient, _host: RunningHost) -> None:
        with pytest.raises(InstanceFailedError) as failed:
            await client.wait_for_completion(await client.start_new("RetriedFanOut"), Any, 20)

        assert "Put the call with retries into a sub-orchestration" in failed.value.status.output

    _play(story)


def test_an_activity_reports_while_it_works() -> None:
    async def story(client: AsyncStatusClient, _host: RunningHost) -> None:
        await client.start_new("Packing", instance_id="p")
        done = await client.wait_for_completion("p", RecentItems[str], 20)

        assert done.output == [3, 200]
        recent = done.custom_status
        assert recent is None or recent.items == tuple(["lamp", "desk", "chair"][recent.start : recent.total])

    _play(story)


@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=["2.13", "3"])
def test_reports_are_not_carried_into_the_next_generation(profile: Profile) -> None:
    async def story(client: AsyncStatusClient, _host: RunningHost) -> None:
        await client.start_new("PackingTwice", 1, instance_id="p")

        assert (await client.wait_for_completion("p", Any, 20)).output == ["2-lamp", "2-desk"]

    _play(story, profile)


@pytest.mark.durable(app="tests/apps/typed_status")
@pytest.mark.parametrize(
    "schedule",
    ["E0 E1 A0 T1", "E1 E0 A0 T1", "E0+E1+A0 T1", "E1+E0+A0 T1", "E0+A0 E1 T1", "A0 E0+E1 T1", "A0 E0+E1+T1"],
)
def test_reports_that_come_before_the_last_timer_stay_in_their_generation(durable: DurableBench, schedule: str) -> None:
    reports = [event("Packed.0", "1-lamp"), event("Packed.1", "1-desk")]
    run = durable.replay("PackingTwice", 1, f"{schedule} A0 T1", activities={"Pack": 2}, events=reports, batch=3)

    assert run.output == []
