"""Reads folders of recorded episodes: what went into each, and what the real extension made of it.

A file holds one recording (or a list of them): instances with their episodes, and how each looked at the end. What a
recording leaves out is not compared; a file that cannot be taken apart says so before anything of it is compared.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any

from durable_status.replay.event_json import event_from_members
from durable_status.replay.events import Event, EventType, OrchestrationStatus
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.replay.ticks import PER_DAY, PER_SECOND, Ticks, format_ticks, parse_ticks
from durable_status.stored_json import dump_stored
from tests.paths import GOLDENS

Members = Mapping[str, Any]
"""A JSON object of a recording."""

_EVENT_NUMBERS = {kind.name.title().replace("_", ""): kind.value for kind in EventType}
_SPAN = re.compile(r"(?:(\d+)\.)?(\d\d):(\d\d):(\d\d)")
_VOLATILE = frozenset({"Timestamp", "ClientSpanId"})
_BLOB = "BlobName"
"""Ends the column that says where a text lies that is too long for its own column."""
FUNCTIONS = "functions.json"
IN_BLOB = object()
"""Stands for a text that was too long for its column and lies in a blob, which is not recorded."""

_BLOB_URL = re.compile(r"https?://[^/\s]+/\S*largemessages/\S+")
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
    new_from: int
    """Where the events of this episode begin: its OrchestratorStarted."""
    committed: Members | None
    """The instance row afterwards; None where a continue-as-new went on in the same work item."""
    status_before: str | None
    output_before: str | None
    carried_status: str | None
    decisions: Sequence[Members] | None
    """The events that the host appended after the messages; None if it continued as new or nothing shows them."""
    is_rewound: bool
    """Whether the instance was rewound afterwards: `past` and `decisions` are then what that left of the events."""
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

    @cached_property
    def events(self) -> Sequence[Event]:
        """The trigger's history, old and new.

        Raises:
            ValueError: an event is of no known type.
        """
        return [event_from_members(members) for members in self.trigger["history"]]


def names_its_functions(folder: Path) -> bool:
    """Whether the folder says which functions its app had."""
    return (folder / FUNCTIONS).exists()


def read_host(folder: Path) -> HostFacts:
    """The functions of the app that was recorded; the app of our own recordings where the folder does not say.

    Raises:
        RecordingError: functions.json is not in the format.
    """
    names = _read_json((folder if names_its_functions(folder) else GOLDENS / "replay") / FUNCTIONS)
    try:
        return HostFacts(
            orchestrators=FunctionNames.create(FunctionKind.ORCHESTRATOR, names["orchestrator"]),
            activities=FunctionNames.create(FunctionKind.ACTIVITY, names["activity"]),
            entities=FunctionNames.create(FunctionKind.ENTITY, names["entity"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordingError(f"{folder / FUNCTIONS} is not in the format: {_reason(error)}") from None


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
    episodes = [episode for path in recording_paths(folder) for episode in read_file(path)]
    if not episodes:
        raise no_episodes(folder)
    return episodes


def recording_paths(folder: Path) -> list[Path]:
    """The files of `folder` in the order of their names.

    Raises:
        RecordingError: `folder` does not exist.
    """
    if not folder.is_dir():
        raise RecordingError(f"{folder} is no folder; name one that holds recordings.")
    return [path for path in sorted(folder.glob("*.json")) if path.name != FUNCTIONS]


def no_episodes(folder: Path) -> RecordingError:
    """The error of a folder whose files hold none."""
    return RecordingError(f"{folder} holds no recorded episodes (*.json).")


def comparable(event: Members) -> dict[str, Any]:
    """An event without what differs from run to run; of a message to an entity, its input as JSON.

    Of an event that a rewind took back, only which one it was: a row of it keeps the columns of what it had been.
    """
    if event["EventType"] == EventType.GENERIC_EVENT:
        return mark(event)
    members = {name: value for name, value in event.items() if name not in _VOLATILE and value is not None}
    for column in [name for name in members if name.endswith(_BLOB)]:
        del members[column]
        members[column.removesuffix(_BLOB)] = IN_BLOB
    if event["EventType"] == EventType.EXECUTION_STARTED:
        members.pop("OrchestrationInstance", None)
    if event["EventType"] == EventType.EVENT_SENT and members.get("Input", IN_BLOB) is not IN_BLOB:
        members["Input"] = {name: value for name, value in json.loads(event["Input"]).items() if name != "$type"}
    return members


def comparable_text(text: str | None) -> Any:
    """A text of the instance row, unless only its blob is named."""
    return IN_BLOB if text is not None and _BLOB_URL.fullmatch(text) else text


def mark(event: Members) -> dict[str, Any]:
    """Which event it is, and whether it is played."""
    return {name: event.get(name) for name in ("EventType", "EventId", "IsPlayed")}


def read_file(path: Path) -> list[RecordedEpisode]:
    """The episodes of one file.

    Raises:
        RecordingError: it is broken or in another format.
    """
    content = _read_json(path)
    try:
        episodes: list[RecordedEpisode] = []
        for recording in content if isinstance(content, list) and content else [content]:
            family = _family(recording["instances"])
            for instance in recording["instances"]:
                episodes.extend(_episodes(path.name, instance, family))
        return episodes
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
        committed = recorded.get("committed")
        is_last = following is None or _execution(following) != _execution(recorded)
        continues = is_last and following is not None and committed is None
        after = _events_after(history, following, rows) if following is None or not is_last else None
        yield RecordedEpisode(
            file=file,
            instance_id=instance["id"],
            number=number,
            trigger=recorded["trigger"],
            answer=_answer(recorded),
            new_from=new_from,
            committed=committed,
            status_before=status_before,
            output_before=output_before,
            carried_status=carried,
            decisions=None if after is None else [comparable(event) for event in after[len(history) :]],
            is_rewound=after is not None and _taken_back(after) > _taken_back(history),
            past=None if is_last or following is None else following["trigger"]["history"][new_from : len(history)],
            past_in_rows=[mark(event) for event in after[new_from : len(history)]] if after and not following else None,
            next_messages=[comparable(event) for event in following["trigger"]["history"][1:]]
            if continues and following
            else None,
            family=family,
        )
        carried = _status_of_run(recorded) if continues else None
        if committed is not None:
            status_before, output_before = committed.get("CustomStatus"), committed.get("Output")


def _with_following(episodes: Sequence[Members]) -> Iterable[tuple[Members, Members | None]]:
    return zip_longest(episodes, episodes[1:])


def _answer(recorded: Members) -> str | WorkerFailure:
    failure = recorded.get("failure")
    if failure is not None:
        return WorkerFailure(failure["message"], failure["stack"])
    answer = recorded.get("answer")
    return answer if isinstance(answer, str) else json.dumps(answer)


def _events_after(
    history: Sequence[Members], following: Members | None, rows: Sequence[Members]
) -> Sequence[Members] | None:
    """An execution's events up to the end of an episode, as the next trigger or the rows show them, if they do."""
    if following is not None:
        known: Sequence[Members] = following["trigger"]["history"]
        return known[: _last_start(known)]
    if not rows:
        return None
    events = [from_row(row) for row in rows]
    new = events[len(history) :]
    unrecorded = next((i for i, event in enumerate(new) if event["EventType"] == EventType.ORCHESTRATOR_STARTED), None)
    return events if unrecorded is None else events[: len(history) + unrecorded]


