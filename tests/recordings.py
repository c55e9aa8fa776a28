"""Reads folders of recorded episodes: what went into each, and what the real extension made of it.

The format is that of `tests/goldens/replay/README.md`. Everything is taken apart while reading, so that a file that is
not in that format says so before anything is compared.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from durable_status.replay.event_json import event_from_members
from durable_status.replay.events import Event, EventType, OrchestrationStatus
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.replay.ticks import PER_DAY, PER_SECOND, Ticks, format_ticks, parse_ticks
from durable_status.stored_json import dump_stored

Members = Mapping[str, Any]
"""A JSON object of a recording."""

_EVENT_NUMBERS = {kind.name.title().replace("_", ""): kind.value for kind in EventType}
_SPAN = re.compile(r"(?:(\d+)\.)?(\d\d):(\d\d):(\d\d)")
_VOLATILE = frozenset({"Timestamp", "ClientSpanId"})
_ROW_COLUMNS = frozenset({"PartitionKey", "RowKey", "Timestamp", "_Timestamp", "ExecutionId", "odata.etag"})
_CHILD_ENDS = (EventType.SUB_ORCHESTRATION_INSTANCE_COMPLETED, EventType.SUB_ORCHESTRATION_INSTANCE_FAILED)


class RecordingError(Exception):
    """A folder or a file is no recording; the text names it and says why."""


@dataclass(frozen=True, slots=True)
class TaskOf:
    """One task of one execution: how a child and its parent find each other."""

    instance_id: str
    execution_id: str
    task_id: int


@dataclass(kw_only=True)
class Family:
    """What the instances of one recording sent each other, by the parent's task."""

    starts: dict[TaskOf, list[Members]] = field(default_factory=lambda: defaultdict(list))
    """The children's first ExecutionStarted."""
    ends: dict[TaskOf, list[Members]] = field(default_factory=lambda: defaultdict(list))
    """What the parents were told of their children's end."""


@dataclass(frozen=True, kw_only=True)
class RecordedEpisode:
    """One episode and what followed it."""

    file: str
    instance_id: str
    number: int
    trigger: Members
    answer: str | WorkerFailure
    events: Sequence[Event]
    """The trigger's history, old and new."""
    new_from: int
    """Where the events of this episode begin: its OrchestratorStarted."""
    committed: Members | None
    """The instance row afterwards; None where a continue-as-new went on in the same work item."""
    status_before: str | None
    output_before: str | None
    carried_status: str | None
    decisions: Sequence[Members] | None
    """The events that the host appended after the messages; None if the episode continued as new."""
    past: Sequence[Members] | None
    """This episode's events as the next trigger shows them, with their final IsPlayed."""
    past_in_rows: Sequence[Members] | None
    """For an execution's last episode: which of its events the History table says are played."""
    next_messages: Sequence[Members] | None
    """What the next generation began with, if there was one."""
    family: Family

    @property
    def name(self) -> str:
        """File, instance and number, for people."""
        return f"{self.file.removesuffix('.json')}/{self.instance_id}/{self.number}"

    @property
    def now(self) -> Ticks:
        """The time of the episode."""
        return self.events[self.new_from].timestamp


