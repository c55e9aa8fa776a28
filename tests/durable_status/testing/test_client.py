"""The SDK's client and HTTP functions, without a server and in virtual time."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from durable_status import InstanceNotFoundError, InstanceStateError, RuntimeStatus, WaitTimeoutError
from durable_status.client.durable_client import DurableClient
from durable_status.testing.bench import DurableBench
from durable_status.testing.errors import HarnessError
from durable_status.testing.outcomes import in_turn
from durable_status.testing.task_hub import START

_ORDERS = pytest.mark.durable(app="tests/apps/orders")


@_ORDERS
def test_a_starter_starts_and_answers_with_the_management_payload(durable: DurableBench) -> None:
    response = durable.call("start", route={"name": "FanOut"}, body=3)

    payload = json.loads(response.get_body())
    assert response.status_code == 202
    assert f"/instances/{payload['id']}?taskHub=" in payload["statusQueryGetUri"]
    assert durable.run(payload["id"]).output == [0, 1, 4]


@_ORDERS
def test_the_sdks_client_steers_instances(durable: DurableBench) -> None:
    client, wait = durable.client, durable.wait
    durable.stub(activities={"Prepare": 9})
    instance_id = wait(client.start_new("OneApproval", "one"))
    status = wait(client.get_status(instance_id))
    assert (status.runtime_status.value, status.custom_status) == ("Running", {"size": 9})

    wait(client.suspend(instance_id, "lunch"))
    assert wait(client.get_status(instance_id)).runtime_status.value == "Suspended"
    wait(client.resume(instance_id, "back"))
    wait(client.raise_event(instance_id, "Approve", "ann"))
    assert wait(client.get_status(instance_id)).output == '"ann"'  # the SDK's client encodes twice

    with pytest.raises(Exception, match="is gone"):
        wait(client.raise_event(instance_id, "Approve", "bob"))
    with pytest.raises(Exception, match="No instance with ID"):
        wait(client.terminate("nobody", "why"))
    with pytest.raises(Exception, match="The function 'Nope' doesn't exist"):
        wait(client.start_new("Nope"))
    assert [item.instance_id for item in wait(client.get_status_all())] == ["one"]
    assert wait(client.purge_instance_history("one")).instances_deleted == 1


@_ORDERS
def test_a_second_start_of_a_running_id_is_refused(durable: DurableBench) -> None:
    durable.wait(durable.client.start_new("OneApproval", "one"))

    with pytest.raises(Exception, match="already exists"):
        durable.wait(durable.client.start_new("OneApproval", "one"))


@_ORDERS
def test_waiting_for_completion_costs_virtual_time(durable: DurableBench) -> None:
    client = durable.client
    durable.wait(client.start_new("Counting", "c", 0))
    late = durable.wait(client.wait_for_completion_or_create_check_status_response(None, "c", 60_000))
    done = durable.wait(client.wait_for_completion_or_create_check_status_response(None, "c", 3_600_000, 600_000))

    assert (late.status_code, done.status_code, done.get_body()) == (202, 200, b"done")
    assert durable.run("c").elapsed.total_seconds() == 3_600


@_ORDERS
def test_entities_are_signalled_and_read(durable: DurableBench) -> None:
    import azure.durable_functions as df

    counter = df.EntityId("Counter", "x")
    assert durable.wait(durable.client.read_entity_state(counter)).entity_exists is False
    durable.wait(durable.client.signal_entity(counter, "add", 4))

    assert durable.wait(durable.client.read_entity_state(counter)).entity_state == 4


def test_the_apps_waiting_starter_sees_its_deadline_in_virtual_time(durable: DurableBench) -> None:
    ends = durable.call(
        "start_and_wait", route={"functionName": "E1_HelloSequence"}, params={"status": "London", "timeout": "30"}
    )
    late = durable.call(
        "start_and_wait", route={"functionName": "SetStatusTest"}, params={"status": "Never", "timeout": "20"}
    )

    assert (ends.status_code, json.loads(ends.get_body())["customStatus"]) == (200, "London")
    assert late.status_code == 202
    hub = durable._in_process[0].hub
    assert (hub.now - START) / 10_000_000 == pytest.approx(20, abs=1)


@_ORDERS
def test_a_failed_instance_is_rewound_and_tries_again(durable: DurableBench) -> None:
    client, wait = durable.client, durable.wait
    durable.stub(activities={"Prepare": in_turn(OSError("down"), OSError("still down"), 4)})
    wait(client.start_new("Delegates", "parent"))
    (child,) = durable.run("parent").sub_orchestrations
    assert durable.run("parent").failed

    wait(client.rewind("parent", "it is up again"))
    assert "still down" in str(durable.run("parent").output)
    wait(client.rewind("parent", "it is, now"))
    wait(client.raise_event(child.instance_id, "Approve"))

    assert (durable.run("parent").runtime_status, child.status) == ("Completed", {"size": 4})
    with pytest.raises(Exception, match="can be rewound"):
        wait(client.rewind("parent", "again"))
    with pytest.raises(Exception, match="No instance with ID nobody"):
        wait(client.rewind("nobody", "why"))


@_ORDERS
def test_an_instance_is_restarted_with_its_input_under_a_new_id_or_its_own(durable: DurableBench) -> None:
    wait = durable.wait
    wait(durable.client.start_new("FanOut", "one", 2))

    again = wait(durable.client.restart("one"))["id"]
    wait(durable.client.restart("one", restart_with_new_instance_id=False))

    assert again != "one"
    assert [durable.run(name).output for name in ("one", again)] == [[0, 1], [0, 1]]
    with pytest.raises(Exception, match="unexpected status code 400"):
        wait(durable.client.restart("nobody"))


@_ORDERS
def test_lists_and_purges_take_the_platforms_filters(durable: DurableBench) -> None:
    import azure.durable_functions as df

    client, wait, statuses = durable.client, durable.wait, df.OrchestrationRuntimeStatus
    wait(client.start_new("FanOut", "done", 1))
    wait(asyncio.sleep(3600))
    wait(client.start_new("OneApproval", "open"))
    wait(client.start_new("FanOut", "done-later", 1))
    since, later = datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 30)

    def listed(**filters: Any) -> list[str]:
        return [item.instance_id for item in wait(client.get_status_by(**filters))]

    assert listed(runtime_status=[statuses.Completed]) == ["done", "done-later"]
    assert listed(created_time_from=later) == ["open", "done-later"]
    assert listed(created_time_to=later, runtime_status=[statuses.Running]) == []
    assert listed(instance_id_prefix="done") == ["done", "done-later"]
    with pytest.raises(HarnessError, match="would delete instances that are running"):
        wait(client.purge_instance_history_by(since))
    assert wait(client.purge_instance_history_by(since, later)).instances_deleted == 1
    assert wait(client.purge_instance_history_by(since, None, [statuses.Completed])).instances_deleted == 1
    assert wait(client.purge_instance_history_by(since, None, [statuses.Completed])).instances_deleted == 0
    assert listed() == ["open"]


@_ORDERS
def test_the_typed_client_is_answered_as_well_and_waits_in_virtual_time(durable: DurableBench) -> None:
    async def story() -> None:
        client = DurableClient(durable.client)
        instance_id = await client.start_new("Counting", 1, instance_id="c")
        status = await client.wait_for_completion(instance_id, dict[str, int], 3 * 3600)
        assert (status.output, status.custom_status, status.input) == ("done", {"left": 0}, None)
        with pytest.raises(InstanceNotFoundError):
            await client.get_status("nobody", Any)
        await client.start_new("OneApproval", instance_id="a")
        with pytest.raises(WaitTimeoutError):
            await client.wait_for_completion("a", Any, 30)
        with pytest.raises(InstanceStateError, match="already exists"):
            await client.start_new("OneApproval", instance_id="a")
        with pytest.raises(InstanceStateError):
            await client.rewind("a")
        await client.raise_event("a", "Approve", "ann")
        assert [item.instance_id async for item in client.list_statuses(Any)] == ["c", "a"]
        assert await client.purge_by_filter([RuntimeStatus.COMPLETED]) == 2
        with pytest.raises(InstanceNotFoundError):
            await client.restart("a")

    durable.wait(story())


@_ORDERS
@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda durable: durable.call("nope"), "the app has no function 'nope'; known: .*start"),
        (lambda durable: durable.run("nobody"), "there is no instance 'nobody'"),
        (lambda durable: durable.stub(activities={"Nope": 1}), "'Nope' cannot be stubbed"),
        (lambda durable: durable.wait(durable.client.get_status("x", show_history=True)), "is not played in the test"),
    ],
)
def test_what_is_not_there_is_refused(durable: DurableBench, ask: Any, message: str) -> None:
    with pytest.raises(HarnessError, match=message):
        ask(durable)
