"""How the management API reads a query string."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from durable_status.local_host.management.query import Query
from durable_status.local_host.management.refusal import Refusal
from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.ticks import Ticks, format_ticks
from tests.zones import time_zone


@pytest.mark.conforms("H1.0-9", "H1.0-10", "H1.0-11")
def test_query_names_are_in_any_case_and_values_are_form_decoded() -> None:
    query = Query("REASON=a+b&reason=%63&showHistory&x=1;y=2&%74op=%205%20")

    assert query.text("reason") == "a b,c"
    assert query.text("showHistory") is None
    assert query.text("y") is None
    assert query.integer("top") == 5


@pytest.mark.conforms("H1.0-12", "H1.0-13")
@pytest.mark.parametrize(
    ("text", "truth", "number"),
    [
        ("TRUE", True, None),
        ("%20false+", False, None),
        ("1", None, 1),
        ("no", None, None),
        ("%22true%22", None, None),
        ("1.5", None, None),
        ("-3", None, -3),
        ("1_0", None, None),
        ("99999999999", None, None),
        ("00000000000007", None, 7),
    ],
)
def test_booleans_and_whole_numbers_that_do_not_parse_are_absent(
    text: str, truth: bool | None, number: int | None
) -> None:
    query = Query(f"x={text}")

    assert query.truth("x", default=True) is (True if truth is None else truth)
    assert query.truth("x", default=False) is (False if truth is None else truth)
    assert query.integer("x") == number
    assert Query("x=true&x=true").truth("x", default=False) is False


@pytest.mark.conforms("H1.0-14")
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-02", "2024-01-02T05:00:00Z"),
        ("2024-01-02T03:04:05", "2024-01-02T08:04:05Z"),
        ("2024-01-02T03:04:05.1234567Z", "2024-01-02T03:04:05.1234567Z"),
        ("2024-01-02T03:04:05%2B05:00", "2024-01-01T22:04:05Z"),
        ("01/02/2024", "2024-01-02T05:00:00Z"),
        ("Tue,+02+Jan+2024+03:04:05+GMT", "2024-01-02T03:04:05Z"),
        ("2024-01", "2024-01-01T05:00:00Z"),
        ("2024-1-2+3:4", "2024-01-02T08:04:00Z"),
        ("2024/01/02+03:04:05Z", "2024-01-02T03:04:05Z"),
        ("1-2-2024", "2024-01-02T05:00:00Z"),
        ("01/02/2024+12:30:00+am", "2024-01-02T05:30:00Z"),
        ("01/02/2024+1:30+PM", "2024-01-02T18:30:00Z"),
        ("2+January+2024", "2024-01-02T05:00:00Z"),
        ("jan+2,+2024+03:04+GMT", "2024-01-02T03:04:00Z"),
        ("January+2024", "2024-01-01T05:00:00Z"),
        ("2024-01-02T03:04:05.12345678Z", "2024-01-02T03:04:05.1234568Z"),
        ("2024-01-02T03:04:05-0130", "2024-01-02T04:34:05Z"),
        ("0999-01-02T00:00:00Z", "0999-01-02T00:00:00Z"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ("1704164645", None),
        ("20240102", None),
        ("2024", None),
        ("2024-13-01", None),
        ("13/02/2024", None),
        ("2024-01-02T03:04:05+05:00", None),  # the plus is a blank
        ("2024-01-02+XYZ", None),
        ("yesterday", None),
        ("1-01-01T00:00:00.000000Z", None),  # what Python makes of datetime.min
        ("24-01-02T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("2024-02-30", None),
        ("2024-01-02T25:00:00Z", None),
        ("2024-01-02T23:59:60Z", None),
        ("01/02/2024+13:00+PM", None),
        ("2024-01-02T03:04:05+CET", None),
        ("2024-01-02T03:04:05%2B15:00", None),
        ("Mon,+02+Jan+2024+03:04:05+GMT", None),  # it was a Tuesday
        ("2024-01-02,2024-01-02", None),
        ("2024-W01-1", None),
        ("", None),
        ("9999-12-31T23:59:59-23:00", None),
    ],
)
def test_dates_are_read_leniently_and_without_a_zone_are_local(text: str, moment: str | None) -> None:
    with time_zone("EST5"):
        read = Query(f"x={text}").moment("x")

    assert (read and format_ticks(read)) == moment


@pytest.mark.conforms("H1.0-38")
@pytest.mark.parametrize(
    "text",
    ["1/2/24", "24-01-02", "999-01-01T00:00:00Z", "2024.01.02", "-1", "2024-01-02T", "3+PM", "Jan+2", "03:04Z"],
)
def test_what_may_be_a_date_for_the_platform_but_which_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match=r"400 .*is no form of a date that this host reads; write it as 2024-01-02T03:"):
        Query(f"x={text}").moment("x")


@pytest.mark.conforms("H1.0-14")
def test_a_time_of_day_alone_is_today() -> None:
    with time_zone("UTC0"):
        read = Query("x=03:04").moment("x")

    assert read is not None
    assert format_ticks(Ticks(read))[10:] == "T03:04:00Z"
    assert abs((datetime.fromisoformat(format_ticks(Ticks(read))) - datetime.now(UTC)).days) <= 1


@pytest.mark.conforms("H1.0-15")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0.5", 0.5), ("1e1", 10.0), ("1,000", 1000.0), ("5,0", 50.0), (".5", 0.5), ("x", None), ("1_0", None)],
)
def test_seconds_take_fractions_exponents_and_commas(text: str, seconds: float | None) -> None:
    assert Query(f"x={text}").seconds("x") == seconds


@pytest.mark.conforms("H1.0-16")
def test_status_lists_are_by_exact_name_or_number() -> None:
    running, failed = OrchestrationStatus.RUNNING, OrchestrationStatus.FAILED

    assert Query("s=Running,+Failed&s=0").statuses("s") == [running, failed, running]
    assert Query("s=running,nonsense").statuses("s") is None
    assert Query("").statuses("s") is None
    assert Query("s=99").statuses("s") == []
    assert Query("s=Unknown").statuses("s") is None
    assert [Query(f"s={word}").names_unknown_status("s") for word in ("Failed,Unknown", "+-1", "unknown", "")] == [
        True,
        True,
        False,
        False,
    ]