def _taken_back(events: Iterable[Members]) -> int:
    return sum(event.get("EventType") == EventType.GENERIC_EVENT for event in events)


def _family(instances: Sequence[Members]) -> Family:
    family = Family()
    for instance in instances:
        episodes = instance["episodes"]
        for index, (recorded, following) in enumerate(_with_following(episodes)):
            started = _started(recorded)
            if index == 0 and started.get("ParentInstance") is not None:
                family.starts[_task_of_parent(started)].append(started)
            if following is None or _execution(following) != _execution(recorded):
                _add_ends(family, instance["id"], recorded)
        for row in rows_of_last_execution(instance):
            if _EVENT_NUMBERS.get(row["EventType"]) in _CHILD_ENDS:
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
    try:
        answer: Any = json.loads(recorded.get("answer") or "null")
    except ValueError:
        return None
    status = answer.get("customStatus") if isinstance(answer, dict) else None
    return None if status is None else dump_stored(status)


def rows_of_last_execution(instance: Members) -> list[Members]:
    """The rows of the History table; those of an older, longer generation may still stand behind them."""
    final = instance.get("final") or {}
    execution = (final.get("instance") or {}).get("ExecutionId")
    return [
        row
        for row in final.get("history") or ()
        if row.get("EventType") is not None and row.get("ExecutionId") == execution
    ]


def from_row(row: Members) -> dict[str, Any]:
    """A row of the History table with the member names and forms of the wire."""
    members = {
        name: value for name, value in row.items() if name not in _ROW_COLUMNS and not name.endswith("odata.type")
    }
    members["EventType"] = _EVENT_NUMBERS.get(row["EventType"], row["EventType"])
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
