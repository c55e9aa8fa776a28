"""`azure_storage.queues`: messages, on Azurite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import MessageLostError, QueueMissingError
from durable_status.local_host.storage.azure_storage.queues import Receipt
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.testing.azurite import Azurite
from tests.durable_status.local_host.azure_storage.accounts import fresh_name, run


def test_a_queue_is_made_once_and_deleted_once(azurite: Azurite) -> None:
    queue = fresh_name()

    async def story(services: Services) -> None:
        queues = services.queues
        assert await queues.exists(queue) is False
        await queues.create(queue)
        await queues.create(queue)
        assert await queues.exists(queue) is True
        await queues.delete(queue)
        await queues.delete(queue)
        assert await queues.exists(queue) is False

    run(azurite.connection_string, story)


def test_a_missing_queue_is_told_by_every_method(azurite: Azurite) -> None:
    queue = fresh_name()

    async def story(services: Services) -> None:
        receipt = Receipt(queue, "id", "receipt")
        for call in (
            services.queues.put(queue, "text"),
            services.queues.get(queue, limit=1, invisible_seconds=1),
            services.queues.extend(receipt, 1),
            services.queues.delete_message(receipt),
        ):
            with pytest.raises(QueueMissingError, match=f"there is no queue {queue} in the queue service at http"):
                await call

    run(azurite.connection_string, story)


def test_messages_come_back_as_they_were_put(azurite: Azurite) -> None:
    queue = fresh_name()

    async def story(services: Services) -> None:
        await services.queues.create(queue)
        put = [await services.queues.put(queue, f"message {number}") for number in range(3)]
        got = await services.queues.get(queue, limit=32, invisible_seconds=30)
        now = datetime.now(UTC)

        assert [message.text for message in got] == ["message 0", "message 1", "message 2"]
        assert [message.receipt.message_id for message in got] == [receipt.message_id for receipt in put]
        assert [message.dequeue_count for message in got] == [1, 1, 1]
        assert all(now - message.inserted_on < timedelta(minutes=1) for message in got)
        assert await services.queues.get(queue, limit=32, invisible_seconds=30) == []

    run(azurite.connection_string, story)


def test_no_more_messages_are_fetched_than_asked_for(azurite: Azurite) -> None:
    queue = fresh_name()

    async def story(services: Services) -> None:
        await services.queues.create(queue)
        for number in range(3):
            await services.queues.put(queue, str(number))

        assert [message.text for message in await services.queues.get(queue, limit=2, invisible_seconds=30)] == [
            "0",
            "1",
        ]
        assert [message.text for message in await services.queues.get(queue, limit=2, invisible_seconds=30)] == ["2"]

    run(azurite.connection_string, story)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_characters="\ufffe\uffff", exclude_categories=("Cs", "Cc"))))
@example("")
@example("\r\n\t")
@example("<a>&amp;</a> ]]> é中😀\x85\u2028 ")
def test_any_text_is_fetched_as_it_was_put(azurite: Azurite, text: str) -> None:
    queue = fresh_name()

    async def story(services: Services) -> None:
        await services.queues.create(queue)
        await services.queues.put(queue, text)
        (message,) = await services.queues.get(queue, limit=1, invisible_seconds=30)

        assert message.text == text

    run(azurite.connection_string, story)


@pytest.mark.conforms("S7.5-6")
def test_a_message_put_invisible_can_be_worked_on_by_who_put_it(azurite: Azurite) -> None:
    queue = fresh_name()

    async def story(services: Services) -> None:
        await services.queues.create(queue)
        receipt = await services.queues.put(queue, "mine", invisible_seconds=30)
        assert await services.queues.get(queue, limit=1, invisible_seconds=30) == []

        receipt = await services.queues.extend(receipt, 60)
        await services.queues.delete_message(receipt)
        with pytest.raises(MessageLostError, match=f"a message in {queue} is gone or in other hands") as lost:
            await services.queues.delete_message(receipt)
        assert lost.value.after_retry is False

    run(azurite.connection_string, story)


def test_a_receipt_is_good_until_the_message_is_fetched_or_extended_again(azurite: Azurite) -> None:
    queue = fresh_name()

    async def story(services: Services) -> None:
        queues = services.queues
        await queues.create(queue)
        first = await queues.put(queue, "text")
        (fetched,) = await queues.get(queue, limit=1, invisible_seconds=30)
        second = await queues.extend(fetched.receipt, 30)
        for old in (first, fetched.receipt):
            with pytest.raises(MessageLostError):
                await queues.extend(old, 30)
            with pytest.raises(MessageLostError):
                await queues.delete_message(old)
        third = await queues.extend(second, 0)

        (again,) = await queues.get(queue, limit=1, invisible_seconds=30)
        assert again.text == "text"
        assert again.dequeue_count == 2
        with pytest.raises(MessageLostError):
            await queues.delete_message(third)
        await queues.delete_message(again.receipt)

    run(azurite.connection_string, story)


@pytest.mark.conforms("S7.5-7")
def test_a_message_can_wait_for_seven_days_and_not_longer(azurite: Azurite) -> None:
    queue = fresh_name()

    async def story(services: Services) -> None:
        await services.queues.create(queue)
        await services.queues.put(queue, "text", invisible_seconds=604_800)

        with pytest.raises(StorageError, match=f"refused a request on {queue}: 400 OutOfRangeQueryParameterValue"):
            await services.queues.put(queue, "text", invisible_seconds=604_801)

    run(azurite.connection_string, story)


@pytest.mark.conforms("S7.5-4")
def test_a_text_of_64_kib_is_taken_and_a_larger_one_refused(azurite: Azurite) -> None:
    queue = fresh_name()

    async def story(services: Services) -> None:
        await services.queues.create(queue)
        # Azurite breaks one of these if they are sent as UTF-8: a character that arrives in two pieces.
        for text in ("x" * 65_536, *("x" * number + "中" * 21_800 for number in range(3))):
            await services.queues.put(queue, text)
            (message,) = await services.queues.get(queue, limit=1, invisible_seconds=30)
            assert message.text == text

        with pytest.raises(StorageError, match=f"refused a request on {queue}: 413 RequestBodyTooLarge"):
            await services.queues.put(queue, "x" * 65_537)

    run(azurite.connection_string, story)


def test_a_name_that_no_queue_can_have_is_refused(azurite: Azurite) -> None:
    async def story(services: Services) -> None:
        with pytest.raises(StorageError, match="refused a request on A!: 400"):
            await services.queues.create("A!")

    run(azurite.connection_string, story)
