"""Rows and their typed JSON."""

from __future__ import annotations

import pytest

from durable_status.task_hub.tables import read_row, row_json, short_time_text, time_text
from tests.durable_status.task_hub.recorded_hub import NAMES, as_put, history, instances


@pytest.mark.conforms("S2.2-1", "S3.2-1")
@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_row_is_written_as_it_was_read_types_included(name: str) -> None:
    rows = [*history(name), *instances(name)]

    assert rows
    for members, row in rows:
        assert row_json(row) == as_put(members)


@pytest.mark.conforms("S3.2-4")
@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("EventId", "3", "a 32-bit number"),
        ("EventId", True, "a 32-bit number"),
        ("TaskScheduledId", 2**31, "a 32-bit number"),
        ("IsPlayed", 1, "a truth"),
        ("_Timestamp", "yesterday", "a time"),
        ("CreatedTime", 5, "a time"),
        ("EventType", 4, "text"),
    ],
)
def test_a_column_of_the_wrong_type_is_refused_both_ways(column: str, value: str | int, expected: str) -> None:
    told = f"the column {column} holds {expected}, not {value!r}"

    with pytest.raises(ValueError, match=told):
        read_row({column: value})
    with pytest.raises(ValueError, match=told):
        row_json({column: value})


@pytest.mark.conforms("S3.2-3")
def test_columns_of_other_tools_are_no_error() -> None:
    members = {
        "RowKey": "",
        "Price@odata.type": "Edm.Double",
        "Price": 1.5,
        "Note": "kept",
        "Count": 7,
        "Nothing": None,
    }

    assert read_row(members) == {"RowKey": "", "Note": "kept", "Count": 7}


@pytest.mark.conforms("S3.2-5")
@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("2026-11-22T11:30:46Z", "2026-11-22T11:30:46.0000000Z"),
        ("2026-11-22T11:30:46.491776Z", "2026-11-22T11:30:46.4917760Z"),
        ("2026-11-22T11:30:46.0000001Z", "2026-11-22T11:30:46.0000001Z"),
        ("2026-11-22T11:30:40Z", "2026-11-22T11:30:40.0000000Z"),
    ],
)
def test_times_have_seven_digits_in_columns_and_no_more_than_needed_in_events(short: str, full: str) -> None:
    assert time_text(short) == full
    assert time_text(full) == full
    assert time_text(short.removesuffix("Z")) == full
    assert short_time_text(full) == short


@pytest.mark.parametrize("text", ["", "2026-11-22", "2026-11-22T11:30:46+01:00", "2026-11-22T11:30:46.12345678Z"])
def test_what_is_no_utc_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a UTC time"):
        time_text(text)
