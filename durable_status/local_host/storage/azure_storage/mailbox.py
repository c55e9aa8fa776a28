"""The queues of one kind, and what this host has in hand of them (storage.md §4).

What the host puts itself it can work on at once: Put Message answers a pop receipt, so the message is put invisible and
need not be fetched. Everything else is polled for: what others put, what a host before this one left, what did not fit
in hand. What is in hand is kept invisible, a little at a time, so that a host that dies costs seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import MessageLostError, UnavailableError
from durable_status.local_host.storage.azure_storage.large_texts import LargeTexts
from durable_status.local_host.storage.azure_storage.ownership import HubOwnership
from durable_status.local_host.storage.azure_storage.queues import QueuedMessage, Queues, Receipt
from durable_status.replay.ticks import Ticks
from durable_status.task_hub.messages import LargeMessage, QueueMessage, queue_text, read_message, stored_message

logger = logging.getLogger(__name__)

_SHORTEST_PAUSE_SECONDS = 0.05
_LONGEST_FIRST_PAUSE_SECONDS = 1.0
LONGEST_ABANDON_SECONDS = 600
_LONGEST_DELAY_SECONDS = 6 * 24 * 3600
"""How long a message is put off at a time, as the extension does it; the service takes 7 days."""
_DONE_KEPT = 10_000
_GRACE_SECONDS = 2.0
_AT_ONCE = 32  # the most that Get Messages answers, and how many requests of one kind are under way

Deliver = Callable[[int, QueueMessage, Ticks], None]
"""Takes a message, its number and when it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandLimits:
    """How much is held, and for how long."""

    invisible_seconds: int = 30
    messages: int = 256
    longest_poll_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A message that was put."""

    message: QueueMessage
    receipt: Receipt
    is_in_hand: bool
    """Whether this host keeps it; else it has to be fetched as any other."""
    visible_at: float
    """When the queue shows it again, by the event loop's clock."""
    due: Ticks
    """When it is to be worked on; 0: at once."""
    blob_name: str | None
    """Of the blob that a large message is in."""


@dataclass(slots=True)
class _Held:
    receipt: Receipt
    visible_at: float
    dequeue_count: int
    is_delayed: bool
    """It waits to become due in the queue, too; nothing has to be done for that."""


