"""What a host has in hand of its queues: delivered once, kept while in hand, found again when it is given back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from durable_status.local_host.storage.azure_storage.errors import MessageLostError, UnavailableError
from durable_status.local_host.storage.azure_storage.large_texts import LargeTexts
from durable_status.local_host.storage.azure_storage.mailbox import HandLimits, Mailbox
from durable_status.local_host.storage.azure_storage.queues import QueuedMessage, Queues
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.replay.ticks import Ticks
from durable_status.task_hub.messages import QueueMessage, Sender, message_json, queue_text
from durable_status.testing.azurite import Azurite
from tests.durable_status.local_host.azure_storage.accounts import fresh_name, run

pytestmark = pytest.mark.needs_azurite

_PATIENCE_SECONDS = 20.0


class _OurHub:
    async def confirm(self) -> None:
        """It is ours."""


class _Hand:
    """A mailbox of one queue, and what it delivers."""

    def __init__(self, services: Services, queue: str, limits: HandLimits) -> None:
        self.queue = queue
        self.services = services
        self.delivered: asyncio.Queue[tuple[int, str, Ticks]] = asyncio.Queue()
        texts = LargeTexts(services.blobs, queue)
        self.mailbox = Mailbox(services.queues, [queue], texts, cast(Any, _OurHub()), limits, self._deliver)

    def _deliver(self, number: int, message: QueueMessage, due: Ticks) -> None:
        self.delivered.put_nowait((number, message.event["Name"], due))

    async def next(self) -> tuple[int, str, Ticks]:
        """The next message that is delivered."""
        return await asyncio.wait_for(self.delivered.get(), _PATIENCE_SECONDS)

    async def visible(self) -> list[str]:
        """The texts that another reader would get now; they stay visible."""
        found = await self.services.queues.get(self.queue, limit=32, invisible_seconds=1)
        return [message.text for message in found]

    async def put_by_others(self, text: str, *, after_seconds: int = 0) -> None:
        """What another client does; nobody sees it for so long."""
        await self.services.queues.put(self.queue, text, invisible_seconds=after_seconds)


def _message(name: str, *, sequence_number: int = 0, size: int = 0) -> QueueMessage:
    return QueueMessage(
        activity_id="00000000-0000-0000-0000-000000000001",
        event={
            "EventType": 15,
            "Name": name,
            "Input": "x" * size,
            "EventId": -1,
            "IsPlayed": False,
            "Timestamp": "2026-11-22T11:30:46Z",
        },
        instance_id="one",
        execution_id=None,
        sequence_number=sequence_number,
        sender=Sender(),
    )


def _text(name: str, **members: Any) -> str:
    return queue_text(message_json(_message(name, **members)))


def _play(
    azurite: Azurite,
    story: Callable[[_Hand], Awaitable[None]],
    limits: HandLimits | None = None,
    *,
    also: Callable[[_Hand], Awaitable[None]] | None = None,
) -> None:
    """A story with a mailbox, and another one with the mailbox of the next host."""
    queue = fresh_name()

    @asynccontextmanager
    async def hand(services: Services) -> AsyncIterator[_Hand]:
        opened = _Hand(services, queue, limits or HandLimits(longest_poll_seconds=0.1))
        opened.mailbox.start()
        try:
            yield opened
        finally:
            await opened.mailbox.close()

    async def told(services: Services) -> None:
        await services.queues.create(queue)
        for part in (story, also):
            if part is not None:
                async with hand(services) as opened:
                    await part(opened)

    run(azurite.connection_string, told)


def test_what_is_put_is_delivered_without_being_fetched_and_only_when_it_is_to_be(azurite: Azurite) -> None:
    async def story(hand: _Hand) -> None:
        posted = await hand.mailbox.put(hand.queue, _message("a"))
        assert await hand.visible() == []
        assert hand.delivered.empty()
        hand.mailbox.post(posted)
        assert (await hand.next())[1] == "a"

    _play(azurite, story)


def test_what_was_withdrawn_is_never_delivered(azurite: Azurite) -> None:
    async def story(hand: _Hand) -> None:
        posted = await hand.mailbox.put(hand.queue, _message("a"))
        hand.mailbox.leave(posted)
        hand.mailbox.withdraw(posted)
        await hand.mailbox.settle()
        await hand.put_by_others(_text("marker"), after_seconds=3)

    async def next_host(hand: _Hand) -> None:
        assert (await hand.next())[1] == "marker"

    _play(azurite, story, HandLimits(invisible_seconds=1, longest_poll_seconds=0.1), also=next_host)


@pytest.mark.conforms("S4-8")
def test_what_others_put_in_one_second_is_fetched_in_the_order_of_their_numbers(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = Queues.get

    async def get(self: Queues, queue: str, **options: Any) -> list[QueuedMessage]:
        moment = datetime(2026, 11, 22, tzinfo=UTC)  # the machine may be so slow that it takes two seconds
        return [replace(message, inserted_on=moment) for message in await fetch(self, queue, **options)]

    monkeypatch.setattr(Queues, "get", get)
    queue = fresh_name()

    async def told(services: Services) -> None:
        await services.queues.create(queue)
        for number, name in ((3, "c"), (1, "a"), (2, "b")):
            await services.queues.put(queue, _text(name, sequence_number=number))
        hand = _Hand(services, queue, HandLimits(longest_poll_seconds=0.1))
        hand.mailbox.start()
        try:
            delivered = [(await hand.next())[1] for _ in range(3)]
        finally:
            await hand.mailbox.close()
        assert delivered == ["a", "b", "c"]

    run(azurite.connection_string, told)


def test_what_is_in_hand_stays_invisible_to_others_for_as_long_as_it_takes(azurite: Azurite) -> None:
    limits = HandLimits(invisible_seconds=2, messages=1, longest_poll_seconds=0.1)  # no room for the marker

    async def story(hand: _Hand) -> None:
        hand.mailbox.post(await hand.mailbox.put(hand.queue, _message("a")))
        await hand.put_by_others("marker", after_seconds=5)
        seen: list[str] = []
        while not seen:
            seen = await hand.visible()
        assert seen == ["marker"]

    _play(azurite, story, limits)


def test_what_is_done_is_deleted_and_what_is_in_hand_is_there_for_the_next_host_at_once(azurite: Azurite) -> None:
    async def story(hand: _Hand) -> None:
        for name in ("done", "open"):
            hand.mailbox.post(await hand.mailbox.put(hand.queue, _message(name)))
        numbers = {name: number for number, name, _ in [await hand.next(), await hand.next()]}
        hand.mailbox.consume([numbers["done"]])

    async def next_host(hand: _Hand) -> None:
        assert (await hand.next())[1] == "open"
        assert hand.delivered.empty()

    _play(azurite, story, also=next_host)


_SHORT = HandLimits(invisible_seconds=1, messages=2, longest_poll_seconds=0.1)


def test_what_is_done_is_not_delivered_again_although_it_could_not_be_deleted(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_args: Any, **_options: Any) -> Any:
        raise MessageLostError("gone", after_retry=False)

    async def story(hand: _Hand) -> None:
        hand.mailbox.post(await hand.mailbox.put(hand.queue, _message("a")))
        number, *_ = await hand.next()
        with monkeypatch.context() as broken:
            broken.setattr(Queues, "delete_message", lost)
            hand.mailbox.consume([number])
            await hand.mailbox.settle()
        await hand.put_by_others(_text("marker"), after_seconds=2)
        assert (await hand.next())[1] == "marker"

    async def next_host(hand: _Hand) -> None:
        await hand.put_by_others(_text("next"), after_seconds=2)
        assert {(await hand.next())[1], (await hand.next())[1]} == {"marker", "next"}

    _play(azurite, story, _SHORT, also=next_host)


def _fetching(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when a message has been fetched and taken in hand."""
    take, fetched = Mailbox._take, asyncio.Event()

    async def noted(self: Mailbox, found: Sequence[QueuedMessage]) -> None:
        await take(self, found)
        if found:
            fetched.set()

    monkeypatch.setattr(Mailbox, "_take", noted)
    return fetched


