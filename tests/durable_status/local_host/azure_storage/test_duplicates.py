"""Messages that come twice count once: put twice, handed out twice, or put again when all is over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import uuid4

import pytest
from azure.storage.queue import QueueServiceClient

from durable_status.replay.entity_messages import Moment, RequestMessage
from durable_status.replay.ticks import PER_SECOND, Ticks
from durable_status.task_hub.messages import QueueMessage, message_json, queue_text, read_message
from durable_status.task_hub.names import is_entity_id
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.fault_hub import FaultHub, fault_hub
from tests.fault_proxy import Fault, done_twice, handed_out_twice
from tests.fault_work import jobs
from tests.storage_operations import Operation

_INSTANCES = 18  # two of each kind


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param(done_twice, "put message", id="put twice"),
        pytest.param(handed_out_twice, "get messages", id="handed out twice"),
        pytest.param(done_twice, "transaction", id="episodes stored twice"),
    ],
)
@pytest.mark.conforms("S4.2-7")
def test_what_comes_twice_counts_once(task_hub: FreshTaskHub, fault: Fault, kind: str) -> None:
    async def main() -> list[str]:
        async with fault_hub(task_hub) as hub, hub.host() as host:
            hits = hub.proxy.inject(fault, lambda operation: operation.kind == kind, times=None)
            await hub.start(host, islice(jobs(), _INSTANCES))
            await hub.until_done(host)
            assert hits() > _INSTANCES
            return await hub.flaws(host)

    assert asyncio.run(main()) == []


@pytest.mark.conforms("S4.2-6")
def test_messages_that_come_again_when_all_is_over_change_nothing(task_hub: FreshTaskHub) -> None:
    async def main() -> None:
        async with fault_hub(task_hub) as hub:
            async with hub.host() as host:
                await hub.start(host, islice(jobs(), _INSTANCES))
                await hub.until_done(host)
                assert await hub.flaws(host) == []
            before = hub.read()
            assert _put_all_again(hub) > 3 * _INSTANCES
            async with hub.host() as host:
                await hub.until_done(host)
                assert await hub.flaws(host) == []
            after = hub.read()
            assert _of_orchestrations(after.history) == _of_orchestrations(before.history)
            assert _of_orchestrations(after.instances) == _of_orchestrations(before.instances)

    asyncio.run(main())


@pytest.mark.conforms("S4.2-5")
def test_a_request_that_its_senders_history_does_not_have_is_not_carried_out(task_hub: FreshTaskHub) -> None:
    async def main() -> Any:
        async with fault_hub(task_hub) as hub:
            async with hub.host() as host:
                await hub.start(host, islice(jobs("tally"), 1))
                await hub.until_done(host)
                assert await hub.flaws(host) == []
            _put_another_request(hub)
            async with hub.host() as host:
                await hub.until_done(host)
                return (await host.request("GET", "/runtime/webhooks/durabletask/entities/counter/tally-0")).json

    assert asyncio.run(main()) == 111


def _put_another_request(hub: FaultHub) -> None:
    """Put what a host leaves that was killed before it wrote the episode: the request is in no history."""
    put = next(put for put in _puts(hub) if '"Name":"op"' in put.text)
    message = read_message(_message_text(put))
    assert isinstance(message, QueueMessage)
    request = RequestMessage.from_text(message.event["Input"])
    later = Moment(Ticks(request.timestamp.ticks + PER_SECOND * 60))
    unsent = replace(request, id=str(uuid4()), timestamp=later, predecessor=request.timestamp)
    event = {**message.event, "Input": unsent.text}
    _put(hub, put.target, queue_text(message_json(replace(message, event=event))))


def _put_all_again(hub: FaultHub) -> int:
    puts = _puts(hub)
    for put in puts:
        _put(hub, put.target, _message_text(put))
    return len(puts)


def _puts(hub: FaultHub) -> list[Operation]:
    """The messages that were put."""
    return [
        seen.operation
        for seen in hub.proxy.seen
        if seen.operation.kind == "put message" and seen.answer is not None and seen.answer.status == 201
    ]


def _message_text(put: Operation) -> str:
    return put.body.decode().partition("<MessageText>")[2].partition("</MessageText>")[0]


def _put(hub: FaultHub, queue: str, text: str) -> None:
    with QueueServiceClient.from_connection_string(hub.task_hub.connection_string) as queues:
        queues.get_queue_client(queue).send_message(text)


def _of_orchestrations(rows: Mapping[str, object]) -> dict[str, object]:
    """Without entities: a batch is stored even if it did nothing."""
    return {instance_id: found for instance_id, found in rows.items() if not is_entity_id(instance_id)}
