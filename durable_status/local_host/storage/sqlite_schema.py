"""The SQLite file's format, its versions, and the check that a file is one of ours."""

from __future__ import annotations

import sqlite3

from durable_status.local_host.errors import StorageError

_APPLICATION_ID = 0x44537461  # "DSta": tells our files from other databases

_MIGRATIONS = (
    """
    CREATE TABLE instances (
        instance_id TEXT PRIMARY KEY,
        execution_id TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        input TEXT,
        runtime_status TEXT NOT NULL,
        custom_status TEXT,
        output TEXT,
        created_time INTEGER NOT NULL,
        last_updated_time INTEGER NOT NULL,
        completed_time INTEGER,
        generation INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE history (
        instance_id TEXT NOT NULL,
        position INTEGER NOT NULL,
        event TEXT NOT NULL,
        PRIMARY KEY (instance_id, position)
    ) WITHOUT ROWID;
    CREATE TABLE messages (
        number INTEGER PRIMARY KEY,
        instance_id TEXT NOT NULL,
        execution_id TEXT,
        due INTEGER NOT NULL,
        event TEXT NOT NULL
    );
    CREATE TABLE activities (
        number INTEGER PRIMARY KEY,
        instance_id TEXT NOT NULL,
        execution_id TEXT NOT NULL,
        task_id INTEGER NOT NULL,
        name TEXT NOT NULL,
        input TEXT NOT NULL
    );
    """,
    # Lists and purges by time would read every row otherwise.
    "CREATE INDEX instances_by_created_time ON instances (created_time);",
)
"""What leads from each version to the next; version n is after the first n. Never change one that was released."""


def bring_up_to_date(connection: sqlite3.Connection, path: str) -> None:
    """Create the tables in an empty file, or migrate an older one; rows stay.

    Raises:
        StorageError: the file belongs to something else or to a newer version; it is not changed.
    """
    version = _checked_version(connection, path)
    for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
        mark = f"PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {number};"
        connection.executescript(f"BEGIN IMMEDIATE; {script} {mark} COMMIT;")


def _checked_version(connection: sqlite3.Connection, path: str) -> int:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application_id != _APPLICATION_ID and (application_id or version or tables):
        raise StorageError(f"{path} is a database of something else; choose another file with --storage sqlite:PATH.")
    if version > len(_MIGRATIONS):
        raise StorageError(
            f"{path} was written by a newer durable-status (format {version}; this one knows {len(_MIGRATIONS)}); "
            "update durable-status, or choose another file with --storage sqlite:PATH."
        )
    return int(version)
