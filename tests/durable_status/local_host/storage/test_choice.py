from __future__ import annotations

import sys
from pathlib import Path

import pytest

from durable_status.app.host_settings import HostSettings
from durable_status.local_host.errors import StorageError
from durable_status.local_host.storage.choice import StorageChoice, StorageKind, parse_storage_choice
from durable_status.local_host.storage.memory import MemoryStorage
from durable_status.local_host.storage.sqlite import SqliteStorage
from tests.clock import ManualClock

_SETTINGS = HostSettings(
    hub_name="MyHub", max_concurrent_orchestrators=1, max_concurrent_activities=1, max_concurrent_entities=1
)


def test_the_three_ways_to_write_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    assert parse_storage_choice("memory") == StorageChoice(kind=StorageKind.MEMORY)
    assert parse_storage_choice("sqlite") == StorageChoice()
    assert parse_storage_choice("sqlite:/var/hub") == StorageChoice(path=Path("/var/hub"))
    assert parse_storage_choice("sqlite:data/hub") == StorageChoice(path=tmp_path / "data" / "hub")
    assert parse_storage_choice("sqlite:~/hub") == StorageChoice(path=tmp_path / "home" / "hub")
    assert parse_storage_choice("sqlite:C:/hub:1").path is not None


@pytest.mark.parametrize("text", ["", "redis", "Memory", "memory:", "memory:x", "sqlite:", " sqlite"])
def test_anything_else_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(StorageError) as refused:
        parse_storage_choice(text)

    assert str(refused.value) == f"there is no storage '{text}'; choose memory, sqlite, sqlite:PATH or azure."


def test_the_default_is_a_file_of_the_hub_in_the_apps_folder(tmp_path: Path) -> None:
    provider, name = StorageChoice().open_for(tmp_path, _SETTINGS, {}, ManualClock())

    assert isinstance(provider, SqliteStorage)
    assert name == str(tmp_path / ".durable-status" / "MyHub.sqlite3")
    assert list(tmp_path.iterdir()) == [], "nothing is made before the hub is opened"


def test_a_named_file_is_the_same_for_every_hub_and_memory_says_what_it_is(tmp_path: Path) -> None:
    _, name = StorageChoice(path=tmp_path / "hub").open_for(tmp_path / "app", _SETTINGS, {}, ManualClock())
    provider, memory = StorageChoice(kind=StorageKind.MEMORY).open_for(tmp_path, _SETTINGS, {}, ManualClock())

    assert name == str(tmp_path / "hub")
    assert isinstance(provider, MemoryStorage)
    assert memory == "memory (gone with the host)"


@pytest.mark.parametrize(
    ("choice", "folder"),
    [
        (StorageChoice(), ".durable-status/MyHub.payloads"),
        (StorageChoice(path=Path("/data/hub.sqlite3")), "/data/hub.payloads"),
        (StorageChoice(path=Path("/data/hub")), "/data/hub.payloads"),
    ],
    ids=["the app's own", "a file", "without a suffix"],
)
def test_offloaded_statuses_are_beside_the_file(tmp_path: Path, choice: StorageChoice, folder: str) -> None:
    with choice.payload_folder(tmp_path, _SETTINGS) as found:
        assert found == tmp_path / folder
    assert list(tmp_path.iterdir()) == []


def test_with_memory_they_are_in_a_folder_that_goes_and_with_azure_in_none(tmp_path: Path) -> None:
    with StorageChoice(kind=StorageKind.MEMORY).payload_folder(tmp_path, _SETTINGS) as found:
        assert found is not None
        assert found.is_dir()
    assert not found.exists()
    with StorageChoice(kind=StorageKind.AZURE).payload_folder(tmp_path, _SETTINGS) as none:
        assert none is None


def test_the_package_of_a_connection_by_identity_is_missed_before_the_host_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    settings = {"AzureWebJobsStorage__accountName": "orders"}

    with pytest.raises(StorageError) as refused:
        StorageChoice(kind=StorageKind.AZURE).open_for(tmp_path, _SETTINGS, settings, ManualClock())

    assert (
        str(refused.value) == "--storage azure needs the package azure.identity: pip install 'durable-status[azure]'."
    )
