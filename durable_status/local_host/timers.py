"""Runs timer functions: six-field schedules, spans of time, run-on-startup, and what was missed while no host ran."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from azure.functions.meta import Datum
from azure.functions.timer import TimerRequestConverter
from cronsim import CronSim, CronSimError

from durable_status.app.bindings import arguments_of
from durable_status.app.functions import AppFunction
from durable_status.app.links import Links
from durable_status.app.worker_checks import trigger_is_text
from durable_status.local_host.clock import Clock
from durable_status.local_host.log_categories import of_function
from durable_status.local_host.worker import Worker
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.ticks import datetime_from_ticks, ticks_from_datetime

FILE_NAME = "timers.json"

logger = logging.getLogger(__name__)

_NEVER = "0001-01-01T00:00:00"
_SPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{2}):(?P<seconds>\d{2})")
_FULL_NAME = re.compile(
    r"\b(SUN|MON|TUE|WED|THU|FRI|SAT|JAN|FEB|MAR|APR|JUN|JUL|AUG|SEP|OCT|NOV|DEC)[A-Z]+\b", re.IGNORECASE
)


class ScheduleError(ValueError):
    """The schedule of a timer cannot be read; the text says why."""


class Schedule(Protocol):
    """When a timer is due."""

    def after(self, moment: datetime) -> datetime:
        """The first time after `moment`."""


class _Every:
    def __init__(self, span: timedelta) -> None:
        self._span = span

    def after(self, moment: datetime) -> datetime:
        return moment + self._span


class _Cron:
    def __init__(self, expression: str) -> None:
        # The platform takes full names of days and months, too.
        self._expression = _FULL_NAME.sub(lambda found: found[1], expression)
        self.after(datetime.min.replace(year=2000))

    def after(self, moment: datetime) -> datetime:
        times = CronSim(self._expression, moment)
        times.day_and = True  # the platform's library wants both days to fit; cron is content with one
        return next(times)


def read_schedule(text: str) -> Schedule:
    """Read an NCRONTAB expression (six fields, or five without seconds) or a span such as ``00:05:00``. UTC.

    Raises:
        ScheduleError: it is neither.
    """
    span = _SPAN.fullmatch(text.strip())
    if span is not None:
        length = timedelta(**{unit: int(number or 0) for unit, number in span.groupdict().items()})
        if not length:
            raise ScheduleError(f"the schedule '{text}' is a span of no length.")
        return _Every(length)
    try:
        return _Cron(text)
    except (CronSimError, StopIteration) as error:
        reason = str(error) or "it is never due"
        raise ScheduleError(
            f"the schedule '{text}' cannot be read ({reason}); write six fields such as \"0 */5 * * * *\" "
            '(second minute hour day month weekday), or a span such as "00:05:00".'
        ) from error


class Timers:
    """The app's timer functions, each on its schedule."""

    def __init__(
        self,
        functions: Sequence[tuple[AppFunction, Schedule]],
        worker: Worker,
        links: Links,
        clock: Clock,
        state_file: Path | None,
    ) -> None:
        self._functions = functions
        self._worker = worker
        self._links = links
        self._clock = clock
        self._state_file = state_file
        self._state: dict[str, dict[str, str]] = _read_state(state_file)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Call the functions when they are due, while the context lasts."""
        tasks = [asyncio.create_task(self._keep_time(function, schedule)) for function, schedule in self._functions]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def call(self, function: AppFunction, *, is_past_due: bool = False) -> None:
        """Call one function now; what it raises is logged."""
        request: Any = _timer_text(is_past_due, self._state.get(function.name, {}))
        if not trigger_is_text(function):
            request = TimerRequestConverter.decode(Datum(type="json", value=request), trigger_metadata=None)
        try:
            await self._worker.call(function, arguments_of(function, request, self._links))
        except WorkerFailure as failure:
            about = of_function(function.name)
            logger.error(
                "Timer function '%s' failed: %s\n%s", function.name, failure.message, failure.stack, extra=about
            )

    async def _keep_time(self, function: AppFunction, schedule: Schedule) -> None:
        missed = self._was_missed(function)
        if missed or function.trigger.get("runOnStartup"):
            await self.call(function, is_past_due=missed)
        last = self._state.get(function.name, {}).get("Last", _NEVER)
        while True:
            due = schedule.after(self._now())
            self._note(function.name, last, due)
            await self._clock.wait_until(ticks_from_datetime(due))
            last = due.isoformat()
            self._note(function.name, last, schedule.after(due))
            await self.call(function)

    def _was_missed(self, function: AppFunction) -> bool:
        if function.trigger.get("useMonitor") is False:
            return False
        due = self._state.get(function.name, {}).get("Next")
        return due is not None and datetime.fromisoformat(due) < self._now()

    def _now(self) -> datetime:
        return datetime_from_ticks(self._clock.now())

    def _note(self, name: str, last: str, following: datetime) -> None:
        self._state[name] = {
            "Last": last,
            "Next": following.isoformat(),
            "LastUpdated": self._now().isoformat(),
        }
        if self._state_file is not None:
            self._state_file.parent.mkdir(parents=True, exist_ok=True)
            self._state_file.write_text(json.dumps(self._state, indent=2), encoding="utf-8")


def _timer_text(is_past_due: bool, status: Mapping[str, Any]) -> str:
    """What the host tells the worker of a call; the SDK's converter makes a TimerRequest of it."""
    return json.dumps({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status or None, "IsPastDue": is_past_due})


def _read_state(path: Path | None) -> dict[str, dict[str, str]]:
    """What was noted of each timer; an unreadable note is as good as none."""
    try:
        state = json.loads(path.read_text(encoding="utf-8")) if path is not None and path.is_file() else {}
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}
