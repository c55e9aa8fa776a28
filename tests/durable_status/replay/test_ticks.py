from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_status.replay.ticks import (
    PER_DAY,
    PER_SECOND,
    Ticks,
    datetime_from_ticks,
    format_span,
    format_ticks,
    format_ticks_in_full,
    parse_ticks,
    ticks_from_datetime,
)

_MOMENTS = st.integers(0, 3_155_378_975_999_999_999).map(Ticks)  # years 1 to 9999


@pytest.mark.conforms("R1.1-2")
@given(_MOMENTS)
def test_writing_and_reading_a_moment_gives_it_back(moment: Ticks) -> None:
    assert parse_ticks(format_ticks(moment)) == moment
    assert parse_ticks(format_ticks_in_full(moment)) == moment


@given(_MOMENTS, _MOMENTS)
def test_full_texts_sort_like_the_moments(one: Ticks, other: Ticks) -> None:
    assert (format_ticks_in_full(one) < format_ticks_in_full(other)) == (one < other)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_datetime_survives(moment: datetime) -> None:
    assert datetime_from_ticks(ticks_from_datetime(moment)) == moment


@pytest.mark.conforms("R1.1-2")
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-22T11:30:03.6796469Z", "2026-11-22T11:30:03.6796469Z"),
        ("2026-11-22T11:30:03.1200000Z", "2026-11-22T11:30:03.12Z"),
        ("2026-11-22T11:30:03", "2026-11-22T11:30:03Z"),
        ("2026-11-22T13:30:03+02:00", "2026-11-22T11:30:03Z"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00Z"),
    ],
)
def test_moments_are_written_in_utc_without_trailing_zeros(text: str, written: str) -> None:
    assert format_ticks(parse_ticks(text)) == written


@pytest.mark.parametrize("text", ["", "2026", "2026-11-22", "tomorrow", "2026-13-01T00:00:00Z"])
def test_other_texts_are_no_moments(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_ticks(text)


@pytest.mark.conforms("R1-4")
@pytest.mark.parametrize(
    ("span", "text"),
    [
        (6 * PER_DAY, "6.00:00:00"),
        (0, "00:00:00"),
        (-90 * PER_SECOND, "-00:01:30"),
        (PER_SECOND // 2, "00:00:00.5000000"),
    ],
)
def test_spans_are_written_as_dotnet_does(span: int, text: str) -> None:
    assert format_span(Ticks(span)) == text