def read_host(folder: Path) -> HostFacts:
    """The functions of the app that was recorded.

    Raises:
        RecordingError: functions.json is missing or is not in the format.
    """
    names = _read_json(folder / "functions.json")
    try:
        return HostFacts(
            orchestrators=FunctionNames.create(FunctionKind.ORCHESTRATOR, names["orchestrator"]),
            activities=FunctionNames.create(FunctionKind.ACTIVITY, names["activity"]),
            entities=FunctionNames.create(FunctionKind.ENTITY, names["entity"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordingError(f"{folder / 'functions.json'} is not in the format: {_reason(error)}") from None


def host_of(episode: RecordedEpisode, host: HostFacts) -> HostFacts:
    """`host` with the settings that the episode's trigger carries."""
    return replace(
        host,
        maximum_short_timer=_parse_span(episode.trigger["maximumShortTimerDuration"]),
        long_timer_interval=_parse_span(episode.trigger["longRunningTimerIntervalDuration"]),
        default_http_sleep_milliseconds=episode.trigger["defaultHttpAsyncRequestSleepTimeMillseconds"],
    )


def read_episodes(folder: Path) -> list[RecordedEpisode]:
    """All episodes in the order of the files.

    Raises:
        RecordingError: `folder` does not exist or holds no recording, or a file is broken or in another format.
    """
    if not folder.is_dir():
        raise RecordingError(f"{folder} is no folder; name one that holds recordings.")
    paths = [path for path in sorted(folder.glob("*.json")) if path.name != "functions.json"]
    episodes = [episode for path in paths for episode in _read_file(path)]
    if not episodes:
        raise RecordingError(f"{folder} holds no recorded episodes (*.json).")
    return episodes


def comparable(event: Members) -> dict[str, Any]:
    """An event without what differs from run to run; of a message to an entity, its input as JSON."""
    members = {name: value for name, value in event.items() if name not in _VOLATILE and value is not None}
    if event["EventType"] == EventType.EXECUTION_STARTED:
        del members["OrchestrationInstance"]
    if event["EventType"] == EventType.EVENT_SENT and event.get("Input"):
        members["Input"] = {name: value for name, value in json.loads(event["Input"]).items() if name != "$type"}
    return members


def mark(event: Members) -> dict[str, Any]:
    """Which event it is, and whether it is played."""
    return {name: event[name] for name in ("EventType", "EventId", "IsPlayed")}


def _read_file(path: Path) -> list[RecordedEpisode]:
    recording = _read_json(path)
    try:
        family = _family(recording["instances"])
        return [episode for instance in recording["instances"] for episode in _episodes(path.name, instance, family)]
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise RecordingError(f"{path} is not a recording in the known format: {_reason(error)}") from None


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordingError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise RecordingError(f"{path} is not JSON: {error}.") from None


def _reason(error: Exception) -> str:
    return f"there is no {error}" if isinstance(error, KeyError) else str(error)


def _episodes(file: str, instance: Members, family: Family) -> Iterator[RecordedEpisode]:
    rows = rows_of_last_execution(instance)
    carried = output_before = status_before = None
    for number, (recorded, following) in enumerate(_with_following(instance["episodes"])):
        history = recorded["trigger"]["history"]
        new_from = _last_start(history)
        continues = following is not None and _execution(following) != _execution(recorded)
        committed = recorded["committed"]
        yield RecordedEpisode(
            file=file,
            instance_id=instance["id"],
            number=number,
            trigger=recorded["trigger"],
            answer=_answer(recorded),
            events=[event_from_members(members) for members in history],
            new_from=new_from,
            committed=committed,
            status_before=status_before,
            output_before=output_before,
            carried_status=carried,
            decisions=None if continues else _decisions(len(history), following, rows),
            past=None if continues or following is None else following["trigger"]["history"][new_from : len(history)],
            past_in_rows=[mark(from_row(row)) for row in rows[new_from : len(history)]] if following is None else None,
            next_messages=[comparable(event) for event in following["trigger"]["history"][1:]]
            if continues and following
            else None,
            family=family,
        )
        carried = _status_of_run(recorded) if continues else None
        if committed is not None:
            status_before, output_before = committed["CustomStatus"], committed["Output"]


def _with_following(episodes: Sequence[Members]) -> Iterable[tuple[Members, Members | None]]:
    return zip(episodes, [*episodes[1:], None], strict=True)


def _answer(recorded: Members) -> str | WorkerFailure:
    failure = recorded.get("failure")
    if failure is not None:
        return WorkerFailure(failure["message"], failure["stack"])
    answer = recorded["answer"]
    if not isinstance(answer, str):
        raise ValueError(f"an answer is a text, not {answer!r}")
    return answer


def _decisions(known: int, following: Members | None, rows: Sequence[Members]) -> list[dict[str, Any]]:
    if following is None:
        return [comparable(from_row(row)) for row in rows[known:]]
    events = following["trigger"]["history"]
    return [comparable(event) for event in events[known : _last_start(events)]]


def _family(instances: Sequence[Members]) -> Family:
    family = Family()
    for instance in instances:
        episodes = instance["episodes"]
        for index, (recorded, following) in enumerate(_with_following(episodes)):
            started = _started(recorded)
            if index == 0 and started["ParentInstance"] is not None:
                family.starts[_task_of_parent(started)].append(started)
            if following is None or _execution(following) != _execution(recorded):
                _add_ends(family, instance["id"], recorded)
        for row in rows_of_last_execution(instance):
            if _EVENT_NUMBERS[row["EventType"]] in _CHILD_ENDS:
                _add_end(family, instance["id"], row["ExecutionId"], from_row(row))
    return family


def _add_ends(family: Family, instance_id: str, recorded: Members) -> None:
    for event in recorded["trigger"]["history"]:
        if event["EventType"] in _CHILD_ENDS:
            _add_end(family, instance_id, _execution(recorded), event)


def _add_end(family: Family, instance_id: str, execution_id: str, event: Members) -> None:
    family.ends[TaskOf(instance_id, execution_id, event["TaskScheduledId"])].append(event)


def _task_of_parent(started: Members) -> TaskOf:
    parent = started["ParentInstance"]
    execution = parent["OrchestrationInstance"]
    return TaskOf(execution["InstanceId"], execution["ExecutionId"], parent["TaskScheduleId"])


def _started(recorded: Members) -> Members:
    for event in recorded["trigger"]["history"]:
        if event["EventType"] == EventType.EXECUTION_STARTED:
            started: Members = event
            return started
    raise ValueError("a trigger's history has no ExecutionStarted")


def _execution(recorded: Members) -> str:
    execution: str = _started(recorded)["OrchestrationInstance"]["ExecutionId"]
    return execution


def _last_start(history: Sequence[Members]) -> int:
    starts = [index for index, event in enumerate(history) if event["EventType"] == EventType.ORCHESTRATOR_STARTED]
    if not starts:
        raise ValueError("a trigger's history has no OrchestratorStarted")
    return starts[-1]


def _status_of_run(recorded: Members) -> str | None:
    status = json.loads(recorded["answer"]).get("customStatus")
    return None if status is None else dump_stored(status)


def rows_of_last_execution(instance: Members) -> list[Members]:
    """The rows of the History table; those of an older, longer generation may still stand behind them."""
    execution = instance["final"]["instance"].get("ExecutionId")
    return [
        row for row in instance["final"]["history"] if row["RowKey"] != "sentinel" and row["ExecutionId"] == execution
    ]


def from_row(row: Members) -> dict[str, Any]:
    """A row of the History table with the member names and forms of the wire."""
    members = {
        name: value for name, value in row.items() if name not in _ROW_COLUMNS and not name.endswith("odata.type")
    }
    members["EventType"] = _EVENT_NUMBERS[row["EventType"]]
    if "OrchestrationStatus" in members:
        members["OrchestrationStatus"] = OrchestrationStatus(members["OrchestrationStatus"]).number
    if "FireAt" in members:
        members["FireAt"] = format_ticks(parse_ticks(members["FireAt"]))
    return members


def _parse_span(text: str) -> Ticks:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise RecordingError(f"a trigger's duration is no .NET time span of whole seconds: {text!r}")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return Ticks(days * PER_DAY + ((hours * 60 + minutes) * 60 + seconds) * PER_SECOND)
