"""Rows in the tables of a storage account (storage.md §2, §3, §5).

Rows are `durable_status.task_hub.tables.Row`. Every request is tried again when its answer is lost, so a condition may
fail because of the request itself: `ConditionError.after_retry` says that this can be, and the caller reads back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.azure_storage.batch import (
    CONTENT_TYPE,
    Delete,
    Insert,
    Merge,
    Put,
    Step,
    StepFailure,
    decode,
    encode,
    keys_of,
    row_body,
    row_path,
)
from durable_status.local_host.storage.azure_storage.endpoint import Endpoint
from durable_status.local_host.storage.azure_storage.errors import (
    ConditionError,
    RowChangedError,
    RowDamagedError,
    RowExistsError,
    TableMissingError,
)
from durable_status.local_host.storage.azure_storage.refusals import Answer
from durable_status.task_hub.tables import Row, read_row

__all__ = ["Delete", "Insert", "Merge", "Page", "Put", "Step", "StoredRow", "Tables", "Token"]

_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json;odata=minimalmetadata",
    "DataServiceVersion": "3.0",
    "Prefer": "return-no-content",
}
_ETAG = "odata.etag"
_NEXT = "x-ms-continuation-Next"
_CONDITIONS = (404, 409, 412)


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as it was at `etag`."""

    row: Row
    etag: str


@dataclass(frozen=True, slots=True)
class Token:
    """Where a query goes on: the keys as the service names them, which are not those of a row."""

    partition_key: str
    row_key: str


@dataclass(frozen=True, slots=True)
class Page:
    """What one request of a query found. With a token there may be more, even if the page is empty."""

    rows: list[StoredRow]
    token: Token | None


