"""What every payload store promises: the one in a folder, and the one in blob storage, on a real Azurite."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from durable_status import Offloaded, PayloadError, PayloadMissingError, PayloadStore
from durable_status.payloads.folder import FolderPayloadStore
from durable_status.payloads.upkeep import store_status

_NOON = datetime(2026, 1, 1, 12)
_IDS = ("i", "order-2024-06-01T12:00:00Z", "a%2Fb", "a^b", "x y", "é🎫", "q?r#s", "a/b", "@c@k", "..hidden", "n" * 200)


def name_at(minutes: float, text: str = '"x"') -> str:
    """The name of a status that is published so long after noon."""
    return Offloaded.of(text, _NOON + timedelta(minutes=minutes)).reference


@pytest.fixture(params=["folder", "blob"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PayloadStore]:
    """An empty store."""
    if request.param == "folder":
        yield FolderPayloadStore(tmp_path / "payloads")
        return
    from durable_status.payloads.blob import BlobPayloadStore

    hub = request.getfixturevalue("task_hub")
    with BlobPayloadStore(hub.name, settings=hub.settings) as made:
        yield made


@pytest.mark.parametrize("text", ['"x"', '{"é":"🎫"}', '"' + "z" * 1_000_000 + '"'], ids=["small", "unicode", "large"])
def test_what_is_put_is_got(store: PayloadStore, text: str) -> None:
    store.put("i", name_at(0), text)
    store.put("i", name_at(0), text)  # as an activity does that runs again

    assert store.get("i", name_at(0)) == text
    assert list(store.names("i")) == [name_at(0)]


def test_an_empty_store_has_nothing_and_says_what_may_be_the_cause(store: PayloadStore) -> None:
    assert list(store.names("i")) == []
    store.delete("i", [name_at(0)])
    with pytest.raises(PayloadMissingError, match=r"^The status of 'i' is gone from .* Was the instance purged, or"):
        store.get("i", name_at(0))

    store.put("i", name_at(0), '"x"')
    with pytest.raises(PayloadMissingError, match=name_at(1)):
        store.get("i", name_at(1))


@pytest.mark.parametrize("instance_id", _IDS)
def test_an_id_may_have_any_characters_and_no_instance_sees_anothers(store: PayloadStore, instance_id: str) -> None:
    for owner in (instance_id, instance_id + "q", instance_id[:-1] or "other"):
        store.put(owner, name_at(0), f'"of {owner}"')

    assert store.get(instance_id, name_at(0)) == f'"of {instance_id}"'
    assert list(store.names(instance_id)) == [name_at(0)]
    store.delete(instance_id, store.names(instance_id))
    assert list(store.names(instance_id)) == []
    assert store.get(instance_id + "q", name_at(0)) == f'"of {instance_id}q"'


def test_several_threads_use_it_at_once(store: PayloadStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.put("i", name_at(number), f'"{number}"'), range(16)))
        got = list(pool.map(lambda number: store.get("i", name_at(number)), range(16)))

    assert got == [f'"{number}"' for number in range(16)]


def test_older_statuses_go_when_nobody_can_come_back_for_them(store: PayloadStore) -> None:
    for minutes in (0, 1, 2):
        store_status(store, "i", name_at(minutes), '"x"')
    assert sorted(store.names("i")) == [name_at(0), name_at(1), name_at(2)]  # somebody may have read the reference

    store_status(store, "i", name_at(11.5), '"x"')
    assert sorted(store.names("i")) == [name_at(2), name_at(11.5)]

    store_status(store, "i", name_at(300), '"x"')
    assert sorted(store.names("i")) == [
        name_at(11.5),
        name_at(300),
    ]  # the one before is shown until the next checkpoint


def test_an_activity_that_runs_again_late_deletes_nothing_newer(store: PayloadStore) -> None:
    for minutes in (0, 60, 120):
        store.put("i", name_at(minutes), '"x"')
    for minutes in (0, 60):
        store_status(store, "i", name_at(minutes), '"x"')

    assert sorted(store.names("i")) == [name_at(0), name_at(60), name_at(120)]


def test_another_instance_keeps_its_statuses(store: PayloadStore) -> None:
    for instance_id in ("i", "ii", "i/i"):
        store_status(store, instance_id, name_at(0), '"x"')
        store_status(store, instance_id, name_at(1), '"x"')
    store_status(store, "i", name_at(100), '"x"')

    assert [len(list(store.names(instance_id))) for instance_id in ("i", "ii", "i/i")] == [2, 2, 2]


def test_a_status_that_is_stored_stays_so_when_older_ones_cannot_be_deleted(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    class Grudging(FolderPayloadStore):
        def delete(self, *_: Any) -> None:
            raise PayloadError("no permission")

    store = Grudging(tmp_path)
    for minutes in (0, 60, 120):
        store_status(store, "i", name_at(minutes), '"x"')

    assert len(list(store.names("i"))) == 3
    assert "Older statuses of 'i' stay where they are: no permission" in caplog.text


def test_a_file_that_something_else_wrote_is_refused(tmp_path: Path) -> None:
    store = FolderPayloadStore(tmp_path)
    store.put("i", name_at(0), '"x"')
    (file,) = tmp_path.rglob("*.json.gz")
    file.write_bytes(b"garbage")

    with pytest.raises(PayloadError, match="cannot be read: the blob is not gzipped text"):
        store.get("i", name_at(0))