def test_what_was_fetched_again_is_deleted_all_the_same(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    again = _fetching(monkeypatch)

    async def story(hand: _Hand) -> None:
        hand.mailbox.post(await hand.mailbox.put(hand.queue, _message("a")))
        number, *_ = await hand.next()
        await asyncio.wait_for(again.wait(), _PATIENCE_SECONDS)
        hand.mailbox.consume([number])
        await hand.mailbox.settle()
        assert hand.delivered.empty()
        await hand.put_by_others(_text("marker"), after_seconds=3)

    async def next_host(hand: _Hand) -> None:
        assert (await hand.next())[1] == "marker"

    monkeypatch.setattr(Queues, "extend", _unavailable)
    _play(azurite, story, _SHORT, also=next_host)


async def _unavailable(*_args: Any, **_options: Any) -> Any:
    raise UnavailableError("no answer")


def test_what_could_not_be_put_takes_no_room(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(hand: _Hand) -> None:
        with monkeypatch.context() as broken:
            broken.setattr(Queues, "put", _unavailable)
            with pytest.raises(UnavailableError):
                await hand.mailbox.put(hand.queue, _message("a"))
        assert (await hand.mailbox.put(hand.queue, _message("b"))).is_in_hand

    _play(azurite, story, HandLimits(messages=1, longest_poll_seconds=0.1))


def test_what_was_fetched_before_it_was_delivered_counts_once(azurite: Azurite) -> None:
    async def story(hand: _Hand) -> None:
        for name in "abc":
            posted = await hand.mailbox.put(hand.queue, _message(name))
            number, found, _ = await hand.next()
            hand.mailbox.post(posted)
            assert (found, hand.delivered.empty()) == (name, True)
            hand.mailbox.consume([number])
            await hand.mailbox.settle()
        assert [(await hand.mailbox.put(hand.queue, _message("d"))).is_in_hand for _ in range(3)] == [True, True, False]

    _play(azurite, story, _SHORT)


def test_what_is_due_counts_like_all_that_is_in_hand(azurite: Azurite) -> None:
    async def story(hand: _Hand) -> None:
        hand.mailbox.post(await hand.mailbox.put(hand.queue, _message("later"), delay_seconds=60, due=Ticks(1)))
        number, *_ = await hand.next()
        hand.mailbox.mark_due(number)
        assert not (await hand.mailbox.put(hand.queue, _message("a"))).is_in_hand
        hand.mailbox.consume([number])
        fits = [(await hand.mailbox.put(hand.queue, _message("b"))).is_in_hand for _ in range(2)]
        assert fits == [True, False]

    _play(azurite, story, HandLimits(messages=1, longest_poll_seconds=60))


def test_what_is_fetched_when_it_is_due_is_in_hand(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = _fetching(monkeypatch)

    async def story(hand: _Hand) -> None:
        hand.mailbox.post(await hand.mailbox.put(hand.queue, _message("a"), delay_seconds=1, due=Ticks(1)))
        await asyncio.wait_for(fetched.wait(), _PATIENCE_SECONDS)
        assert not (await hand.mailbox.put(hand.queue, _message("b"))).is_in_hand
        await hand.next()
        assert hand.delivered.empty()

    _play(azurite, story, HandLimits(messages=1, longest_poll_seconds=0.1))


@pytest.mark.parametrize("is_room_made_first", [False, True])
def test_what_did_not_fit_is_fetched_as_soon_as_there_is_room(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch, is_room_made_first: bool
) -> None:
    hour = 3_600.0
    put, get = Queues.put, Queues.get
    looked = asyncio.Event()

    async def story(hand: _Hand) -> None:
        hand.mailbox.post(await hand.mailbox.put(hand.queue, _message("a")))
        number, *_ = await hand.next()

        async def late(self: Queues, *args: Any, **options: Any) -> Any:
            if is_room_made_first:
                hand.mailbox.consume([number])
                await asyncio.wait_for(looked.wait(), _PATIENCE_SECONDS)
            return await put(self, *args, **options)

        async def noted(self: Queues, *args: Any, **options: Any) -> Any:
            found = await get(self, *args, **options)
            asyncio.get_running_loop().call_soon(looked.set)
            return found

        monkeypatch.setattr(Queues, "put", late)
        monkeypatch.setattr(Queues, "get", noted)
        hand.mailbox.post(await hand.mailbox.put(hand.queue, _message("b")))
        if not is_room_made_first:
            hand.mailbox.consume([number])
        assert (await hand.next())[1] == "b"

    monkeypatch.setattr("durable_status.local_host.storage.azure_storage.mailbox._SHORTEST_PAUSE_SECONDS", hour)
    monkeypatch.setattr("durable_status.local_host.storage.azure_storage.mailbox._LONGEST_FIRST_PAUSE_SECONDS", hour)
    _play(azurite, story, HandLimits(messages=1, longest_poll_seconds=hour))


@pytest.mark.conforms("S4-11")
def test_what_is_put_off_comes_again_soon(azurite: Azurite) -> None:
    async def story(hand: _Hand) -> None:
        await hand.put_by_others(_text("a"))
        number, *_ = await hand.next()
        hand.mailbox.put_off([number])
        assert (await hand.next())[1] == "a"

    _play(azurite, story)


@pytest.mark.conforms("S4-12")
def test_what_is_due_later_than_a_queue_hides_it_is_not_in_hand(azurite: Azurite) -> None:
    async def story(hand: _Hand) -> None:
        week = 7 * 24 * 3600
        posted = await hand.mailbox.put(hand.queue, _message("a"), delay_seconds=week + 1, due=Ticks(1))
        hand.mailbox.post(posted)
        assert not posted.is_in_hand
        assert hand.delivered.empty()

    _play(azurite, story)


def test_a_queue_that_does_not_answer_is_not_waited_for_at_the_end(
    azurite: Azurite, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def silent(*_args: Any, **_options: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    async def story(hand: _Hand) -> None:
        hand.mailbox.post(await hand.mailbox.put(hand.queue, _message("a")))
        monkeypatch.setattr(Queues, "get", silent)
        monkeypatch.setattr(Queues, "extend", silent)
        await asyncio.wait_for(asked.wait(), _PATIENCE_SECONDS)
        await asyncio.wait_for(hand.mailbox.close(), _PATIENCE_SECONDS)
        await asyncio.wait_for(hand.mailbox.settle(), _PATIENCE_SECONDS)

    _play(azurite, story)


def test_what_does_not_fit_in_hand_is_fetched_when_there_is_room(azurite: Azurite) -> None:
    async def story(hand: _Hand) -> None:
        posted = [await hand.mailbox.put(hand.queue, _message(str(number))) for number in range(5)]
        for item in posted:
            hand.mailbox.post(item)
        names = []
        while len(names) < 5:
            number, name, _ = await hand.next()
            assert hand.delivered.qsize() < 2, "no more are in hand"
            names.append(name)
            hand.mailbox.consume([number])
        assert sorted(names) == [str(number) for number in range(5)]

    _play(azurite, story, HandLimits(messages=2, longest_poll_seconds=0.1))


def test_a_message_too_large_for_a_queue_comes_from_its_blob(azurite: Azurite) -> None:
    async def story(hand: _Hand) -> None:
        posted = await hand.mailbox.put(hand.queue, _message("large", size=50_000))
        assert posted.blob_name is not None

    async def next_host(hand: _Hand) -> None:
        assert (await hand.next())[1] == "large"

    _play(azurite, story, HandLimits(invisible_seconds=1, longest_poll_seconds=0.1), also=next_host)


@pytest.mark.parametrize("text", ["no message at all", queue_text("{}"), queue_text('{"CompressedBlobName":"gone"}')])
def test_what_cannot_be_read_is_told_and_stays_and_the_others_come(
    azurite: Azurite, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    async def story(hand: _Hand) -> None:
        await hand.put_by_others(text)
        await hand.put_by_others(_text("good"))
        assert (await hand.next())[1] == "good"
        await hand.mailbox.settle()

    caplog.set_level(logging.ERROR)
    _play(azurite, story)

    assert "is put off: " in caplog.text
