"""Lets a test use the SDK's own client where the SDK means it to be used: inside a function of a running app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from tests.hosts import RunningHost
from tests.paths import APPS

CLIENT_JOBS = APPS / "client_jobs"

Job = Callable[[Any, Any], Awaitable[Any]]

_jobs: list[Job] = []
_outcomes: list[Any] = []


async def run_in_function(host: RunningHost, job: Job) -> Any:
    """Have the app's function run `job(client, request)`; what it returns or raises comes back here."""
    _jobs.append(job)
    answer = await host.request("GET", "/api/job?from=test")
    assert answer.status == 200, answer.text
    outcome = _outcomes.pop()
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


async def run_next_job(client: Any, request: Any) -> None:
    """What the app's function does."""
    try:
        _outcomes.append(await _jobs.pop()(client, request))
    except BaseException as error:
        _outcomes.append(error)
