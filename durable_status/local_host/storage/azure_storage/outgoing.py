"""What a commit, a client or an activity sends, as the messages of the hub's queues (storage.md §4)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from durable_status.local_host.storage.provider import ActivityCall, EpisodeCommit, Message
from durable_status.replay.event_json import event_from_members, event_members
from durable_status.replay.events import Event, ExecutionStarted, OrchestratorStarted, TaskScheduled
from durable_status.replay.ticks import Ticks
from durable_status.task_hub.messages import QueueMessage, Sender
from durable_status.task_hub.names import is_entity_id

_NO_TAGS: dict[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to put."""

    message: QueueMessage
    due: Ticks = Ticks(0)
    is_activity: bool = False


class Writer:
    """Numbers and signs the messages of this host."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def from_client(self, message: Message) -> Outgoing:
        """A message that somebody sends to an instance from outside."""
        return self._control(message, Sender(), None)

    def of_commit(self, instance_id: str, history: Sequence[Event], commit: EpisodeCommit) -> Iterator[Outgoing]:
        """The messages of an episode; `history` is what there was before it."""
        if commit.row is None:
            return
        past = () if commit.replaces_history else history
        episode = sum(isinstance(event, OrchestratorStarted) for event in (*past, *commit.events))
        execution_id = None if is_entity_id(instance_id) else commit.row.execution_id
        sender = Sender(instance_id=instance_id, execution_id=execution_id)
        scheduled = {event.event_id: event for event in commit.events if isinstance(event, TaskScheduled)}
        now = commit.row.last_updated_time
        for call in commit.activities:
            yield self._activity(call, scheduled.get(call.task_id), now, episode)
        for message in commit.messages:
            yield self._control(message, sender, episode)

    def answer(self, call: QueueMessage, message: Message) -> Outgoing:
        """An activity's answer to the message that called it."""
        sender = Sender(instance_id=call.instance_id, execution_id=call.execution_id)
        return self._control(message, sender, call.episode)

    def _control(self, message: Message, sender: Sender, episode: int | None) -> Outgoing:
        event = message.event
        is_child = isinstance(event, ExecutionStarted) and event.parent_instance is not None
        queued = QueueMessage(
            activity_id=str(uuid.uuid4()),
            event=event_members(event),
            instance_id=message.instance_id,
            execution_id=message.execution_id,
            sequence_number=next(self._numbers),
            episode=episode,
            sender=sender,
            tags=_NO_TAGS if is_child else None,
        )
        return Outgoing(message=queued, due=message.due)

    def _activity(self, call: ActivityCall, scheduled: TaskScheduled | None, now: Ticks, episode: int) -> Outgoing:
        timestamp = now if scheduled is None else scheduled.timestamp
        event = TaskScheduled(event_id=call.task_id, timestamp=timestamp, name=call.name, input=call.input)
        queued = QueueMessage(
            activity_id=str(uuid.uuid4()),
            event=event_members(event),
            instance_id=call.instance_id,
            execution_id=call.execution_id,
            sequence_number=next(self._numbers),
            episode=episode,
            sender=Sender(instance_id=call.instance_id, execution_id=call.execution_id),
            tags=_NO_TAGS,
        )
        return Outgoing(message=queued, is_activity=True)


def read_control(queued: QueueMessage) -> Message:
    """A message to an instance.

    Raises:
        ValueError: its event is of a kind this version does not know.
    """
    return Message(
        instance_id=queued.instance_id, execution_id=queued.execution_id, event=event_from_members(queued.event)
    )


def read_call(queued: QueueMessage) -> ActivityCall:
    """A call of an activity.

    Raises:
        ValueError: it is none.
    """
    event = event_from_members(queued.event)
    if not isinstance(event, TaskScheduled):
        raise ValueError(f"a {queued.event_type} is no call of an activity.")
    return ActivityCall(
        instance_id=queued.instance_id,
        execution_id=queued.execution_id or "",
        task_id=event.event_id,
        name=event.name,
        input=event.input or "[null]",
    )
