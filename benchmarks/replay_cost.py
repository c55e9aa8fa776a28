"""What an episode costs beside the SDK's own replay: `python -m benchmarks.replay_cost [EVENTS]`.

The history is that of a sequential orchestration whose activities have all returned; times are the best of several
runs. The SDK is timed as it is installed, and inside an episode with what the local host replaces in it. In the first
row the events are fresh in every run, so their JSON text is written anew; in the second it is kept.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Generator
from typing import Any

import azure.durable_functions as df

from durable_status.app.sdk import speed_up_sdk
from durable_status.replay.episode import Episode, Instance, run_episode
from durable_status.replay.event_json import event_text, read_event
from durable_status.replay.events import (
    Event,
    ExecutionStarted,
    OrchestrationInstance,
    OrchestratorCompleted,
    OrchestratorStarted,
    TaskCompleted,
    TaskScheduled,
)
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.replay.profile import PROFILE_2_13
from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks

_EVENTS_PER_ACTIVITY = 4
_RUNS = 5
_START = parse_ticks("2026-11-22T11:30:00.1234567Z")
_HOST = HostFacts(
    orchestrators=FunctionNames.create(FunctionKind.ORCHESTRATOR, ["Main"]),
    activities=FunctionNames.create(FunctionKind.ACTIVITY, ["Echo"]),
)


def _sequence(context: Any) -> Generator[Any, Any, int]:
    for number in range(json.loads(context.get_input())):
        yield context.call_activity("Echo", number)
    return 0


def _history(activities: int) -> list[Event]:
    started = ExecutionStarted(
        timestamp=_START,
        orchestration_instance=OrchestrationInstance(instance_id="instance", execution_id="execution"),
        name="Main",
        input=json.dumps(json.dumps(str(activities))),
        is_played=True,
    )
    events: list[Event] = [OrchestratorStarted(timestamp=_START), started]
    for number in range(activities):
        now = Ticks(_START + number * PER_SECOND)
        events += [
            TaskScheduled(timestamp=now, event_id=number, name="Echo"),
            OrchestratorCompleted(timestamp=now),
            OrchestratorStarted(timestamp=now),
            TaskCompleted(timestamp=now, task_scheduled_id=number, result=str(number), is_played=True),
        ]
    return events


def main(events: int) -> None:
    """Measure and print."""
    handle = df.Orchestrator.create(_sequence)
    texts = [event_text(event) for event in _history(events // _EVENTS_PER_ACTIVITY)]
    kept = [read_event(text) for text in texts]
    in_sdk = 0.0

    def orchestrator(trigger: str) -> str:
        nonlocal in_sdk
        began = time.process_time()
        answer = handle(trigger)
        in_sdk = time.process_time() - began
        return str(answer)

    def episode(history: list[Event]) -> Episode:
        return run_episode(
            Instance(instance_id="instance"),
            history[:-2],
            history[-1:],
            orchestrator=orchestrator,
            now=Ticks(_START + events * PER_SECOND),
            host=_HOST,
            profile=PROFILE_2_13,
        )

    def timed(history: Callable[[], list[Event]]) -> tuple[float, float]:
        given = history()
        began = time.process_time()
        ended = episode(given)
        assert ended.runtime_status.has_ended, ended.warnings
        return time.process_time() - began, in_sdk

    as_installed = min(timed(lambda: kept)[1] for _ in range(_RUNS))
    speed_up_sdk()
    print(
        f"{len(texts)} events, sequential, CPU time, best of {_RUNS}; the SDK as installed {as_installed * 1e3:.1f} ms"
    )
    for name, history in (
        ("every text written anew", lambda: _history(events // _EVENTS_PER_ACTIVITY)),
        ("texts kept", lambda: kept),
    ):
        whole, sdk = min(timed(history) for _ in range(_RUNS))
        print(
            f"{name:24} episode {whole * 1e3:8.1f} ms, the SDK's part {sdk * 1e3:8.1f} ms; "
            f"{whole / as_installed:.2f} of the SDK as installed, {whole / sdk:.2f} of its part"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
