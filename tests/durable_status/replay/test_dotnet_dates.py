"""Which texts the failing path takes for dates, and what it makes of them (Newtonsoft.Json's reader and writer)."""

from __future__ import annotations

import pytest

from durable_status.replay.dotnet_dates import date_as_plain_text, rewrite_dates


@pytest.mark.conforms("R4-12")
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05+00:00"),
        ("2026-01-02T03:04:05-0230", "2026-01-02T05:34:05+00:00"),
        ("2026-01-02T03:04:05+02", "2026-01-02T01:04:05+00:00"),
        ("2026-01-02T03:04:05+99:99", "2025-12-28T22:25:05+00:00"),
        ("2026-01-02T03:04:05.1230000Z", "2026-01-02T03:04:05.123Z"),
        ("2026-01-02T03:04:05z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05.0", "2026-01-02T03:04:05"),
        ("2026-01-02T03:04:05:12", "2026-01-02T03:04:05"),
        ("2026-01-02T24:00:00", "2026-01-03T00:00:00"),
        ("0001-01-01T00:00:00+02:00", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59-02:00", "9999-12-31T23:59:59.9999999+00:00"),
        ("/Date(1767323045123)/", "2026-01-02T03:04:05.123Z"),
        ("/Date(1767323045123+0200)/", "2026-01-02T03:04:05.123+00:00"),
    ],
)
def test_a_date_is_read_and_written_again(text: str, written: str) -> None:
    assert rewrite_dates(text) == written


@pytest.mark.conforms("R4-12")
@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05",
        "2026-01-02",
        "2026-01-02 03:04:05+02:00",
        "2026-01-02t03:04:05+02:00",
        "2026-01-02T03:04+02:00",
        "2026-01-02T03:04:05.12345678+02:00",
        "2026-01-02T03:04:05.+02:00",
        "2026-02-30T03:04:05+02:00",
        "2026-01-02T24:00:01+02:00",
        "2026-01-02T03:04:60+02:00",
        "0000-01-02T03:04:05+02:00",
        " 2026-01-02T03:04:05+02:00",
        "2026-01-02T03:04:05+02:00\n",
        "٢٠٢٦-01-02T03:04:05+02:00",
        "/Date(x)/",
    ],
)
def test_other_texts_stay(text: str) -> None:
    assert rewrite_dates({"key": [text]}) == {"key": [text]}


@pytest.mark.conforms("R4-12")
@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("2026-01-02T03:04:05+02:00", "01/02/2026 01:04:05"),
        ("2026-01-02T03:04:05.5Z", "01/02/2026 03:04:05"),
        ("0009-01-02T03:04:05", "01/02/0009 03:04:05"),
        ("no date", "no date"),
    ],
)
def test_an_error_that_is_a_date_comes_out_in_the_invariant_format(text: str, plain: str) -> None:
    assert date_as_plain_text(text) == plain
