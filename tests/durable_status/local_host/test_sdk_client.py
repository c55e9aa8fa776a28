"""The SDK's own client against the local host: what each call returns or raises, by state of the instance."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from durable_status.app.links import Links
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.hosts import CLIENT_CALLS, RunningHost, running_host

_UNEXPECTED_500 = "Exception: The operation failed with an unexpected status code 500"


async def _call(host: RunningHost, method: str, *arguments: Any) -> Any:
    """What the client's method returned, or ``Type: text`` of what it raised."""
    answer = await host.request("POST", f"/api/call/{method}", json.dumps(arguments))
    outcome = answer.json
    return outcome["raised"] if "raised" in outcome else outcome["returned"]


async def _each_state(host: RunningHost) -> None:
    """Make instances in the states that calls are tried on."""
    for instance_id in ("running", "suspended", "terminated"):
        await host.start("Waits", instance_id)
        await host.until_status(instance_id, "Running")
    await host.manage("POST", "instances/suspended/suspend?reason=hold")
    await host.until_status("suspended", "Suspended")
    await host.manage("POST", "instances/terminated/terminate")
    await host.until_status("terminated", "Terminated")
    await host.start("Returns", "completed", "x")
    await host.until_status("completed", "Completed")
    await host.start("Fails", "failed")
    await host.until_status("failed", "Failed")


_BY_STATE = [
    ("suspend", "none", "Exception: No instance with ID 'none' found."),
    ("suspend", "suspended", _UNEXPECTED_500),
    ("suspend", "completed", None),
    ("suspend", "running", None),
    ("resume", "none", "Exception: No instance with ID 'none' found."),
    ("resume", "failed", None),
    ("terminate", "none", "Exception: No instance with ID 'none' found."),
    ("terminate", "completed", None),
    ("rewind", "none", "Exception: No instance with ID none found."),
    (
        "rewind",
        "completed",
        "Exception: The rewind operation is only supported on failed orchestration instances.",
    ),
    ("rewind", "failed", None),
    ("restart", "none", "Exception: The operation failed with an unexpected status code 400"),
    ("get_status", "none", {"exists": False, "status": None, "output": None}),
    ("get_status", "suspended", {"exists": True, "status": "Suspended", "output": "hold"}),
    ("purge_instance_history", "none", 0),
    ("purge_instance_history", "suspended", 1),
]


@pytest.mark.conforms("H2-40", "H2-44", "R3.9-10")
def test_calls_return_and_raise_by_the_state_of_the_instance() -> None:
    async def main() -> list[Any]:
        async with running_host(CLIENT_CALLS, profile=PROFILE_2_13) as host:
            await _each_state(host)
            return [
                await _call(
                    host, method, instance_id, *["r"] * (method in ("suspend", "resume", "terminate", "rewind"))
                )
                for method, instance_id, _ in _BY_STATE
            ]

    assert asyncio.run(main()) == [expected for _, _, expected in _BY_STATE]


@pytest.mark.conforms("H2-41")
def test_events_reach_live_instances_and_ended_ones_are_gone() -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS, profile=PROFILE_2_13) as host:
            await _each_state(host)
            assert await _call(host, "raise_event", "none", "go") == "Exception: No instance with ID none found."
            gone = "Exception: Instance with ID completed is gone: either completed or failed"
            assert await _call(host, "raise_event", "completed", "go") == gone
            assert await _call(host, "raise_event", "running", "") == (
                "ValueError: event_name must be a non-empty string."
            )
            assert await _call(host, "raise_event", "running", "go", {"a": 1}) is None
            document = await host.until_status("running", "Completed")
            assert document["output"] == '{"a": 1}', "the orchestrator gets the text (http.md §2.3)"

    asyncio.run(main())


