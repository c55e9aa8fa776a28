"""The hub's messages on their way: out into the right queue, in from there to whoever works on them (storage.md §4)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from durable_status.app.host_settings import AzureStorageSettings
from durable_status.local_host.clock import Clock
from durable_status.local_host.storage.azure_storage.large_texts import LargeTexts
from durable_status.local_host.storage.azure_storage.mailbox import LONGEST_ABANDON_SECONDS, HandLimits, Mailbox, Posted
from durable_status.local_host.storage.azure_storage.outgoing import Outgoing, read_call, read_control
from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.local_host.storage.azure_storage.queues import Queues
from durable_status.local_host.storage.message_queue import MessageQueue
from durable_status.local_host.storage.provider import ActivityCall, ActivityWork
from durable_status.replay.events import Event, EventRaised, TimerFired
from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks
from durable_status.task_hub.messages import QueueMessage
from durable_status.task_hub.names import HubNames, partition_of

logger = logging.getLogger(__name__)

_CALLS_IN_HAND = 256
_SIGNAL_IN_TIME = "op@"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that is in its queue, and not delivered yet."""

    posted: Posted
    mailbox: Mailbox


class PostOffice:
    """The control queues and the work-item queue of a hub. What arrives for an instance goes to `messages`."""

    def __init__(
        self,
        queues: Queues,
        names: HubNames,
        partition_count: int,
        texts: LargeTexts,
        ownership: HubOwnership,
        settings: AzureStorageSettings,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._control_queues = names.control_queues(partition_count)
        self._work_item_queue = names.work_item_queue
        limits = HandLimits(
            messages=settings.messages_in_hand * partition_count,
            invisible_seconds=settings.control_invisible_seconds,
            longest_poll_seconds=settings.longest_poll_seconds,
        )
        self.control = Mailbox(queues, self._control_queues, texts, ownership, limits, self._arrived)
        limits = replace(limits, messages=_CALLS_IN_HAND, invisible_seconds=settings.work_invisible_seconds)
        self.work_items = Mailbox(queues, [self._work_item_queue], texts, ownership, limits, self._called)
        self.messages = MessageQueue(clock)
        self._calls: asyncio.Queue[ActivityWork] = asyncio.Queue()
        self._call_messages: dict[int, QueueMessage] = {}

    def start(self) -> None:
        """Begin to fetch messages."""
        for mailbox in (self.control, self.work_items):
            mailbox.start()

    async def close(self) -> None:
        """Stop, and give back what is in hand."""
        await asyncio.gather(self.control.close(), self.work_items.close())

    async def put(self, outgoing: Outgoing) -> Sent:
        """Put a message into its queue. What is due later is hidden for whole seconds, as on the platform.

        Raises:
            StorageError: it cannot be put.
        """
        message = outgoing.message
        if outgoing.is_activity:
            return Sent(posted=await self.work_items.put(self._work_item_queue, message), mailbox=self.work_items)
        queue = self._control_queues[partition_of(message.instance_id, len(self._control_queues))]
        now = self._clock.now()
        seconds = max(0, outgoing.due - now) // PER_SECOND
        due = Ticks(now + seconds * PER_SECOND) if seconds else Ticks(0)
        posted = await self.control.put(queue, message, delay_seconds=seconds, due=due)
        return Sent(posted=posted, mailbox=self.control)

    async def put_all(self, outgoing: Collection[Outgoing]) -> Sequence[Sent]:
        """Put all messages, or none that stays.

        Raises:
            StorageError: one of them cannot be put.
        """
        results = await asyncio.gather(*map(self.put, outgoing), return_exceptions=True)
        sent = [result for result in results if isinstance(result, Sent)]
        for result in results:
            if isinstance(result, BaseException):
                for item in sent:
                    item.mailbox.leave(item.posted)
                self.withdraw(sent)
                raise result
        return sent

    def deliver(self, sent: Collection[Sent]) -> None:
        """Let messages that were put be worked on, when they are due."""
        for item in sent:
            item.mailbox.post(item.posted)

    @contextmanager
    def leaving_behind(self, sent: Collection[Sent]) -> Iterator[None]:
        """What is written here goes with messages that were put.

        If it fails they stay in their queues: it may have been written all the same. When they come, it shows whether
        they count.
        """
        try:
            yield
        except BaseException:
            for item in sent:
                item.mailbox.leave(item.posted)
            raise

    def withdraw(self, sent: Collection[Sent]) -> None:
        """Take back messages that were put, and left behind, for something that was surely not written."""
        for item in sent:
            item.mailbox.withdraw(item.posted)

    def put_off(
        self, instance_id: str, numbers: Collection[int], *, longest_seconds: int = LONGEST_ABANDON_SECONDS
    ) -> None:
        """Give messages to an instance back for a while."""
        self.messages.drop(instance_id, numbers)
        self.control.put_off(numbers, longest_seconds=longest_seconds)

    async def next_call(self) -> ActivityWork:
        """Wait for an activity to run."""
        return await self._calls.get()

    def message_of(self, work: ActivityWork) -> QueueMessage:
        """The message that an activity's call came in."""
        return self._call_messages[work.number]

    def finish_call(self, work: ActivityWork) -> None:
        """Delete the message of a call that has been answered."""
        del self._call_messages[work.number]
        self.work_items.consume([work.number])

    def _arrived(self, number: int, queued: QueueMessage, due: Ticks) -> None:
        try:
            message = replace(read_control(queued), due=due)
        except ValueError as error:
            logger.error("A message to instance '%s' is put off: %s", queued.instance_id, error)
            self.control.put_off([number])
            return
        early = 0 if due else max(0, _due(message.event) - self._clock.now()) // PER_SECOND
        if early:  # it was hidden for as long as one time can be, and has to wait on
            self.control.put_off_for(number, early)
        else:
            self.messages.put(number, message)

    def _called(self, number: int, queued: QueueMessage, _due: Ticks) -> None:
        try:
            call: ActivityCall = read_call(queued)
        except ValueError as error:
            logger.error("A message in the queue %s is put off: %s", self._work_item_queue, error)
            self.work_items.put_off([number])
            return
        self._call_messages[number] = queued
        self._calls.put_nowait(ActivityWork(number=number, call=call))


def _due(event: Event) -> Ticks:
    """When an event is due by its own words: a timer's, and those of a signal whose name ends in a time."""
    if isinstance(event, TimerFired):
        return event.fire_at
    if isinstance(event, EventRaised) and event.name.startswith(_SIGNAL_IN_TIME):
        try:
            return parse_ticks(event.name.removeprefix(_SIGNAL_IN_TIME))
        except ValueError:
            return Ticks(0)
    return Ticks(0)
