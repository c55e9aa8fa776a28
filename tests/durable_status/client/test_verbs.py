"""Every verb of every client against a running host, on both lines of the extension."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typing_extensions import TypedDict

from durable_status import (
    HostError,
    InstanceFailedError,
    InstanceNotFoundError,
    InstanceStateError,
    RuntimeStatus,
    StatusDecodeError,
    WaitTimeoutError,
)
from durable_status.client.durable_client import DurableClient
from durable_status.client.status_client import AsyncStatusClient, StatusClient
from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.provider import StorageProvider
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.durable_status.client.kinds import KINDS, client_of
from tests.hosts import TRANSCRIPTS, RunningHost, running_host

Play = Callable[[Any, RunningHost], Awaitable[None]]


class Waiting(TypedDict):
    """The custom status of WaitGo."""

    waiting: str


@dataclass(frozen=True)
class Order:
    """A typed input."""

    number: int
    due: datetime


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Which client."""
    return str(request.param)


@pytest.fixture(params=[PROFILE_2_13, PROFILE_3], ids=["2.13", "3"])
def profile(request: pytest.FixtureRequest) -> Profile:
    """Which line of the extension."""
    profile: Profile = request.param
    return profile


def play(
    story: Play,
    kind: str,
    profile: Profile = PROFILE_3,
    storage: Callable[[Clock], StorageProvider] = MemoryStorage,
) -> None:
    """Play `story` with a client of this kind, against a host that has just started."""

    async def main() -> None:
        async with running_host(TRANSCRIPTS, profile=profile, storage=storage) as host, client_of(kind, host) as client:
            await story(client, host)

    asyncio.run(main())


def test_an_instance_is_started_watched_steered_and_purged(kind: str, profile: Profile) -> None:
    async def story(client: Any, _host: RunningHost) -> None:
        assert await client.start_new("WaitGo", instance_id="w") == "w"
        waiting = await client.wait_for_status("w", Waiting, lambda status: status.custom_status is not None, 20)
        assert waiting.custom_status == {"waiting": "go"}
        assert (waiting.runtime_status, waiting.output) == (RuntimeStatus.RUNNING, None)

        await client.raise_event("w", "go", {"at": datetime(2026, 1, 2, tzinfo=UTC)})
        done = await client.wait_for_completion("w", Waiting, 20)
        assert done.output == {"got": {"at": "2026-01-02T00:00:00Z"}}
        assert done.output_as(dict[str, dict[str, datetime]])["got"]["at"].year == 2026

        await client.purge("w")
        with pytest.raises(InstanceNotFoundError) as missing:
            await client.get_status("w", Waiting)
        assert missing.value.instance_id == "w"

    play(story, kind, profile)


@pytest.mark.parametrize("value", [0, "text", [1, 2], {"a": None}, True, 1.5])
def test_an_input_arrives_as_it_was_given(kind: str, value: Any) -> None:
    async def story(client: Any, _host: RunningHost) -> None:
        instance_id = await client.start_new("EchoInput", value)

        assert (await client.wait_for_completion(instance_id, Any, 20)).output == value

    play(story, kind)


def test_a_typed_input_arrives_as_plain_json(kind: str) -> None:
    async def story(client: Any, _host: RunningHost) -> None:
        order = Order(7, datetime(2026, 1, 2, tzinfo=UTC))
        done = await client.wait_for_completion(await client.start_new("EchoInput", order), Any, 20)

        assert done.output == {"number": 7, "due": "2026-01-02T00:00:00Z"}
        assert done.output_as(Order) == order

    play(story, kind)


@pytest.mark.parametrize("instance_id", ["a+b", "été", "a&b=c", "a:b;c,d", "ünï-🎫", "(x)!$'*~"])
def test_every_id_the_grammar_allows_is_that_id_on_the_host(kind: str, profile: Profile, instance_id: str) -> None:
    async def story(client: Any, _host: RunningHost) -> None:
        assert await client.start_new("WaitGo", instance_id=instance_id) == instance_id
        assert (await client.get_status(instance_id, Any)).instance_id == instance_id
        assert [status.instance_id async for status in client.list_statuses(Any)] == [instance_id]

    play(story, kind, profile)