@pytest.mark.conforms("H2-42", "H2-43")
def test_start_new_raises_what_the_host_says_and_restart_returns_a_dictionary() -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS, profile=PROFILE_2_13) as host:
            await _each_state(host)
            unknown = await _call(host, "start_new", "Nope")
            assert unknown.startswith("Exception: The function 'Nope' doesn't exist, is disabled, or is not an orch")
            live = await _call(host, "start_new", "Waits", "running")
            assert "An Orchestration instance with the status Running already exists." in live
            assert await _call(host, "start_new", "Waits", "completed") == "completed"
            assert await _call(host, "start_new", "Waits", "a?b") == "a"
            assert len(await _call(host, "start_new", "Waits", "")) == 32
            assert (await _call(host, "restart", "failed"))["id"] != "failed"
            assert (await _call(host, "restart", "failed", False))["id"] == "failed"
            assert await _call(host, "restart", "running", False) == _UNEXPECTED_500

    asyncio.run(main())


@pytest.mark.conforms("H2-45")
def test_lists_hold_at_most_a_hundred_and_filters_are_sent() -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS) as host:
            for number in range(101):
                await host.start("Returns", f"i{number:03d}")
            await host.start("Waits", "live")
            await host.until_status("live", "Running")
            assert len(await _call(host, "get_status_all")) == 100
            raised = await _call(host, "purge_instance_history_by")
            assert raised.startswith("ValueError")
            assert len((await host.manage("GET", "instances?top=1000")).json) == 102, "nothing was deleted"

    asyncio.run(main())


@pytest.mark.conforms("H2-20", "H2-21", "H2-22")
def test_inputs_are_stored_as_they_arrive_json_text_inside_json_text() -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS) as host:
            await _call(host, "start_new", "Returns", "object", {"a": 1})
            await _call(host, "start_new", "Returns", "zero", 0)
            await _call(host, "start_new", "Returns", "none", None)
            documents = [await host.until_status(name, "Completed") for name in ("object", "zero", "none")]
            assert [document["input"] for document in documents] == ['{"a": 1}', "0", None]
            assert [document["output"] for document in documents] == [{"a": 1}, 0, None]

    asyncio.run(main())


@pytest.mark.conforms("H2-50", "H2-51")
def test_without_the_rpc_endpoint_the_client_says_so() -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS, settings={"serves_rpc": False}) as host:
            assert host.host.rpc_base_url is None
            assert await _call(host, "get_status", "x") == ("ValueError: orchestration bindings has not RPC base url")
            assert (await _call(host, "start_new", "Waits")).startswith("InvalidUrlClientError: None")

    asyncio.run(main())


def _links(profile: Profile) -> Links:
    return Links(
        hub="Hub",
        connection=None,
        key="KEY",
        public_origin="http://localhost:7071",
        rpc_base_url="http://127.0.0.1:17071/durabletask/",
        writes_newer_members=profile.writes_newer_members,
    )


@pytest.mark.conforms("H3-1", "H3-2", "H3-3")
def test_the_client_binding_has_its_keys_in_order_with_nulls_written() -> None:
    base = "http://localhost:7071/runtime/webhooks/durabletask"
    common = "taskHub=Other&connection=Elsewhere&code=KEY"
    binding = _links(PROFILE_2_13).client_binding("Other", "Elsewhere")

    assert json.loads(binding) == {
        "taskHubName": "Other",
        "connectionName": None,
        "creationUrls": {
            "createNewInstancePostUri": f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]?code=KEY",
            "createAndWaitOnNewInstancePostUri": f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]"
            "?timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}&code=KEY",
        },
        "managementUrls": {
            "id": "INSTANCEID",
            "statusQueryGetUri": f"{base}/instances/INSTANCEID?{common}",
            "sendEventPostUri": f"{base}/instances/INSTANCEID/raiseEvent/{{eventName}}?{common}",
            "terminatePostUri": f"{base}/instances/INSTANCEID/terminate?reason={{text}}&{common}",
            "rewindPostUri": f"{base}/instances/INSTANCEID/rewind?reason={{text}}&{common}",
            "purgeHistoryDeleteUri": f"{base}/instances/INSTANCEID?{common}",
            "restartPostUri": f"{base}/instances/INSTANCEID/restart?{common}",
            "suspendPostUri": f"{base}/instances/INSTANCEID/suspend?reason={{text}}&{common}",
            "resumePostUri": f"{base}/instances/INSTANCEID/resume?reason={{text}}&{common}",
        },
        "baseUrl": base,
        "requiredQueryStringParameters": "code=KEY",
        "rpcBaseUrl": "http://127.0.0.1:17071/durabletask/",
    }
    assert binding == json.dumps(json.loads(binding), separators=(",", ":"))
    assert list(json.loads(binding))[-1] == "rpcBaseUrl"