class Tables:
    """The tables of an account.

    Every method raises `StorageError` if the service cannot be used, and `TableMissingError` if the table is missing;
    those that read, `RowDamagedError` for a row that is not one of a hub.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    async def create(self, table: str) -> None:
        """Create a table, if it is not there."""
        body = json.dumps({"TableName": table}).encode()
        answer = await self._endpoint.send("POST", "/Tables", headers=_HEADERS, body=body)
        if answer.status >= 400 and answer.status != 409:
            raise self._endpoint.refusal(answer, table)

    async def exists(self, table: str) -> bool:
        """Whether there is such a table."""
        answer = await self._endpoint.send("GET", f"/Tables('{table}')", headers=_HEADERS)
        if answer.status == 404:
            return False
        self._check(answer, table)
        return True

    async def insert(self, table: str, row: Row) -> str:
        """Insert a row, and return its ETag.

        Raises:
            RowExistsError: there is a row of these keys.
        """
        answer = await self._endpoint.send("POST", f"/{table}", headers=_HEADERS, body=row_body(row))
        return self._etag(answer, table, row)

    async def replace(self, table: str, row: Row, *, etag: str) -> str:
        """Replace a row that is as it was at `etag`, and return its new ETag.

        Raises:
            RowChangedError: it is not as it was, or gone.
        """
        return self._etag(await self._write("PUT", table, row, etag), table, row)

    async def merge(self, table: str, row: Row) -> str:
        """Change some columns of a row, or insert it; return its ETag."""
        return self._etag(await self._write("PATCH", table, row, None), table, row)

    async def update(self, table: str, row: Row) -> None:
        """Change some columns of a row that is there, however it is.

        Raises:
            RowChangedError: it is not there.
        """
        self._etag(await self._write("PATCH", table, row, "*"), table, row)

    async def delete(self, table: str, partition_key: str, row_key: str) -> bool:
        """Delete a row, however it is; whether it was there.

        If the answer to a first try was lost, False may mean that this try deleted it.
        """
        headers = {**_HEADERS, "If-Match": "*"}
        answer = await self._endpoint.send("DELETE", row_path(table, partition_key, row_key), headers=headers)
        if answer.status == 404 and answer.code != "TableNotFound":
            return False
        self._check(answer, table)
        return True

    async def read(self, table: str, partition_key: str, row_key: str) -> StoredRow | None:
        """A row, or None."""
        answer = await self._endpoint.send("GET", row_path(table, partition_key, row_key), headers=_HEADERS)
        if answer.status == 404 and answer.code != "TableNotFound":
            return None
        self._check(answer, table)
        return self._stored(json.loads(answer.body))

    async def query(
        self,
        table: str,
        filter: str,
        *,
        select: Sequence[str] = (),
        limit: int | None = None,
        token: Token | None = None,
    ) -> Page:
        """One page of the rows that fit `filter` (OData; empty for all), in the order of their keys.

        Args:
            select: the columns that are wanted; empty for all.
            limit: how many rows to answer at most; the service answers 1,000 at most.
            token: where the page before ended.
        """
        query = {"$filter": filter, "$select": ",".join(select), "$top": "" if limit is None else str(limit)}
        if token is not None:
            query |= {"NextPartitionKey": token.partition_key, "NextRowKey": token.row_key}
        sent = {name: value for name, value in query.items() if value}
        answer = await self._endpoint.send("GET", f"/{table}()", query=sent, headers=_HEADERS)
        self._check(answer, table)
        rows = [self._stored(members) for members in json.loads(answer.body)["value"]]
        next_partition_key = answer.headers.get(f"{_NEXT}PartitionKey")
        if not next_partition_key:
            return Page(rows, None)
        return Page(rows, Token(next_partition_key, answer.headers.get(f"{_NEXT}RowKey", "")))

    async def transact(self, table: str, steps: Sequence[Step]) -> list[str | None]:
        """Do all steps or none; the rows' new ETags, None where one was deleted.

        There are 1 to 100 steps, of different rows in one partition.

        Raises:
            RowExistsError: a row to insert exists.
            RowChangedError: a row to merge is not as it was, or a row to merge or delete is gone.
            TransactionTooLargeError: the steps are larger than 4 MiB together; nothing was sent.
            ValueError: the steps make no transaction; nothing was sent.
        """
        body = encode(self._endpoint.url, table, steps)
        headers = {"Content-Type": f"{CONTENT_TYPE}", "Accept": "application/json", "DataServiceVersion": "3.0"}
        answer = await self._endpoint.send("POST", "/$batch", headers=headers, body=body)
        self._check(answer, table)
        etags = decode(answer.body, len(steps))
        if isinstance(etags, StepFailure):
            raise self._step_error(answer, table, steps, etags)
        return etags

    async def _write(self, method: str, table: str, row: Row, etag: str | None) -> Answer:
        headers = _HEADERS if etag is None else {**_HEADERS, "If-Match": etag}
        path = row_path(table, str(row["PartitionKey"]), str(row["RowKey"]))
        return await self._endpoint.send(method, path, headers=headers, body=row_body(row))

    def _etag(self, answer: Answer, table: str, row: Row) -> str:
        if answer.status in _CONDITIONS and answer.code != "TableNotFound":
            raise _condition_error(answer.status, table, row["PartitionKey"], row["RowKey"], answer.after_retry)
        self._check(answer, table)
        return answer.headers["ETag"]

    def _step_error(self, answer: Answer, table: str, steps: Sequence[Step], failure: StepFailure) -> StorageError:
        if answer.code == "TableNotFound":
            return TableMissingError(f"there is no table {table} in {self._endpoint.label}.")
        if failure.status not in _CONDITIONS:
            return self._endpoint.refusal(replace(answer, status=failure.status), table)
        keys = keys_of(steps[min(failure.index, len(steps) - 1)])
        return _condition_error(failure.status, table, *keys, answer.after_retry)

    def _check(self, answer: Answer, table: str) -> None:
        if answer.status < 400:
            return
        if answer.status == 404:
            raise TableMissingError(f"there is no table {table} in {self._endpoint.label}.")
        raise self._endpoint.refusal(answer, table)

    def _stored(self, members: Mapping[str, Any]) -> StoredRow:
        try:
            return StoredRow(read_row(members), members[_ETAG])
        except ValueError as error:
            raise RowDamagedError(str(error)) from error


def _condition_error(status: int, table: str, partition_key: Any, row_key: Any, after_retry: bool) -> ConditionError:
    row = f"the row '{row_key}' of '{partition_key}' in {table}"
    if status == 409:
        return RowExistsError(f"{row} exists.", after_retry=after_retry)
    return RowChangedError(f"{row} {'is gone' if status == 404 else 'has been changed'}.", after_retry=after_retry)
