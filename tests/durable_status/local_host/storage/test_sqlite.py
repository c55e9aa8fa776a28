from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage import sqlite_schema
from durable_status.local_host.storage.provider import InstanceFilter
from durable_status.local_host.storage.sqlite import SqliteStorage
from tests.clock import ManualClock
from tests.durable_status.local_host.storage.contract import DurableStorageContract, new_row, start_event


class TestSqliteStorage(DurableStorageContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self.path = tmp_path / "folder" / "hub.sqlite3"

    def make(self, clock: ManualClock) -> SqliteStorage:
        return SqliteStorage(self.path, clock)

    def test_a_second_host_on_the_file_is_refused(self) -> None:
        async def main() -> None:
            async with self.storage():
                with pytest.raises(StorageError, match="another host is running on"):
                    await self.make(ManualClock()).open()

        asyncio.run(main())

    def test_a_change_that_cannot_be_written_is_told_to_who_asked_and_harms_no_other(self) -> None:
        async def main() -> None:
            async with self.storage() as storage:
                row = new_row()
                bad = new_row("two", name="\ud800")  # no storage takes half a surrogate pair
                outcomes = await asyncio.gather(
                    storage.create_instance(row, start_event(row), replace_live=False),
                    storage.create_instance(bad, start_event(bad), replace_live=False),
                    return_exceptions=True,
                )
                page = await storage.list_instances(InstanceFilter(), after_id=None, limit=9)

                assert outcomes[0] is None
                assert isinstance(outcomes[1], StorageError)
                assert page.rows == [row]
                assert (await storage.next_orchestration()).instance_id == "one"

        asyncio.run(main())


def _content(path: Path) -> bytes:
    return path.read_bytes()


def _refusal(path: Path) -> str:
    with pytest.raises(StorageError) as refused:
        asyncio.run(SqliteStorage(path, ManualClock()).open())
    return str(refused.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    path.write_bytes(b"not a database at all, but some other file" * 50)
    before = _content(path)

    assert "file is not a database" in _refusal(path)
    assert _content(path) == before


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    _make_file(path, versions=2)
    whole = _content(path)
    path.write_bytes(whole[:1024] + b"\xff" * (len(whole) - 1024))

    assert "cannot be used as a task hub" in _refusal(path)


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    before = _content(path)

    assert "is a database of something else" in _refusal(path)
    assert _content(path) == before


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    _make_file(path, versions=2)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = _content(path)

    assert "newer durable-status (format 99; this one knows 2)" in _refusal(path)
    assert _content(path) == before


def test_a_file_of_an_older_version_is_migrated_and_keeps_its_instances(tmp_path: Path) -> None:
    path = tmp_path / "hub.sqlite3"
    _make_file(path, versions=1)

    async def main() -> None:
        storage = SqliteStorage(path, ManualClock())
        await storage.open()
        try:
            row = await storage.read_instance("kept")
            assert row is not None
            assert row.custom_status == '"here"'
        finally:
            await storage.close()

    asyncio.run(main())
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    assert version == 2


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    assert _refusal(tmp_path / "file" / "hub.sqlite3").endswith(f"cannot be used: {tmp_path}/file is not a folder.")


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that takes no new files")
def test_a_folder_that_takes_no_file_is_not_mistaken_for_a_running_host() -> None:
    assert "another host" not in _refusal(Path("/proc/self/hub"))


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be used as a task hub: unable to open database file" in _refusal(tmp_path)


def _make_file(path: Path, *, versions: int) -> None:
    """A file as the version of that number left it, with one instance."""
    connection = sqlite3.connect(path)
    connection.executescript("".join(sqlite_schema._MIGRATIONS[:versions]))
    connection.execute(f"PRAGMA application_id = {sqlite_schema._APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {versions}")
    connection.execute(
        "INSERT INTO instances VALUES ('kept', 'e1', 'Main', '', NULL, 'Running', '\"here\"', NULL, 1, 2, NULL, 0)"
    )
    connection.commit()
    connection.close()
