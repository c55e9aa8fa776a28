"""Offloading on the whole path, with the task hub in memory and the statuses in a folder: host, clients, purge."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from durable_status import InstanceFailedError, Offloaded, PayloadMissingError, RuntimeStatus, StatusDecodeError
from durable_status.client.durable_client import DurableClient
from durable_status.client.status_client import AsyncStatusClient, StatusClient
from durable_status.local_host.sdk import close_client_session
from durable_status.payloads.folder import FolderPayloadStore
from durable_status.publishing import OFFLOAD_ACTIVITY
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.durable_status.client.kinds import QUICK, sdk_client
from tests.hosts import RunningHost, running_host
from tests.paths import APPS

_LARGE = "🎫" * 10_000
_SECONDS = 20


@dataclass(frozen=True)
class Stage:
    """A host whose app publishes, and its readers."""

    host: RunningHost
    client: AsyncStatusClient
    """Has the store."""
    outsider: AsyncStatusClient
    """Has none."""
    folder: Path

    @property
    def files(self) -> list[Path]:
        """The statuses that are kept."""
        return sorted(self.folder.rglob("*.json.gz"))

    async def shown(self, instance_id: str, condition: Callable[[Any], bool]) -> Any:
        """Wait until the custom status is like that."""
        status = await self.client.wait_for_status(
            instance_id, Any, lambda status: condition(status.custom_status), _SECONDS
        )
        return status.custom_status


@asynccontextmanager
async def stage(tmp_path: Path, profile: Profile = PROFILE_3) -> AsyncIterator[Stage]:
    """The app "offloading" with a folder for its statuses."""
    folder = tmp_path / "payloads"
    async with (
        running_host(APPS / "offloading", profile=profile, payload_folder=folder) as host,
        AsyncStatusClient(host.host.base_url, pace=QUICK, payload_store=FolderPayloadStore(folder)) as client,
        AsyncStatusClient(host.host.base_url, pace=QUICK) as outsider,
    ):
        yield Stage(host, client, outsider, folder)


def play(tmp_path: Path, story: Callable[[Stage], Awaitable[None]], profile: Profile = PROFILE_3) -> None:
    """Run `story` on a stage."""

    async def main() -> None:
        async with stage(tmp_path, profile) as made:
            await story(made)

    asyncio.run(main())


@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=["2.13", "3"])
def test_readers_with_the_store_see_the_status_and_others_the_reference(tmp_path: Path, profile: Profile) -> None:
    async def story(on: Stage) -> None:
        await on.client.start_new("Publish", _LARGE, instance_id="p")
        assert await on.shown("p", lambda status: status not in (None, "before")) == _LARGE

        reference = (await on.outsider.get_status("p", Any)).custom_status
        assert isinstance(reference, Offloaded)
        assert (reference.size, [file.name for file in on.files]) == (40_004, [reference.reference])
        assert (await on.host.status("p"))["customStatus"] == reference.to_json()
        with pytest.raises(StatusDecodeError, match="Give the client its payload_store"):
            (await on.outsider.get_status("p", str)).custom_status  # noqa: B018
        assert (await on.outsider.get_status("p", str | Offloaded)).custom_status == reference

    play(tmp_path, story, profile)


def test_every_verb_that_shows_a_status_shows_all_of_it(tmp_path: Path) -> None:
    async def story(on: Stage) -> None:
        await on.client.start_new("Publish", _LARGE, instance_id="p")
        seen: list[Any] = []
        async for status in on.client.watch("p", str):
            if status.custom_status not in seen:
                seen.append(status.custom_status)
            if status.custom_status == _LARGE and status.runtime_status is RuntimeStatus.RUNNING:
                await on.client.raise_event("p", "go")
        assert seen[-2:] == ["before", _LARGE] or seen == [None, _LARGE] or seen == [_LARGE]
        assert (await on.client.wait_for_completion("p", str, _SECONDS)).custom_status == _LARGE
        listed = [
            status async for status in on.client.list_statuses(str, where=lambda item: item.custom_status == _LARGE)
        ]
        assert [status.instance_id for status in listed] == ["p"]

    play(tmp_path, story)


def test_who_looks_again_and_again_reads_a_status_once(tmp_path: Path) -> None:
    class Counting(FolderPayloadStore):
        gets = 0

        def get(self, instance_id: str, name: str) -> str:
            self.gets += 1
            return super().get(instance_id, name)

    async def story(on: Stage) -> None:
        await on.client.start_new("Publish", _LARGE, instance_id="p")
        await on.shown("p", lambda status: status == _LARGE)
        store, looks = Counting(on.folder), iter(range(5))
        async with AsyncStatusClient(on.host.host.base_url, pace=QUICK, payload_store=store) as client:
            await client.wait_for_status("p", str, lambda _: next(looks) == 4, _SECONDS)

        assert store.gets == 1

    play(tmp_path, story)


def test_the_client_without_asyncio_and_the_one_inside_functions_read_it_too(tmp_path: Path) -> None:
    async def story(on: Stage) -> None:
        await on.client.start_new("Publish", _LARGE, instance_id="p")
        await on.shown("p", lambda status: status == _LARGE)

        def from_a_thread() -> Any:
            with StatusClient(on.host.host.base_url, payload_store=FolderPayloadStore(on.folder)) as client:
                return client.get_status("p", str).custom_status

        assert await asyncio.to_thread(from_a_thread) == _LARGE
        assert (await on.host.request("GET", "/api/read/p")).json == _LARGE

    play(tmp_path, story)


def test_the_client_inside_functions_may_be_given_another_store(tmp_path: Path) -> None:
    async def story(on: Stage) -> None:
        await on.client.start_new("Publish", _LARGE, instance_id="p")
        await on.shown("p", lambda status: status == _LARGE)
        elsewhere = DurableClient(sdk_client(on.host), payload_store=FolderPayloadStore(tmp_path / "elsewhere"))
        with pytest.raises(PayloadMissingError):
            (await elsewhere.get_status("p", str)).custom_status  # noqa: B018
        await close_client_session()

    play(tmp_path, story)


def test_a_purge_deletes_what_was_stored_by_id_and_by_filter_and_nothing_else(tmp_path: Path) -> None:
    async def story(on: Stage) -> None:
        for instance_id in ("one", "two", "three", "runs"):
            await on.client.start_new("Publish", _LARGE, instance_id=instance_id)
            await on.shown(instance_id, lambda status: status == _LARGE)
            if instance_id != "runs":
                await on.client.raise_event(instance_id, "go")
                await on.client.wait_for_completion(instance_id, str, _SECONDS)
        assert len(on.files) == 4

        await on.outsider.purge("one")
        assert len(on.files) == 3
        assert await on.outsider.purge_by_filter([RuntimeStatus.COMPLETED]) == 2
        assert len(on.files) == 1
        assert (await on.client.get_status("runs", str)).custom_status == _LARGE

    play(tmp_path, story)


def test_a_purge_by_a_client_with_a_store_of_its_own_deletes_there(tmp_path: Path) -> None:
    async def story(on: Stage) -> None:
        own = FolderPayloadStore(tmp_path / "own")
        await on.client.start_new("Publish", "small", instance_id="p")
        await on.client.raise_event("p", "go")
        await on.client.wait_for_completion("p", str, _SECONDS)
        own.put("p", "status-20260101T000000000000-0123456789abcdef.json.gz", '"x"')
        async with AsyncStatusClient(on.host.host.base_url, payload_store=own) as client:
            await client.purge("p")

        assert own.names("p") == set()

    play(tmp_path, story)


def test_a_status_that_is_gone_is_an_error_when_it_is_asked_for_and_ends_no_list(tmp_path: Path) -> None:
    async def story(on: Stage) -> None:
        for instance_id in ("gone", "here"):
            await on.client.start_new("Publish", _LARGE, instance_id=instance_id)
            await on.shown(instance_id, lambda status: status == _LARGE)
        store = FolderPayloadStore(on.folder)
        store.delete("gone", store.names("gone"))

        listed = {status.instance_id: status async for status in on.client.list_statuses(str)}
        assert listed["here"].custom_status == _LARGE
        with pytest.raises(PayloadMissingError, match=r"The status of 'gone' is gone from .* Was the instance purged"):
            listed["gone"].custom_status  # noqa: B018
        assert listed["gone"].offloaded is not None
        await on.client.raise_event("gone", "go")
        await on.client.wait_for_completion("gone", str, _SECONDS)
        await on.client.purge("gone")

    play(tmp_path, story)


def test_many_large_statuses_in_a_loop_are_seen_one_after_the_other(tmp_path: Path) -> None:
    async def story(on: Stage) -> None:
        await on.client.start_new("PublishMany", {"times": 12, "size": 30_000}, instance_id="m")
        assert (await on.shown("m", lambda status: status is not None and status["number"] == 11))["number"] == 11
        assert len(on.files) == 12  # none is old enough to go

    play(tmp_path, story)


def test_after_a_large_status_a_small_one_is_shown(tmp_path: Path) -> None:
    async def story(on: Stage) -> None:
        await on.client.start_new("PublishMany", {"times": 2, "size": 9_000, "ends small": True}, instance_id="m")
        await on.shown("m", lambda status: status == "small")

    play(tmp_path, story)


def test_a_large_status_outlives_continue_as_new_once_as_any_other(tmp_path: Path) -> None:
    async def story(on: Stage) -> None:
        await on.client.start_new("PublishAndGoOn", 0, instance_id="c")
        for number in (0, 1):
            await on.shown("c", lambda status, number=number: status is not None and status["number"] == number)
            await on.client.raise_event("c", "go")
        await on.host.until("c", lambda document: document["input"] in (2, "2"))
        assert (await on.client.get_status("c", Any)).custom_status["number"] == 1
        await on.client.raise_event("c", "go")
        await on.client.wait_for_completion("c", Any, _SECONDS)
        assert len(on.files) == 2

    play(tmp_path, story)


@pytest.mark.parametrize("child_id", ["2024-06-01T12:00:00.0000000Z", "a/b?c#d e%20é\\..", "../../up", "n" * 250])
def test_an_id_may_have_any_characters(tmp_path: Path, child_id: str) -> None:
    async def story(on: Stage) -> None:
        await on.client.start_new("Parent", child_id, instance_id="p")

        async def child() -> Any:
            async for status in on.client.list_statuses(Any):
                if status.instance_id == child_id:
                    return status.custom_status
            return None

        async with asyncio.timeout(_SECONDS):
            while await child() in (None, "before"):
                await asyncio.sleep(0.01)
        assert await child() == "z" * 10_000
        assert [file.parent.parent for file in on.files] == [on.folder]

    play(tmp_path, story)


def test_a_folder_that_cannot_be_written_fails_the_activity_with_the_cure(tmp_path: Path) -> None:
    async def story(on: Stage) -> None:
        on.folder.write_text("in the way")
        await on.client.start_new("Publish", _LARGE, instance_id="p")
        with pytest.raises(InstanceFailedError) as failed:
            await on.client.wait_for_completion("p", str, _SECONDS)
        assert (
            f"'{OFFLOAD_ACTIVITY}' failed: PayloadError: The status cannot be written into"
            in failed.value.status.output
        )
        assert failed.value.status.custom_status == "before"

    play(tmp_path, story)


def test_an_app_without_the_blueprint_fails_with_the_activitys_name(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "host.json").write_text(json.dumps({"version": "2.0"}))
    (folder / "function_app.py").write_text(
        "import azure.durable_functions as df\n"
        "from durable_status import publish_status\n"
        "app = df.DFApp()\n"
        "@app.orchestration_trigger(context_name='context')\n"
        "def Publish(context):\n"
        "    yield from publish_status(context, 'x' * 9_000)\n"
    )

    async def main() -> None:
        async with running_host(folder) as host, AsyncStatusClient(host.host.base_url, pace=QUICK) as client:
            with pytest.raises(InstanceFailedError) as failed:
                await client.wait_for_completion(await client.start_new("Publish"), Any, _SECONDS)
            assert OFFLOAD_ACTIVITY in failed.value.status.output

    asyncio.run(main())
