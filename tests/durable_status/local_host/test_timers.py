"""Schedules of timers, and what was missed while no host ran."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from durable_status.local_host.timers import ScheduleError, read_schedule
from durable_status.replay.ticks import datetime_from_ticks
from tests.clock import ManualClock
from tests.hosts import running_host
from tests.paths import APPS

_NOON = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("schedule", "following"),
    [
        ("0 */5 * * * *", "2026-11-25T12:05:00"),
        ("*/5 * * * *", "2026-11-25T12:05:00"),
        ("30 0 9-17 * * MON-FRI", "2026-11-25T12:00:30"),
        ("0 0 0 * * sunday", "2026-11-29T00:00:00"),
        ("0 0 0 13 * 5", "2027-08-13T00:00:00"),
        ("00:00:10", "2026-11-25T12:00:10"),
        ("1.00:00:00", "2026-11-26T12:00:00"),
    ],
)
def test_a_schedule_is_due_when_the_platform_says(schedule: str, following: str) -> None:
    assert read_schedule(schedule).after(_NOON) == datetime.fromisoformat(following).replace(tzinfo=UTC)


@pytest.mark.parametrize("schedule", ["soon", "0 0 0 30 2 *", "* * *", "00:00:00", "61 * * * * *"])
def test_a_schedule_that_cannot_be_read_says_how_to_write_one(schedule: str) -> None:
    with pytest.raises(ScheduleError, match="schedule"):
        read_schedule(schedule)


def test_what_was_missed_is_made_up_for_and_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        clock = ManualClock()
        due = datetime_from_ticks(clock.now()).replace(hour=2, minute=30, second=0, microsecond=0)
        state = {"nightly": {"Last": due.isoformat(), "Next": due.isoformat(), "LastUpdated": due.isoformat()}}
        (tmp_path / "timers.json").write_text(json.dumps(state))
        async with running_host(APPS / "patterns", clock=clock, state_folder=tmp_path) as host:
            assert (await host.until_status("nightly-true", "Completed"))["output"] == 41

    asyncio.run(main())