@pytest.mark.conforms("XH-28")
def test_extension_3_adds_keys_to_the_binding() -> None:
    added = list(json.loads(_links(PROFILE_3).client_binding(None, None)).items())[-3:]

    assert added == [("httpBaseUrl", None), ("maxGrpcMessageSizeInBytes", None), ("grpcHttpClientTimeout", None)]


@pytest.mark.conforms("H4-1", "H4-2", "H4-3")
def test_the_check_status_helpers_write_the_urls_of_the_request_with_rewind() -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS) as host:
            answer = await host.request("GET", "/api/check/x1")
            payload = (await host.request("GET", "/api/payload/x1")).json
            assert answer.status == 202
            assert answer.headers["Retry-After"] == "10"
            assert answer.headers["Location"] == answer.json["statusQueryGetUri"]
            assert list(answer.json) == list(payload)
            assert "rewindPostUri" in payload
            assert answer.json["statusQueryGetUri"].startswith(f"{host.host.base_url}/runtime/webhooks/durabletask/")
            shown = await host.session.get(payload["statusQueryGetUri"].replace("localhost", "127.0.0.1"))
            assert shown.status == 404, "the URL leads to the management API; there is no such instance yet"

    asyncio.run(main())


@pytest.mark.conforms("H4-4", "H4-5", "H4-6", "H4-7", "H4-8", "H2-46")
def test_waiting_in_the_sdk_ends_by_outcome() -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS) as host:
            await _each_state(host)
            completed = await host.request("GET", "/api/wait/completed")
            assert (completed.status, completed.text) == (200, "x")
            terminated = await host.request("GET", "/api/wait/terminated")
            assert (terminated.status, terminated.json["runtimeStatus"]) == (200, "Terminated")
            failed = await host.request("GET", "/api/wait/failed")
            assert (failed.status, failed.json["runtimeStatus"]) == (500, "Failed")
            assert list(failed.json)[:6] == ["name", "instanceId", "createdTime", "lastUpdatedTime", "output", "input"]
            assert failed.json["createdTime"].endswith(".000000Z")
            assert (await host.request("GET", "/api/wait/running?timeout=20")).status == 202
            assert (await host.request("GET", "/api/wait/none?timeout=20")).status == 202
            assert (await host.request("GET", "/api/wait/running?timeout=10&interval=20")).status == 500

    asyncio.run(main())


@pytest.mark.conforms("H2-47")
def test_under_3_the_client_reads_the_newer_answers() -> None:
    async def main() -> None:
        async with running_host(CLIENT_CALLS, profile=PROFILE_3) as host:
            await _each_state(host)
            live = await _call(host, "start_new", "Waits", "running")
            assert live == (
                "Exception: {'Message': 'An Orchestration instance with the status Running already exists.'}"
            )
            assert await _call(host, "purge_instance_history", "running") == (
                "Exception: The operation failed with an unexpected status code 412"
            )
            bad = await host.request("POST", "/durabletask/orchestrators/Waits", "nonsense", rpc=True)
            assert "ExceptionMessage" in bad.json, "SDK 1.7.0 indexes it"

    asyncio.run(main())
