"""The ready-made parts of a status: the estimate follows from the orchestration's clock, the window adds up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durable_status import Progress, RecentItems

_NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_the_estimate_goes_on_at_the_pace_so_far() -> None:
    progress = Progress.begin(_NOW, "greeting", 3)

    later = progress.advance(_NOW + timedelta(seconds=10), 1, "Tokyo")

    assert (later.done, later.message, later.stage) == (1, "Tokyo", "greeting")
    assert later.eta == _NOW + timedelta(seconds=30)


def test_when_all_is_done_the_estimate_is_now() -> None:
    end = _NOW + timedelta(seconds=10)

    assert Progress.begin(_NOW, "greeting", 3).advance(end, 3).eta == end


@pytest.mark.parametrize(
    ("total", "done"), [pytest.param(None, 2, id="no total"), pytest.param(3, 0, id="nothing done")]
)
def test_without_a_pace_there_is_no_estimate(total: int | None, done: int) -> None:
    assert Progress.begin(_NOW, "x", total).advance(_NOW + timedelta(seconds=1), done).eta is None


@pytest.mark.parametrize(("done", "total"), [(-1, 3), (4, 3), (-1, None)])
def test_done_is_between_nothing_and_all(done: int, total: int | None) -> None:
    with pytest.raises(ValueError, match="between 0 and total"):
        Progress(stage="x", done=done, total=total)


@given(items=st.lists(st.integers()), keep=st.integers(0, 10))
def test_adding_one_by_one_and_taking_the_last_are_the_same(items: list[int], keep: int) -> None:
    recent: RecentItems[int] = RecentItems()
    for item in items:
        recent = recent.add(item, keep=keep)

    assert recent == RecentItems.last(items, keep=keep)
    assert list(recent.items) == items[recent.start :]
    assert (recent.total, len(recent.items)) == (len(items), min(keep, len(items)))


@pytest.mark.parametrize(("start", "total"), [(0, 2), (-1, 0), (5, 1)])
def test_a_window_whose_numbers_do_not_add_up_is_refused(start: int, total: int) -> None:
    with pytest.raises(ValueError, match="are not the last of"):
        RecentItems(items=(1,), start=start, total=total)
