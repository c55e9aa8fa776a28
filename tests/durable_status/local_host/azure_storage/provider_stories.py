"""Stories of providers of one hub, told without an app."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from azure.storage.queue import QueueServiceClient

from durable_status.app.host_settings import AzureStorageSettings
from durable_status.local_host.storage.azure_storage.provider import AzureStorage
from durable_status.local_host.storage.provider import EpisodeCommit, InstanceRow, Message, OrchestrationWork
from durable_status.replay.event_json import event_members
from durable_status.replay.events import (
    Event,
    ExecutionCompleted,
    ExecutionStarted,
    OrchestrationStatus,
    OrchestratorCompleted,
    OrchestratorStarted,
)
from durable_status.replay.ticks import Ticks, parse_ticks
from durable_status.task_hub.messages import QueueMessage, Sender, message_json, queue_text
from durable_status.task_hub.names import HubNames
from durable_status.testing.fresh_task_hub import FreshTaskHub
from tests.azure_hubs import azure_storage
from tests.clock import ManualClock
from tests.durable_status.local_host.storage.contract import new_row, start_event

T0 = parse_ticks("2026-11-22T11:30:46Z")
SETTINGS = AzureStorageSettings(control_invisible_seconds=1, work_invisible_seconds=1, longest_poll_seconds=0.1)

Story = Callable[[AzureStorage], Awaitable[Any]]


def hosts(hub: FreshTaskHub, *stories: Story, settings: AzureStorageSettings = SETTINGS) -> list[Any]:
    """One host after the other on the hub, each for one story; what they told."""

    async def main() -> list[Any]:
        told = []
        for story in stories:
            storage = azure_storage(hub, ManualClock(), settings)
            await storage.open()
            try:
                told.append(await asyncio.wait_for(story(storage), 30))
            finally:
                await storage.close()
        return told

    return asyncio.run(main())


def row_at(time: Ticks = T0, **members: Any) -> InstanceRow:
    """The row of a start at a time."""
    return new_row(created_time=time, last_updated_time=time, **members)


async def start(storage: AzureStorage, row: InstanceRow, *, replace_live: bool = False) -> None:
    """A client's start."""
    await storage.create_instance(row, start_event(row), replace_live=replace_live)


def episode(row: InstanceRow, *events: Event, first: ExecutionStarted | None = None) -> list[Event]:
    """The events of the first episode of the execution in `row`."""
    began = (OrchestratorStarted(timestamp=row.created_time), (first or start_event(row)).played())
    return [*began, *events, OrchestratorCompleted(timestamp=Ticks(row.created_time + 1))]


def running(work: OrchestrationWork, *events: Event, **members: Any) -> EpisodeCommit:
    """A first episode after which the instance runs."""
    row = _updated(work, OrchestrationStatus.RUNNING, **members)
    return EpisodeCommit(row=row, replaces_history=True, events=episode(row, *events))


def completed(work: OrchestrationWork, *events: Event, **members: Any) -> EpisodeCommit:
    """A first episode that ends the instance."""
    row = _updated(work, OrchestrationStatus.COMPLETED, output='"out"', **members)
    end = ExecutionCompleted(
        timestamp=row.created_time, event_id=9, orchestration_status=OrchestrationStatus.COMPLETED, result='"out"'
    )
    return EpisodeCommit(row=row, replaces_history=True, events=episode(row, *events, end))


def _updated(work: OrchestrationWork, status: OrchestrationStatus, **members: Any) -> InstanceRow:
    assert work.row is not None
    row = replace(work.row, runtime_status=status, last_updated_time=Ticks(work.row.created_time + 1), **members)
    return replace(row, completed_time=row.last_updated_time) if status.has_ended else row


def put_by_client(hub: FreshTaskHub, message: Message, *, after_seconds: int = 0) -> None:
    """What another client puts, which nobody sees for so long; into a queue that need not be the instance's."""
    queued = QueueMessage(
        activity_id=str(uuid.uuid4()),
        event=event_members(message.event),
        instance_id=message.instance_id,
        execution_id=message.execution_id,
        sender=Sender(),
    )
    queue = HubNames(hub.name).control_queues(1)[0]
    with QueueServiceClient.from_connection_string(hub.connection_string) as queues:
        text = queue_text(message_json(queued))
        queues.get_queue_client(queue).send_message(text, visibility_timeout=after_seconds)


def failing(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, error: BaseException) -> None:
    """Let a kind of request fail."""

    async def failed(*_args: Any, **_options: Any) -> Any:
        raise error

    monkeypatch.setattr(owner, method, failed)


def unanswered(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, error: BaseException) -> None:
    """Let a kind of request be carried out without an answer."""
    original = getattr(owner, method)

    async def failed(*args: Any, **options: Any) -> Any:
        await original(*args, **options)
        raise error

    monkeypatch.setattr(owner, method, failed)


def starts_in(work: OrchestrationWork) -> Sequence[str | None]:
    """The executions that a work item's messages start."""
    events = [message.event for message in work.messages.values()]
    return [e.orchestration_instance.execution_id for e in events if isinstance(e, ExecutionStarted)]
