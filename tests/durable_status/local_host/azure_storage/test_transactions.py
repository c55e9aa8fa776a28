"""`azure_storage.tables`: transactions, on Azurite."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import (
    RowChangedError,
    RowExistsError,
    TransactionTooLargeError,
)
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.local_host.storage.azure_storage.tables import Delete, Insert, Merge, Put, Step, StoredRow
from durable_status.task_hub.names import history_row_key
from durable_status.task_hub.tables import Row
from durable_status.testing.azurite import Azurite
from tests.durable_status.local_host.azure_storage.accounts import fresh_name, run


def row(row_key: str, **columns: str | int | bool) -> Row:
    return {"PartitionKey": "p", "RowKey": row_key, **columns}


async def rows_of(services: Services, table: str) -> list[Row]:
    """All rows of a table of up to a page."""
    return [stored.row for stored in (await services.tables.query(table, "")).rows]


@pytest.mark.conforms("S7.5-5")
def test_all_kinds_of_steps_are_done_together_and_answer_the_new_etags(azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        tables = services.tables
        await tables.create(table)
        old = await tables.insert(table, row("sentinel", ExecutionId="e", IsCheckpointComplete=False))
        await tables.insert(table, row("gone"))
        await tables.insert(table, row("put", Name="old", Version="old"))
        etags = await tables.transact(
            table,
            [
                Put(row("put", Name="new")),
                Insert(row("")),
                Delete("p", "gone"),
                Merge(row("sentinel", IsCheckpointComplete=True), old),
            ],
        )

        assert etags[2] is None
        for row_key, etag, expected in (
            ("put", etags[0], row("put", Name="new")),
            ("", etags[1], row("")),
            ("sentinel", etags[3], row("sentinel", ExecutionId="e", IsCheckpointComplete=True)),
        ):
            assert etag is not None
            assert await tables.read(table, "p", row_key) == StoredRow(expected, etag)
        assert len(await rows_of(services, table)) == 3

    run(azurite.connection_string, story)


@pytest.mark.conforms("S7.5-5")
@pytest.mark.parametrize(
    ("failing", "error", "text"),
    [
        (Insert(row("there")), RowExistsError, "the row 'there' of 'p' in .* exists"),
        (
            Merge(row("there", Name="mine"), "W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\""),
            RowChangedError,
            "changed",
        ),
        (
            Merge(row("missing"), "W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\""),
            RowChangedError,
            "'missing' .* gone",
        ),
        (Delete("p", "missing"), RowChangedError, "the row 'missing' of 'p' in .* is gone"),
        (Put(row("large", Name="x" * 32_769)), StorageError, "400 PropertyValueTooLarge"),
    ],
)
def test_one_step_that_fails_undoes_all(azurite: Azurite, failing: Step, error: type[Exception], text: str) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        await services.tables.create(table)
        await services.tables.insert(table, row("there", Name="first"))

        with pytest.raises(error, match=text):
            await services.tables.transact(table, [Put(row("1")), Put(row("2")), failing, Put(row("3"))])
        assert await rows_of(services, table) == [row("there", Name="first")]

    run(azurite.connection_string, story)


@pytest.mark.conforms("S7.5-3")
def test_a_hundred_rows_are_taken_and_more_are_refused_unsent(azurite: Azurite) -> None:
    table = fresh_name()
    steps = [Put(row(history_row_key(index), Name=f"it's {index}")) for index in range(101)]

    async def story(services: Services) -> None:
        await services.tables.create(table)
        with pytest.raises(ValueError, match="1 to 100 steps, not 101"):
            await services.tables.transact(table, steps)
        assert await rows_of(services, table) == []

        etags = await services.tables.transact(table, steps[:100])
        assert all(etags)
        assert await rows_of(services, table) == [step.row for step in steps[:100]]

    run(azurite.connection_string, story)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([], "1 to 100 steps, not 0"),
        ([Put(row("1")), Put({"PartitionKey": "q", "RowKey": "1"})], "of one partition"),
        ([Put(row("1")), Delete("p", "1")], "of different rows"),
    ],
)
def test_what_is_no_transaction_is_refused_unsent(azurite: Azurite, steps: Sequence[Step], text: str) -> None:
    async def story(services: Services) -> None:
        with pytest.raises(ValueError, match=text):
            await services.tables.transact(fresh_name(), steps)

    run(azurite.connection_string, story)


@pytest.mark.conforms("S7.5-3")
def test_four_mebibytes_are_taken_and_more_are_refused_unsent(azurite: Azurite) -> None:
    table = fresh_name()
    texts = dict.fromkeys(("Name", "Input", "Result", "Reason"), "中" * 10_000)

    def steps(count: int) -> list[Step]:
        return [Put(row(history_row_key(index), **texts)) for index in range(count)]

    async def story(services: Services) -> None:
        await services.tables.create(table)
        with pytest.raises(TransactionTooLargeError, match="a transaction of 35 rows has 42"):
            await services.tables.transact(table, steps(35))
        assert await rows_of(services, table) == []

        await services.tables.transact(table, steps(34))
        assert await rows_of(services, table) == [row(history_row_key(index), **texts) for index in range(34)]

    run(azurite.connection_string, story)


def test_a_row_whose_text_looks_like_a_part_of_a_transaction_is_stored_as_it_is(azurite: Azurite) -> None:
    table = fresh_name()
    text = "--changeset_steps\r\nHTTP/1.1 409 Conflict\r\nETag: x\r\n\r\n--batch_steps--\r\n{} GET http://a/b/c\u2028DELETE"

    async def story(services: Services) -> None:
        await services.tables.create(table)
        etags = await services.tables.transact(table, [Put(row("1", Name=text)), Insert(row("2", Name=text))])

        assert all(etag is not None and etag.startswith("W/") for etag in etags)
        assert await rows_of(services, table) == [row("1", Name=text), row("2", Name=text)]

    run(azurite.connection_string, story)
