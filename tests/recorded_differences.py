"""Puts a recorded episode to the engine, with the recorded answer in place of the SDK, and compares all it led to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from durable_status.replay.decisions import StartSubOrchestration
from durable_status.replay.episode import Episode, Instance, child_started, run_episode
from durable_status.replay.event_json import event_text
from durable_status.replay.events import Event, ExecutionStarted
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.host_facts import HostFacts
from durable_status.replay.profile import Profile
from durable_status.replay.rewind import rewind
from durable_status.replay.traps import Mode
from tests.recordings import IN_BLOB, Members, RecordedEpisode, TaskOf, comparable, comparable_text, host_of, mark

_MISSING = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which the engine is not as recorded."""

    field: str
    recorded: Any
    engine: Any


def run_recorded(
    recorded: RecordedEpisode, host: HostFacts, profile: Profile, mode: Mode = Mode.FAITHFUL
) -> tuple[Episode, list[str]]:
    """The episode as the engine runs it, and the triggers it handed out."""
    triggers: list[str] = []

    def orchestrator(trigger: str) -> str:
        triggers.append(trigger)
        if isinstance(recorded.answer, WorkerFailure):
            raise recorded.answer
        return recorded.answer

    episode = run_episode(
        Instance(
            instance_id=recorded.instance_id,
            carried_status=recorded.carried_status,
            custom_status=recorded.status_before,
        ),
        recorded.events[: recorded.new_from],
        recorded.events[recorded.new_from + 1 :],
        orchestrator=orchestrator,
        now=recorded.now,
        host=host_of(recorded, host),
        profile=profile,
        mode=mode,
    )
    return episode, triggers


def find_differences(recorded: RecordedEpisode, host: HostFacts, profile: Profile) -> list[Difference]:
    """All fields in which the engine differs from the recording; none if it did the same."""
    try:
        episode, triggers = run_recorded(recorded, host, profile)
        return [
            *_compare("triggers", [recorded.trigger], [json.loads(trigger) for trigger in triggers]),
            *_compare_history(recorded, episode),
            *_compare_row(recorded, episode),
            *_compare_children(recorded, episode),
            *_compare_end(recorded, episode),
        ]
    except Exception as error:  # whatever goes wrong is a difference, and the next episode has its turn
        return [Difference("episode", "an episode", f"{type(error).__name__}: {error}")]


def _compare_history(recorded: RecordedEpisode, episode: Episode) -> Iterator[Difference]:
    new_events = len(recorded.events) - recorded.new_from
    if recorded.next_messages is not None:
        following = episode.next_generation
        begun = [] if following is None else following.messages("another", recorded.now)
        yield from _compare("next generation", recorded.next_messages, _members(begun))
        return
    if episode.next_generation is not None:
        yield Difference("next generation", None, episode.next_generation)
    appended = episode.appended
    if recorded.is_rewound:
        appended = rewind((*recorded.events[: recorded.new_from], *appended)).history[recorded.new_from :]
    if recorded.decisions is not None:
        yield from _compare("decisions", recorded.decisions, _members(appended[new_events:]))
    written = [json.loads(event_text(event)) for event in appended[:new_events]]
    if recorded.past is not None:
        yield from _compare("history", recorded.past, written)
    if recorded.past_in_rows is not None:
        yield from _compare("rows", recorded.past_in_rows, [mark(event) for event in written])


def _members(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [comparable(json.loads(event_text(event))) for event in events]


def _compare_row(recorded: RecordedEpisode, episode: Episode) -> Iterator[Difference]:
    committed = recorded.committed
    if committed is None:
        return
    output = episode.output if episode.output is not None else recorded.output_before
    yield from _compare("RuntimeStatus", committed.get("RuntimeStatus"), episode.runtime_status.value)
    yield from _compare(
        "CustomStatus",
        committed.get("CustomStatus"),
        "null" if episode.custom_status is None else episode.custom_status,
    )
    yield from _compare("Output", comparable_text(committed.get("Output")), output)


def _compare_children(recorded: RecordedEpisode, episode: Episode) -> Iterator[Difference]:
    """The ExecutionStarted that each child was sent, for those whose recording is there."""
    started = _started(recorded)
    execution = started.orchestration_instance
    for decision in episode.outbox:
        if not isinstance(decision, StartSubOrchestration):
            continue
        task = TaskOf(execution.instance_id, execution.execution_id or "", decision.id)
        sent = json.loads(event_text(child_started(started, decision, execution_id="a child's", now=recorded.now)))
        recorded_starts = [_of_start(event) for event in recorded.family.starts.get(task, ())]
        if recorded_starts and _of_start(sent) not in recorded_starts:
            yield from _compare(f"child of task {decision.id}", recorded_starts[0], _of_start(sent))


def _of_start(event: Members) -> dict[str, Any]:
    members = {name: event.get(name) for name in ("Name", "Version", "Input", "ParentInstance", "Generation")}
    return members | {"InstanceId": event["OrchestrationInstance"]["InstanceId"]}


def _compare_end(recorded: RecordedEpisode, episode: Episode) -> Iterator[Difference]:
    """What the parent was told, if it was recorded that it was told anything."""
    parent = _started(recorded).parent_instance
    ended = recorded.committed is not None and episode.runtime_status.has_ended
    if parent is None or not ended:
        return
    execution = parent.orchestration_instance
    task = TaskOf(execution.instance_id, execution.execution_id or "", parent.task_schedule_id)
    told = [_of_end(event) for event in recorded.family.ends.get(task, ())]
    message = episode.parent_message
    if not told:
        return
    sent = None if message is None else _of_end(json.loads(event_text(message.event)))
    if sent not in told:
        yield from _compare("message to the parent", told[-1], sent)


def _of_end(event: Members) -> dict[str, Any]:
    members = {name: event.get(name) for name in ("EventType", "EventId", "TaskScheduledId", "Result", "Reason")}
    return members | {"Details": _without_dotnet(event.get("Details"))}


def _without_dotnet(details: str | None) -> Any:
    """Details without .NET's stack traces and type names, which no two hosts share."""
    if details is None:
        return None
    if details.startswith("{"):
        members: Any = json.loads(details)
        return members.get("Message", details)
    if details.startswith("Message: "):
        return details.rpartition(", StackTrace: ")[0]
    kind, _, message = details.partition(": ")[2].partition(": ")
    return message.partition("\n   at ")[0] if kind else details


def _started(recorded: RecordedEpisode) -> ExecutionStarted:
    return next(event for event in recorded.events if isinstance(event, ExecutionStarted))


def _compare(field: str, recorded: Any, engine: Any) -> Iterator[Difference]:
    """The places where two JSON values differ, each with its path."""
    if isinstance(recorded, dict) and isinstance(engine, dict):
        for name in [*recorded, *(name for name in engine if name not in recorded)]:
            yield from _compare(f"{field}.{name}", recorded.get(name, _MISSING), engine.get(name, _MISSING))
    elif isinstance(recorded, list) and isinstance(engine, list):
        for index in range(max(len(recorded), len(engine))):
            one, other = ((items[index] if index < len(items) else _MISSING) for items in (recorded, engine))
            yield from _compare(f"{field}[{index}]", one, other)
    elif recorded is IN_BLOB and isinstance(engine, str):
        return
    elif recorded != engine or type(recorded) is not type(engine):
        yield Difference(field, recorded, engine)
