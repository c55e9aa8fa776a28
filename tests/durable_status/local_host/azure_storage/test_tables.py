"""`azure_storage.tables`: rows one by one and by query, on Azurite."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.errors import (
    RowChangedError,
    RowExistsError,
    TableMissingError,
)
from durable_status.local_host.storage.azure_storage.services import Services
from durable_status.local_host.storage.azure_storage.tables import Put, StoredRow
from durable_status.task_hub.names import escape_key
from durable_status.task_hub.tables import Row
from durable_status.testing.azurite import Azurite
from tests.durable_status.local_host.azure_storage.accounts import fresh_name, run

TABLE = fresh_name()
ODD_KEYS = [
    "it's",
    "''",
    "^^ ^0 ^É",
    "é中😀",
    "a b+c%2Fd",
    "@name@key",
    "&;:,=<>{}()[]|~`$!*.-_",
    '"',
    "PartitionKey='x',",
]


def row(partition_key: str = "p", row_key: str = "", **columns: str | int | bool) -> Row:
    return {"PartitionKey": partition_key, "RowKey": row_key, **columns}


def test_a_table_is_made_once_and_then_there(azurite: Azurite) -> None:
    name = fresh_name()

    async def story(services: Services) -> None:
        before = await services.tables.exists(name)
        await services.tables.create(name)
        await services.tables.create(name)

        assert before is False
        assert await services.tables.exists(name) is True

    run(azurite.connection_string, story)


def test_a_missing_table_is_told_by_every_method(azurite: Azurite) -> None:
    name = fresh_name()

    async def story(services: Services) -> None:
        tables = services.tables
        for call in (
            tables.insert(name, row()),
            tables.replace(name, row(), etag="*"),
            tables.merge(name, row()),
            tables.update(name, row()),
            tables.delete(name, "p", ""),
            tables.read(name, "p", ""),
            tables.query(name, ""),
            tables.transact(name, [Put(row())]),
        ):
            with pytest.raises(TableMissingError, match=f"there is no table {name} in the table service at http"):
                await call

    run(azurite.connection_string, story)


def test_a_row_is_read_as_it_was_inserted(azurite: Azurite) -> None:
    stored = row(
        row_key="0000000000000000",
        EventType="TimerCreated",
        EventId=-1,
        IsPlayed=False,
        FireAt="2026-01-02T03:04:05.1234567Z",
        Name="",
        CustomStatus='{"quote":"\\"","lines":"\r\n\u2028\u0085\x00"}',
    )

    async def story(services: Services) -> None:
        await services.tables.create(TABLE)
        etag = await services.tables.insert(TABLE, stored)

        assert await services.tables.read(TABLE, "p", "0000000000000000") == StoredRow(stored, etag)

    run(azurite.connection_string, story)


@pytest.mark.conforms("S7.5-1")
@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_escaped_key_is_found_again(azurite: Azurite, key: str) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        tables = services.tables
        await tables.create(table)
        await tables.insert(table, row(key, "", Name="inserted"))
        await tables.merge(table, row(key, key, Name="merged"))
        await tables.transact(table, [Put(row(key, "0", Name="put"))])

        for row_key, name in (("", "inserted"), (key, "merged"), ("0", "put")):
            found = await tables.read(table, key, row_key)
            assert found is not None
            assert found.row == row(key, row_key, Name=name)
        quoted = key.replace("'", "''")
        page = await tables.query(table, f"PartitionKey eq '{quoted}'")
        assert sorted(str(stored.row["Name"]) for stored in page.rows) == ["inserted", "merged", "put"]
        assert await tables.delete(table, key, key) is True

    run(azurite.connection_string, story)


_texts = st.text(max_size=40).map(lambda text: text.encode("utf-16", "replace").decode("utf-16"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_texts, _texts, st.integers(-(2**31), 2**31 - 1), st.booleans())
@example("\x00\x1f\x7f\x9f/\\#?'", "\ud83d", -(2**31), True)
def test_any_row_comes_back(azurite: Azurite, instance_id: str, text: str, number: int, truth: bool) -> None:
    key = escape_key(instance_id)
    stored = row(key, key, Name=text, EventId=number, IsPlayed=truth)
    put = row(key, "put", Name=text, EventId=number, IsPlayed=truth)

    async def story(services: Services) -> None:
        await services.tables.create(TABLE)
        await services.tables.merge(TABLE, stored)
        await services.tables.transact(TABLE, [Put(put)])
        for expected in (stored, put):
            found = await services.tables.read(TABLE, key, str(expected["RowKey"]))

            assert found is not None
            # Half a surrogate pair becomes U+FFFD, as on the platform.
            assert found.row == expected | {"Name": text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")}

    run(azurite.connection_string, story)


def test_a_row_that_exists_is_not_inserted(azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        await services.tables.create(table)
        etag = await services.tables.insert(table, row(Name="first"))

        with pytest.raises(RowExistsError, match="the row '' of 'p' in") as refused:
            await services.tables.insert(table, row(Name="second"))
        assert refused.value.after_retry is False
        assert await services.tables.read(table, "p", "") == StoredRow(row(Name="first"), etag)

    run(azurite.connection_string, story)


def test_replacing_takes_the_place_of_all_columns_while_the_etag_is_the_rows(azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        tables = services.tables
        await tables.create(table)
        first = await tables.insert(table, row(Name="first", Output="x"))
        second = await tables.replace(table, row(Name="second"), etag=first)

        assert await tables.read(table, "p", "") == StoredRow(row(Name="second"), second)
        with pytest.raises(RowChangedError, match="has been changed"):
            await tables.replace(table, row(Name="third"), etag=first)
        assert await tables.read(table, "p", "") == StoredRow(row(Name="second"), second)
        with pytest.raises(RowChangedError, match="is gone"):
            await tables.replace(table, row("other"), etag=second)

    run(azurite.connection_string, story)


def test_merging_keeps_the_other_columns_and_inserts_what_is_missing(azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        tables = services.tables
        await tables.create(table)
        await tables.merge(table, row(Name="first", Version="1"))
        etag = await tables.merge(table, row(Name="second", CustomStatus="null"))

        found = await tables.read(table, "p", "")
        assert found == StoredRow(row(Name="second", Version="1", CustomStatus="null"), etag)

    run(azurite.connection_string, story)


def test_updating_changes_only_a_row_that_is_there(azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        tables = services.tables
        await tables.create(table)
        with pytest.raises(RowChangedError, match="is gone"):
            await tables.update(table, row(Name="first"))
        assert await tables.read(table, "p", "") is None

        await tables.insert(table, row(Name="first", Version="1"))
        await tables.update(table, row(Name="second"))
        found = await tables.read(table, "p", "")
        assert found is not None
        assert found.row == row(Name="second", Version="1")

    run(azurite.connection_string, story)


def test_deleting_says_whether_there_was_a_row(azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        await services.tables.create(table)
        await services.tables.insert(table, row())

        assert await services.tables.delete(table, "p", "") is True
        assert await services.tables.delete(table, "p", "") is False
        assert await services.tables.read(table, "p", "") is None

    run(azurite.connection_string, story)


def test_a_query_pages_through_all_rows_in_the_order_of_their_keys(azurite: Azurite) -> None:
    table = fresh_name()
    keys = [("a", ""), ("a", "0"), ("a", "it's"), ("a'b", ""), (escape_key("b/c"), ""), ("é", "é"), ("中", "")]

    async def story(services: Services) -> None:
        tables = services.tables
        await tables.create(table)
        for partition_key, row_key in keys:
            await tables.insert(table, row(partition_key, row_key))
        pages = [await tables.query(table, "", limit=2)]
        while pages[-1].token is not None:
            pages.append(await tables.query(table, "", limit=2, token=pages[-1].token))

        assert [len(page.rows) for page in pages] == [2, 2, 2, 1]
        assert [stored.row for page in pages for stored in page.rows] == [row(*pair) for pair in keys]

    run(azurite.connection_string, story)


def test_a_query_answers_the_wanted_columns_of_the_rows_that_fit(azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        tables = services.tables
        await tables.create(table)
        await tables.insert(table, row("a", "", Name="A & B", RuntimeStatus="Running", Input="large"))
        etag = await tables.insert(table, row("b", "", Name="x y", RuntimeStatus="Failed", Input="large"))
        page = await tables.query(table, "RuntimeStatus eq 'Failed' or Name eq 'x&y'", select=["Name", "RuntimeStatus"])

        assert page.rows == [StoredRow({"Name": "x y", "RuntimeStatus": "Failed"}, etag)]
        assert page.token is None

    run(azurite.connection_string, story)


@pytest.mark.conforms("S7.5-2")
def test_a_text_above_64_kib_is_refused_and_nothing_is_stored(azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        await services.tables.create(table)
        await services.tables.insert(table, row("fits", "", CustomStatus="中" * 32_768))
        found = await services.tables.read(table, "fits", "")
        assert found is not None
        assert found.row["CustomStatus"] == "中" * 32_768

        with pytest.raises(StorageError, match=f"refused a request on {table}: 400 PropertyValueTooLarge"):
            await services.tables.insert(table, row("large", "", CustomStatus="a" * 32_769))
        assert await services.tables.read(table, "large", "") is None

    run(azurite.connection_string, story)


def test_a_column_of_the_wrong_type_is_refused_before_anything_is_sent(azurite: Azurite) -> None:
    async def story(services: Services) -> None:
        with pytest.raises(ValueError, match="the column EventId holds a 32-bit number"):
            await services.tables.merge(fresh_name(), row(EventId="1"))

    run(azurite.connection_string, story)


def test_a_bad_filter_is_refused_with_the_services_reason(azurite: Azurite) -> None:
    table = fresh_name()

    async def story(services: Services) -> None:
        await services.tables.create(table)

        with pytest.raises(StorageError, match=f"refused a request on {table}: 400 InvalidInput"):
            await services.tables.query(table, "nonsense (")

    run(azurite.connection_string, story)


def test_a_name_that_no_table_can_have_is_refused(azurite: Azurite) -> None:
    async def story(services: Services) -> None:
        with pytest.raises(StorageError, match="refused a request on x: 400"):
            await services.tables.create("x")

    run(azurite.connection_string, story)
