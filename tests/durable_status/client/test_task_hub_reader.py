"""The readers of a task hub, on the recorded hub of the durable extension in Azurite."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from durable_status.errors import InstanceNotFoundError, RefusedError, StatusDecodeError
from durable_status.instance_status import InstanceStatus, RuntimeStatus
from durable_status.testing.azurite import Azurite
from durable_status.testing.bench import DurableBench
from durable_status.testing.recorded import histories_in
from tests.durable_status.client.hub_readers import KINDS, HubReads
from tests.paths import APPS
from tests.recorded_hubs import LATEST, SNAPSHOTS, WAITING, put_hub, rebuilt, recording

_LARGE = ["g-large-31000", "g-large-70000"]
_LATE = ["g-actinput", "g-canceltimer", "g-status16k", "g-timer"]
_FINISHED, _WAITING = "FinishedHub", "WaitingHub"
_HUBS = {_FINISHED: LATEST, _WAITING: WAITING}
_PLACES = [(hub, name) for hub, names in _HUBS.items() for name in names]


@pytest.fixture(scope="module", params=KINDS)
def reads(request: pytest.FixtureRequest, hubs: str) -> Callable[[str], HubReads]:
    """Reads of a hub, by its name."""
    return lambda hub=_FINISHED: HubReads(request.param, hubs, hub)


@pytest.fixture(scope="module")
def hubs(azurite: Azurite) -> str:
    """The recorded hub twice: as it ended, and while some instances waited."""
    for hub, names in _HUBS.items():
        put_hub(azurite.connection_string, names, hub=hub)
    return azurite.connection_string


def _value(text: str | None) -> Any:
    """What a stored text says: JSON, or a reason as it is."""
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _told(row: Mapping[str, Any], column: str, blobs: Mapping[str, str]) -> Any:
    text = row.get(column)
    return _value(blobs[text.split("-largemessages/")[1]] if str(text).endswith(".json.gz") else text)


def _documents(hub: str) -> list[dict[str, Any]]:
    """The status documents that the recorded rows call for, in the order of the table."""
    found = []
    for name in _HUBS[hub]:
        document = recording(name)
        blobs = {blob["name"]: text for blob in document["blobs"] if (text := rebuilt(blob)) is not None}
        for row in document["instances"]:
            has_ended = row["RuntimeStatus"] not in ("Running", "Suspended")
            found.append(
                {
                    "name": row["Name"],
                    "instanceId": row["PartitionKey"],
                    "runtimeStatus": row["RuntimeStatus"],
                    "input": _told(row, "Input", blobs),
                    "customStatus": _value(row["CustomStatus"]),
                    "output": _told(row, "Output", blobs) if has_ended else None,
                    "createdTime": row["CreatedTime"][:19] + "Z",
                    "lastUpdatedTime": row["LastUpdatedTime"][:19] + "Z",
                }
            )
    instances = [document for document in found if not document["instanceId"].startswith("@")]
    return sorted(instances, key=lambda document: document["instanceId"])


def _ids(statuses: list[InstanceStatus[Any]]) -> list[str]:
    return [status.instance_id for status in statuses]


@pytest.mark.conforms("S2.6-2", "S5-1")
@pytest.mark.parametrize("hub", _HUBS)
def test_every_recorded_instance_reads_as_its_row_says(reads: Callable[[str], HubReads], hub: str) -> None:
    for document in _documents(hub):
        status = reads(hub).get_status(document["instanceId"], Any, show_input=True)

        assert status.to_document() == document


@pytest.mark.conforms("S5-2", "S5-3")
@pytest.mark.parametrize("page_size", [1, 3, 1000])
def test_a_list_has_all_instances_in_order_whatever_the_size_of_its_pages(
    reads: Callable[[str], HubReads], page_size: int
) -> None:
    listed = reads(_FINISHED).list_statuses(Any, show_input=True, show_output=True, page_size=page_size)

    assert [status.to_document() for status in listed] == _documents(_FINISHED)


def test_inputs_and_in_lists_outputs_are_not_read_unless_asked_for(reads: Callable[[str], HubReads]) -> None:
    listed = {status.instance_id: status for status in reads(_FINISHED).list_statuses(Any)}

    assert {(status.input, status.output) for status in listed.values()} == {(None, None)}
    one = reads(_FINISHED).get_status("g-hello", Any)
    assert (one.input, one.output) == (None, ["Hello Tokyo!", "Hello Seattle!", "Hello London!"])
    assert reads(_FINISHED).get_status("g-hello", Any, show_output=False).output is None


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({"runtime_status": [RuntimeStatus.FAILED]}, ["g-fail", "g-fail-activity"]),
        ({"runtime_status": [RuntimeStatus.TERMINATED, RuntimeStatus.RUNNING]}, ["g-status16k", "g-term"]),
        ({"instance_id_prefix": "g-large"}, _LARGE),
        ({"instance_id_prefix": "g-fail", "runtime_status": [RuntimeStatus.COMPLETED]}, []),
        ({"instance_id_prefix": "@"}, []),
        ({"instance_id_prefix": "G"}, []),
        ({"instance_id_prefix": "o'clock"}, []),
        ({"created_from": datetime(2026, 11, 22, 11, 31, 4, tzinfo=UTC)}, _LATE),
        ({"created_from": datetime(2026, 11, 22, 13, 31, 8, tzinfo=timezone(timedelta(hours=2)))}, ["g-canceltimer"]),
        ({"created_to": datetime(2026, 11, 22, 11, 30, 46, 500_000, tzinfo=UTC)}, ["g-hello"]),
        ({"created_from": datetime.max.replace(tzinfo=UTC)}, []),
        ({"where": lambda status: status.custom_status == {"child": True}}, ["cf0451e89bb1466b804e09345709c46b:0"]),
        ({"where": lambda status: status.custom_status is None, "instance_id_prefix": "g-l"}, _LARGE),
    ],
)
@pytest.mark.conforms("S5-2")
def test_a_list_is_filtered(reads: Callable[[str], HubReads], filters: Mapping[str, Any], ids: list[str]) -> None:
    assert _ids(reads(_FINISHED).list_statuses(Any, **filters)) == ids


def test_any_time_that_there_is_can_be_a_bound(reads: Callable[[str], HubReads]) -> None:
    everything = {"created_from": datetime.min.replace(tzinfo=UTC), "created_to": datetime(9999, 12, 31, tzinfo=UTC)}

    assert len(reads(_FINISHED).list_statuses(Any, **everything)) == len(_documents(_FINISHED))


@pytest.mark.conforms("S2.4-2", "S5-5")
@pytest.mark.parametrize(("hub", "name"), _PLACES)
def test_a_history_is_that_of_the_recording_and_replays(reads: Callable[[str], HubReads], hub: str, name: str) -> None:
    document = recording(name)
    texts = {blob["name"]: rebuilt(blob) for blob in document["blobs"]}
    for row in document["history"]:
        for column in [column for column in row if column.endswith("BlobName")]:
            row[column.removesuffix("BlobName")] = texts[row[column]]
    rows = [{column: row[column] for column in row if not column.endswith("BlobName")} for row in document["history"]]
    bench = DurableBench.of_folder(APPS / "recorded", extension="2.13")

    for recorded in histories_in(rows):
        found = reads(hub).get_history(recorded.instance_id)

        (history,) = histories_in(json.loads(json.dumps(found)))
        assert (history.instance_id, history.events) == (recorded.instance_id, recorded.events)
        bench.check_replay(found)


def test_a_type_is_that_of_the_custom_status(reads: Callable[[str], HubReads]) -> None:
    (hello,) = reads(_FINISHED).list_statuses(str, where=lambda status: status.instance_id == "g-hello")
    term = reads(_FINISHED).get_status("g-term", str)

    assert hello.custom_status == "London"
    with pytest.raises(StatusDecodeError):
        _ = term.custom_status
    assert term.custom_status_json == {"s": 1}


def test_a_suspended_instance_shows_no_output_and_a_waiting_one_its_status(reads: Callable[[str], HubReads]) -> None:
    suspended = reads(_WAITING).get_status("g-susp", Any)

    assert (suspended.runtime_status, suspended.output) == (RuntimeStatus.SUSPENDED, None)
    assert reads(_WAITING).get_status("g-wait", Any).custom_status == {"progress": 50, "text": "héllo"}
    assert len(SNAPSHOTS) == len(WAITING) - 1


def test_who_is_not_there_is_an_error_and_an_entity_is_refused(reads: Callable[[str], HubReads]) -> None:
    for verb in ("get_status", "watch"):
        with pytest.raises(InstanceNotFoundError, match="'g-hell'"):
            getattr(reads(_FINISHED), verb)("g-hell", Any)
    with pytest.raises(InstanceNotFoundError):
        reads(_FINISHED).get_history("g-hell")
    with pytest.raises(RefusedError, match="is an entity"):
        reads(_FINISHED).get_status("@counter@one", Any)
    with pytest.raises(RefusedError, match="no instance id"):
        reads(_FINISHED).get_history("")
    with pytest.raises(RefusedError, match="time zone"):
        reads(_FINISHED).list_statuses(Any, created_from=datetime(2026, 1, 1))