def test_a_missing_instance_is_an_exception_for_every_verb(kind: str, profile: Profile) -> None:
    async def story(client: Any, _host: RunningHost) -> None:
        async def watch() -> None:
            async for _ in client.watch("none", Any):
                pass

        for ask in (
            client.get_status("none", Any),
            client.raise_event("none", "go"),
            client.terminate("none"),
            client.suspend("none"),
            client.resume("none"),
            client.purge("none"),
            client.wait_for_completion("none", Any, 20),
            watch(),
        ):
            with pytest.raises(InstanceNotFoundError):
                await ask

    play(story, kind, profile)


def test_what_the_state_of_an_instance_does_not_allow_is_one_error_on_both_lines(kind: str, profile: Profile) -> None:
    async def story(client: Any, host: RunningHost) -> None:
        await client.start_new("WaitGo", instance_id="live")
        await client.start_new("Greet", "x", instance_id="ended")
        await client.wait_for_completion("ended", Any, 20)
        await host.until("live", lambda document: document["customStatus"] is not None)

        for ask in (
            client.start_new("WaitGo", instance_id="live"),
            client.resume("live"),
            client.purge("live"),
            client.raise_event("ended", "go"),
            client.terminate("ended"),
            client.suspend("ended"),
            client.resume("ended"),
        ):
            with pytest.raises(InstanceStateError):
                await ask
        await client.suspend("live")
        await host.until_status("live", "Suspended")
        with pytest.raises(InstanceStateError):
            await client.suspend("live")

    play(story, kind, profile)


def test_a_suspended_instance_shows_its_reason_as_no_output(kind: str) -> None:
    async def story(client: Any, host: RunningHost) -> None:
        await client.start_new("WaitGo", instance_id="w")
        await client.suspend("w", "lunch")
        shown = await host.until_status("w", "Suspended")

        assert shown["output"] == "lunch"
        assert (await client.get_status("w", Any)).output is None

    play(story, kind)


def test_a_failure_is_an_error_with_the_last_status(kind: str) -> None:
    async def story(client: Any, _host: RunningHost) -> None:
        await client.start_new("FailNow", instance_id="f")
        with pytest.raises(InstanceFailedError) as failed:
            await client.wait_for_completion("f", str, 20)

        assert failed.value.status.custom_status == "about to fail"
        assert "bad luck" in failed.value.status.output

        await client.terminate(await client.start_new("WaitGo", instance_id="t"), "no longer needed")
        with pytest.raises(InstanceFailedError) as terminated:
            await client.wait_for_completion("t", Any, 20)
        assert terminated.value.status.output == "no longer needed"

    play(story, kind)


def test_a_wait_ends_with_its_time_and_the_last_status(kind: str) -> None:
    async def story(client: Any, host: RunningHost) -> None:
        await client.start_new("WaitGo", instance_id="w")
        await host.until("w", lambda document: document["customStatus"] is not None)
        with pytest.raises(WaitTimeoutError) as late:
            await client.wait_for_completion("w", Waiting, 0)

        assert isinstance(late.value, TimeoutError)
        assert late.value.last_status.custom_status == {"waiting": "go"}

    play(story, kind)


def test_a_status_that_does_not_fit_can_be_listed_and_raises_when_it_is_read(kind: str) -> None:
    async def story(client: Any, host: RunningHost) -> None:
        await client.start_new("StatusThenWait", {"waiting": 5, "more": "x"}, instance_id="w")
        await host.until("w", lambda document: document["customStatus"] is not None)
        (status,) = [status async for status in client.list_statuses(Waiting)]

        with pytest.raises(StatusDecodeError) as drift:
            _ = status.custom_status
        assert drift.value.payload == status.custom_status_json == {"waiting": 5, "more": "x"}

    play(story, kind)