class Mailbox:
    """Queues of one kind: the control queues, or the work-item queue."""

    def __init__(
        self,
        queues: Queues,
        names: Sequence[str],
        texts: LargeTexts,
        ownership: HubOwnership,
        limits: HandLimits,
        deliver: Deliver,
    ) -> None:
        self._queues = queues
        self._names = names
        self._texts = texts
        self._ownership = ownership
        self._limits = limits
        self._deliver = deliver
        self._numbers = count(1)
        self._held: dict[int, _Held] = {}
        self._by_id: dict[str, int] = {}
        self._done: OrderedDict[str, None] = OrderedDict()  # ids, so that nothing is delivered a second time
        self._in_hand = 0
        self._wake = {name: asyncio.Event() for name in names}
        self._free = asyncio.Semaphore(_AT_ONCE)
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._loops: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to poll, and to keep what is in hand."""
        self._loops = [asyncio.create_task(self._poll(name)) for name in self._names]
        self._loops.append(asyncio.create_task(self._keep()))

    async def close(self) -> None:
        """Stop, and give back what is in hand, for the next host to find at once.

        An account that does not answer is not waited for: then the next host finds it a little later.
        """
        self._is_closing = True
        self._wake_all()
        *polls, keep = self._loops
        keep.cancel()
        await _end([*polls, keep])
        for number, held in list(self._held.items()):
            if not held.is_delayed:
                self._soon(self._give_back(number, 0))
        await _end(self._under_way)

    async def settle(self) -> None:
        """Wait for what was begun and not waited for."""
        while self._under_way:
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def put(self, queue: str, message: QueueMessage, *, delay_seconds: int = 0, due: Ticks = Ticks(0)) -> Posted:
        """Put a message, invisible for the delay; `post` delivers it.

        `due` is when the delay is over.

        Raises:
            StorageError: it cannot be put.
        """
        await self._ownership.confirm()
        stored = stored_message(message)
        await self._texts.store(stored.blobs)
        is_far = delay_seconds > _LONGEST_DELAY_SECONDS
        fits = not is_far and (delay_seconds > 0 or self._in_hand < self._limits.messages)
        hidden = min(delay_seconds, _LONGEST_DELAY_SECONDS) or (self._limits.invisible_seconds if fits else 0)
        is_reserved = fits and not delay_seconds
        self._in_hand += is_reserved
        try:
            async with self._free:
                receipt = await self._queues.put(queue, queue_text(stored.text), invisible_seconds=hidden)
        except BaseException:
            self._in_hand -= is_reserved
            raise
        if not hidden:
            self._wake[queue].set()
        visible_at = asyncio.get_running_loop().time() + hidden
        return Posted(
            message=message,
            receipt=receipt,
            is_in_hand=fits,
            visible_at=visible_at,
            due=due,
            blob_name=next(iter(stored.blobs), None),
        )

    def post(self, posted: Posted) -> None:
        """Deliver a message that was put. One that did not fit in hand is polled for."""
        if not posted.is_in_hand:
            return
        is_delayed = posted.due > 0
        number = self._hold(posted.receipt, posted.visible_at, 0, is_delayed=is_delayed)
        if number is not None:
            self._deliver(number, posted.message, posted.due)
        elif not is_delayed:  # it was fetched meanwhile, and counts already
            self._in_hand -= 1

    def leave(self, posted: Posted) -> None:
        """Let go of a message that was put: it is fetched when it is visible."""
        self._in_hand -= posted.is_in_hand and posted.due == 0

    def withdraw(self, posted: Posted) -> None:
        """Delete a message that was let go; if it is too late for that, it is fetched all the same."""
        self._soon(self._delete(posted.receipt))

    def consume(self, numbers: Collection[int]) -> None:
        """Delete messages that are done with, without waiting for it."""
        for number in numbers:
            held = self._forget(number)
            if held is not None:
                self._note_done(held.receipt.message_id)
                self._soon(self._delete(held.receipt))

    def put_off(self, numbers: Collection[int], *, longest_seconds: int = LONGEST_ABANDON_SECONDS) -> None:
        """Give messages back for a while, longer each time (storage.md §4, Abandon)."""
        for number in numbers:
            if number in self._held:
                seconds = min(2 ** self._held[number].dequeue_count, longest_seconds)
                self._soon(self._give_back(number, seconds))

    def put_off_for(self, number: int, seconds: int) -> None:
        """Give a message back that is not due for so long."""
        self._soon(self._give_back(number, min(seconds, _LONGEST_DELAY_SECONDS)))

    def times_fetched(self, number: int) -> int:
        """How often a message in hand came from its queue; 0 if it came straight from this host."""
        return self._held[number].dequeue_count if number in self._held else 0

    def mark_due(self, number: int) -> None:
        """A delayed message is being worked on: from now on it is kept like all others."""
        held = self._held.get(number)
        if held is not None and held.is_delayed:
            held.is_delayed = False
            self._in_hand += 1

    async def _poll(self, queue: str) -> None:
        pause = _SHORTEST_PAUSE_SECONDS
        is_out = False
        # What a host before this one had in hand comes back in this time, and is not to wait any longer.
        settled = asyncio.get_running_loop().time() + self._limits.invisible_seconds + _LONGEST_FIRST_PAUSE_SECONDS
        while not self._is_closing:
            room = min(self._limits.messages - self._in_hand, _AT_ONCE)
            found: Sequence[QueuedMessage] = ()
            if room > 0:
                try:
                    await self._ownership.confirm()
                    found = await self._queues.get(queue, limit=room, invisible_seconds=self._limits.invisible_seconds)
                    is_out = False
                except StorageError as error:
                    if not is_out:
                        logger.warning("The queue %s cannot be read; trying on: %s", queue, error)
                    is_out = True
                await self._take(found)
            if found:
                pause = _SHORTEST_PAUSE_SECONDS
                continue
            await self._pause(queue, pause)
            is_settled = asyncio.get_running_loop().time() > settled
            longest = self._limits.longest_poll_seconds
            pause = min(2 * pause, longest if is_settled else min(longest, _LONGEST_FIRST_PAUSE_SECONDS))

    def _wake_all(self) -> None:
        for event in self._wake.values():
            event.set()

    async def _pause(self, queue: str, seconds: float) -> None:
        """Wait, or until there is news of the queue, also since the last pause."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake[queue].wait()
        self._wake[queue].clear()

    async def _take(self, found: Sequence[QueuedMessage]) -> None:
        """Deliver what was fetched, in the order in which it was put (storage.md §4, Dequeue)."""
        taken: list[tuple[datetime, int, int, QueueMessage]] = []
        for fetched in found:
            number = self._take_in_hand(fetched)
            if number is None:
                continue
            try:
                message = await self._read(fetched.text)
            except (StorageError, ValueError) as error:
                logger.error("A message in the queue %s is put off: %s", fetched.receipt.queue, error)
                self.put_off([number])
            else:
                taken.append((fetched.inserted_on, message.sequence_number, number, message))
        for _, _, number, message in sorted(taken, key=lambda item: item[:3]):
            self._deliver(number, message, Ticks(0))

    def _take_in_hand(self, fetched: QueuedMessage) -> int | None:
        """The number of a message that was fetched; None if it is known: in hand, with a new receipt now, or done."""
        visible_at = asyncio.get_running_loop().time() + self._limits.invisible_seconds
        receipt = fetched.receipt
        known = self._by_id.get(receipt.message_id)
        if known is not None:
            held = self._held[known]
            held.receipt, held.visible_at = receipt, visible_at
            self.mark_due(known)
            return None
        number = self._hold(receipt, visible_at, fetched.dequeue_count, is_delayed=False)
        if number is None:
            self._soon(self._delete(receipt))
            return None
        self._in_hand += 1
        return number

    async def _read(self, text: str) -> QueueMessage:
        message = read_message(text)
        if isinstance(message, LargeMessage):
            message = read_message(await self._texts.read(message.blob_name))
        if isinstance(message, LargeMessage):
            raise ValueError("a blob that should hold a message names another blob.")
        return message

    async def _keep(self) -> None:
        """Keep what is in hand invisible."""
        half = self._limits.invisible_seconds / 2
        while True:
            await asyncio.sleep(half / 2)
            soon = asyncio.get_running_loop().time() + half
            ending = [number for number, held in self._held.items() if not held.is_delayed and held.visible_at < soon]
            await asyncio.gather(*(self._extend(number) for number in ending))

    async def _extend(self, number: int) -> None:
        async with self._free:
            held = self._held.get(number)
            if held is None:
                return
            seconds = self._limits.invisible_seconds
            before = held.receipt
            try:
                receipt = await self._queues.extend(before, seconds)
            except StorageError as error:  # it comes again, and is known then
                logger.debug("A message could not be kept: %s", error)
                return
            if held.receipt is before:
                held.receipt = receipt
                held.visible_at = asyncio.get_running_loop().time() + seconds

    def _hold(self, receipt: Receipt, visible_at: float, dequeue_count: int, *, is_delayed: bool) -> int | None:
        """Take a message in hand and number it; None if it is there already, or done."""
        if receipt.message_id in self._by_id or receipt.message_id in self._done:
            return None
        number = next(self._numbers)
        self._held[number] = _Held(receipt, visible_at, dequeue_count, is_delayed)
        self._by_id[receipt.message_id] = number
        return number

    def _forget(self, number: int) -> _Held | None:
        held = self._held.pop(number, None)
        if held is not None:
            del self._by_id[held.receipt.message_id]
            if not held.is_delayed:
                self._in_hand -= 1
            if self._in_hand == self._limits.messages - 1:
                self._wake_all()
        return held

    def _note_done(self, message_id: str) -> None:
        self._done[message_id] = None
        if len(self._done) > _DONE_KEPT:
            self._done.popitem(last=False)

    async def _give_back(self, number: int, seconds: int) -> None:
        held = self._forget(number)
        if held is not None:
            await self._try(self._queues.extend, held.receipt, seconds)

    async def _delete(self, receipt: Receipt) -> None:
        await self._try(self._queues.delete_message, receipt)

    async def _try(self, request: Callable[..., Awaitable[object]], *about: object) -> None:
        """Make a request that may fail: then the message comes again, and is known or sorted out as a repetition."""
        async with self._free:
            try:
                await request(*about)
            except MessageLostError:
                pass
            except UnavailableError as error:  # which has been logged
                logger.debug("A message was not given back or deleted: %s", error)
            except StorageError as error:
                logger.warning("A message could not be given back or deleted, and comes again: %s", error)

    def _soon(self, request: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(request)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


async def _end(tasks: Collection[asyncio.Task[None]]) -> None:
    """Let tasks finish, but not for long."""
    if not tasks:
        return
    _, unfinished = await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
    for task in unfinished:
        task.cancel()
    await asyncio.gather(*unfinished, return_exceptions=True)
