"""S5: the status stays readable for 30 seconds."""

from __future__ import annotations

from durable_status.testing.bench import DurableBench
from orchestrators.set_status_test_contract import ORCHESTRATION

_STATUS = {"nextActions": ["A", "B", "C"], "foo": 2}


def test_the_status_is_there_while_the_timer_runs_and_after_it(durable: DurableBench) -> None:
    run = durable.start(ORCHESTRATION, {"any": "input"}).advance(seconds=29)
    assert (run.runtime_status, run.status) == ("Running", _STATUS)

    run.advance(seconds=1)
    assert (run.runtime_status, run.status, run.output) == ("Completed", _STATUS, None)