def test_lists_go_past_the_first_page_and_are_filtered_there_and_here(kind: str) -> None:
    async def story(client: Any, host: RunningHost) -> None:
        for number in range(25):
            await client.start_new("StatusThenWait", {"number": number}, instance_id=f"a{number:02}")
        await client.start_new("Greet", "x", instance_id="b")
        await host.until_status("b", "Completed")
        for number in range(25):
            await host.until(f"a{number:02}", lambda document: document["customStatus"] is not None)

        async def ids(**options: Any) -> list[str]:
            return [status.instance_id async for status in client.list_statuses(dict[str, int], **options)]

        everything = [f"a{number:02}" for number in range(25)] + ["b"]
        assert await ids(page_size=10) == everything
        assert await ids(page_size=10, instance_id_prefix="a1") == everything[10:20]
        assert await ids(page_size=2, runtime_status=[RuntimeStatus.COMPLETED]) == ["b"]
        late = lambda status: status.custom_status is not None and status.custom_status["number"] > 22  # noqa: E731
        assert await ids(page_size=7, where=late) == ["a23", "a24"]
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        assert await ids(created_from=tomorrow) == []
        assert await ids(created_to=tomorrow.astimezone()) == everything

    play(story, kind)


def test_a_purge_by_filter_deletes_what_has_ended_so_and_says_how_many(kind: str) -> None:
    async def story(client: Any, host: RunningHost) -> None:
        await client.start_new("WaitGo", instance_id="live")
        for number in range(3):
            await client.start_new("Greet", "x", instance_id=f"g{number}")
            await host.until_status(f"g{number}", "Completed")

        assert await client.purge_by_filter([RuntimeStatus.FAILED]) == 0
        assert await client.purge_by_filter([RuntimeStatus.COMPLETED, RuntimeStatus.FAILED]) == 3
        assert [status.instance_id async for status in client.list_statuses(Any)] == ["live"]

    play(story, kind)


def test_input_and_history_come_only_when_asked_for(kind: str) -> None:
    async def story(client: Any, _host: RunningHost) -> None:
        await client.start_new("EchoInput", "secret", instance_id="e")
        plain = await client.wait_for_completion("e", Any, 20)
        full = await client.get_status("e", Any, show_input=True, show_history=True)

        assert (plain.input, plain.history) == (None, None)
        assert full.input == '"secret"'  # as the SDK sends it
        assert [event["EventType"] for event in full.history] == ["ExecutionStarted", "ExecutionCompleted"]
        assert full.to_document()["historyEvents"] == full.history
        assert [status.input async for status in client.list_statuses(Any)] == [None]
        assert [status.input async for status in client.list_statuses(Any, show_input=True)] == ['"secret"']

    play(story, kind)


def test_an_orchestration_that_does_not_exist_is_an_error_at_once_or_a_failure_of_the_instance(kind: str) -> None:
    async def refused(client: Any, _host: RunningHost) -> None:
        with pytest.raises(HostError, match="The function 'Nope' doesn't exist") as error:
            await client.start_new("Nope")
        assert error.value.status_code == 400

    async def failed(client: Any, _host: RunningHost) -> None:
        with pytest.raises(InstanceFailedError):
            await client.wait_for_completion(await client.start_new("Nope"), Any, 20)

    play(refused, kind, PROFILE_2_13)
    play(failed, kind, PROFILE_3)


def _verbs(client: type) -> dict[str, list[inspect.Parameter]]:
    return {
        name: list(inspect.signature(method).parameters.values())
        for name, method in inspect.getmembers(client, inspect.isfunction)
        if not name.startswith("_") and name != "close"
    }


def test_all_clients_have_the_same_verbs_with_the_same_arguments() -> None:
    verbs = _verbs(StatusClient)

    assert len(verbs) == 14
    assert verbs == _verbs(AsyncStatusClient) == _verbs(DurableClient)
