"""The SDK's own DurableOrchestrationClient, inside an app's function, drives the host over the RPC endpoint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.durable_functions import OrchestrationRuntimeStatus as Status

from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.provider import StorageProvider
from tests.client_jobs import CLIENT_JOBS, run_in_function
from tests.hosts import RunningHost, running_host

MakeStorage = Callable[[Clock], StorageProvider]

_PAUSE_SECONDS = 0.01
_PATIENCE_SECONDS = 60


@pytest.fixture
def use_client(make_storage: MakeStorage) -> Callable[[Callable[..., Awaitable[Any]]], Any]:
    """Run a test's body inside the app's function, on a host with each storage provider."""

    def use(job: Callable[..., Awaitable[Any]]) -> Any:
        async def main() -> Any:
            async with running_host(CLIENT_JOBS, storage=make_storage) as host:
                return await run_in_function(host, job)

        return asyncio.run(main())

    return use


async def _until(client: Any, instance_id: str, *wanted: Status) -> Any:
    async def poll() -> Any:
        while True:
            status = await client.get_status(instance_id, show_input=True)
            if status and status.runtime_status in wanted:
                return status
            await asyncio.sleep(_PAUSE_SECONDS)

    return await asyncio.wait_for(poll(), _PATIENCE_SECONDS)


async def _waiting(client: Any, instance_id: str) -> str:
    await client.start_new("Wait", instance_id)
    await _until(client, instance_id, Status.Running)
    return instance_id


async def _refusal(call: Awaitable[Any]) -> str:
    with pytest.raises(Exception, match=r".") as refused:
        await call
    return str(refused.value)


def test_it_starts_instances_and_reads_their_status(use_client: Any) -> None:
    async def job(client: Any, _request: Any) -> None:
        made_up = await client.start_new("Echo", client_input={"größe": [1, 2.5, None]})
        named = await client.start_new("Echo", "named", "text")

        assert (len(made_up), named) == (32, "named")
        status = await _until(client, made_up, Status.Completed)
        assert (status.name, status.instance_id) == ("Echo", made_up)
        assert status.output == {"größe": [1, 2.5, None]}
        assert json.loads(status.input_) == status.output  # the client sends a text of JSON, and that is stored
        assert isinstance(status.created_time, datetime)
        assert status.created_time <= status.last_updated_time
        assert (await _until(client, "named", Status.Completed)).output == "text"
        assert not (await client.get_status("nobody"))

    use_client(job)


def test_it_reads_the_history(use_client: Any) -> None:
    async def job(client: Any, _request: Any) -> None:
        await client.start_new("Echo", "e", 7)
        await _until(client, "e", Status.Completed)
        status = await client.get_status("e", show_history=True, show_history_output=True)
        events = status.historyEvents

        assert [event["EventType"] for event in events] == ["ExecutionStarted", "TaskCompleted", "ExecutionCompleted"]
        assert (events[1]["FunctionName"], events[1]["Result"]) == ("Return", 7)
        assert (events[2]["OrchestrationStatus"], events[2]["Result"]) == ("Completed", 7)
        assert not hasattr(await client.get_status("e"), "historyEvents")

    use_client(job)


def test_it_lists_instances_all_and_by_their_properties(use_client: Any) -> None:
    async def job(client: Any, _request: Any) -> None:
        began = datetime.now(UTC) - timedelta(minutes=1)
        for number in range(3):
            await client.start_new("Echo", f"done-{number}", number)
        for number in range(3):
            await _until(client, f"done-{number}", Status.Completed)
        await _waiting(client, "open")

        async def ids(**conditions: Any) -> list[str]:
            return [status.instance_id for status in await client.get_status_by(**conditions)]

        assert sorted(status.instance_id for status in await client.get_status_all()) == [
            "done-0",
            "done-1",
            "done-2",
            "open",
        ]
        assert await ids(runtime_status=[Status.Running]) == ["open"]
        assert len(await ids(runtime_status=[Status.Running, Status.Completed])) == 4
        assert await ids(created_time_to=began) == []
        assert len(await ids(created_time_from=began)) == 4
        assert sorted(await ids(instance_id_prefix="done-")) == ["done-0", "done-1", "done-2"]

    use_client(job)


def test_it_raises_events(use_client: Any) -> None:
    async def job(client: Any, _request: Any) -> None:
        await _waiting(client, "w")
        await client.raise_event("w", "other", 1)
        await client.raise_event("w", "go", {"ok": True})

        status = await _until(client, "w", Status.Completed)
        # The client sends its payload as a text of JSON; the orchestrator's context reads it back.
        assert (status.output if isinstance(status.output, dict) else json.loads(status.output)) == {"ok": True}
        assert "is gone: either completed or failed" in await _refusal(client.raise_event("w", "go", 1))
        assert "No instance with ID nobody found." in await _refusal(client.raise_event("nobody", "go", 1))

    use_client(job)


def test_it_terminates(use_client: Any) -> None:
    async def job(client: Any, _request: Any) -> None:
        await _waiting(client, "w")
        await client.terminate("w", "no longer needed, really?")

        status = await _until(client, "w", Status.Terminated)
        assert (status.output, status.custom_status) == ("no longer needed, really?", "waiting")
        await client.terminate("w", "again")  # of an ended one: no error and no effect
        assert (await client.get_status("w")).output == "no longer needed, really?"
        assert "No instance with ID 'nobody' found." in await _refusal(client.terminate("nobody", "x"))

    use_client(job)


def test_it_suspends_and_resumes(use_client: Any) -> None:
    async def job(client: Any, _request: Any) -> None:
        await _waiting(client, "w")
        await client.suspend("w", "a pause")
        assert (await _until(client, "w", Status.Suspended)).custom_status == "waiting"
        await client.raise_event("w", "go", "kept")
        await client.resume("w", "on again")

        assert (await _until(client, "w", Status.Completed)).output in ("kept", '"kept"')
        await client.suspend("w", "too late")
        assert (await client.get_status("w")).runtime_status is Status.Completed
        assert "No instance with ID 'nobody' found." in await _refusal(client.suspend("nobody", "x"))
        assert "No instance with ID 'nobody' found." in await _refusal(client.resume("nobody", "x"))

    use_client(job)


def test_it_purges_one_and_many(use_client: Any) -> None:
    async def job(client: Any, _request: Any) -> None:
        began = datetime.now(UTC) - timedelta(minutes=1)
        for number in range(4):
            await client.start_new("Echo", f"e{number}", number)
        for number in range(4):
            await _until(client, f"e{number}", Status.Completed)
        await _waiting(client, "open")

        assert (await client.purge_instance_history("e0")).instances_deleted == 1
        assert (await client.purge_instance_history("e0")).instances_deleted == 0
        assert not (await client.get_status("e0"))
        purged = await client.purge_instance_history_by(began, runtime_status=[Status.Completed])
        assert purged.instances_deleted == 3
        again = await client.purge_instance_history_by(began, runtime_status=[Status.Completed])
        assert again.instances_deleted == 0
        assert [status.instance_id for status in await client.get_status_all()] == ["open"]

    use_client(job)


def test_its_wait_answers_with_the_output_or_with_the_urls(use_client: Any) -> None:
    async def job(client: Any, request: Any) -> None:
        await client.start_new("Echo", "e", [1, 2])
        done = await client.wait_for_completion_or_create_check_status_response(request, "e", 10_000, 10)
        assert (done.status_code, json.loads(done.get_body())) == (200, [1, 2])

        await client.start_new("Fail", "f")
        failed = await client.wait_for_completion_or_create_check_status_response(request, "f", 10_000, 10)
        document = json.loads(failed.get_body())
        assert (failed.status_code, document["runtimeStatus"]) == (500, "Failed")
        assert "bad luck" in document["output"]

        await _waiting(client, "w")
        late = await client.wait_for_completion_or_create_check_status_response(request, "w", 20, 10)
        assert late.status_code == 202
        assert json.loads(late.get_body())["id"] == "w"

    use_client(job)


def test_the_urls_it_hands_out_work_from_outside(make_storage: MakeStorage) -> None:
    async def job(client: Any, request: Any) -> Any:
        await _waiting(client, "w")
        response = client.create_check_status_response(request, "w")
        assert response.status_code == 202
        payload = json.loads(response.get_body())
        assert response.headers["Location"] == payload["statusQueryGetUri"]
        assert client.create_http_management_payload("w") == payload
        assert client.get_client_response_links(request, "w") == payload
        return payload

    async def call(host: RunningHost, method: str, url: str, body: str | None = None) -> int:
        assert url.startswith(f"{host.host.base_url}/")
        return (await host.request(method, url.removeprefix(host.host.base_url), body)).status

    async def main() -> None:
        async with running_host(CLIENT_JOBS, storage=make_storage) as host:
            urls = await run_in_function(host, job)
            assert await call(host, "GET", urls["statusQueryGetUri"]) == 202
            assert await call(host, "POST", urls["suspendPostUri"].replace("{text}", "x")) == 202
            await host.until_status("w", "Suspended")
            assert await call(host, "POST", urls["resumePostUri"].replace("{text}", "x")) == 202
            await host.until_status("w", "Running")
            assert await call(host, "POST", urls["sendEventPostUri"].replace("{eventName}", "other"), "1") == 202
            assert await call(host, "POST", urls["terminatePostUri"].replace("{text}", "x")) == 202
            await host.until_status("w", "Terminated")
            assert await call(host, "DELETE", urls["purgeHistoryDeleteUri"]) == 200
            assert await call(host, "GET", urls["statusQueryGetUri"]) == 404

    asyncio.run(main())


def test_a_live_id_is_not_started_twice(use_client: Any) -> None:
    async def job(client: Any, _request: Any) -> None:
        await _waiting(client, "w")
        before = await client.get_status("w")

        assert "already exists" in await _refusal(client.start_new("Wait", "w"))
        assert "already exists" in await _refusal(client.start_new("Echo", "w", 1))
        after = await client.get_status("w")
        assert (after.created_time, after.custom_status, after.name) == (before.created_time, "waiting", "Wait")

        await client.terminate("w", "")
        await _until(client, "w", Status.Terminated)
        assert await client.start_new("Echo", "w", "afresh") == "w"
        assert (await _until(client, "w", Status.Completed)).output == "afresh"

    use_client(job)
