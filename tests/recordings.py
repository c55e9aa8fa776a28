"""Reads the recorded episodes and takes them apart into what goes in and what has to come out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from durable_status.replay.episode import Episode, Instance, run_episode
from durable_status.replay.event_json import event_from_members, event_text
from durable_status.replay.events import Event, EventType, OrchestrationStatus, OrchestratorStarted
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.replay.profile import PROFILE_2_13
from durable_status.replay.ticks import format_ticks, parse_ticks
from durable_status.stored_json import dump_stored
from tests.paths import GOLDENS

_FOLDER = GOLDENS / "replay"
_EVENT_NUMBERS = {kind.name.title().replace("_", ""): kind.value for kind in EventType}


def recorded_host() -> HostFacts:
    """The functions of the app that was recorded."""
    names = json.loads((_FOLDER / "functions.json").read_text())
    return HostFacts(
        orchestrators=FunctionNames.create(FunctionKind.ORCHESTRATOR, names["orchestrator"]),
        activities=FunctionNames.create(FunctionKind.ACTIVITY, names["activity"]),
        entities=FunctionNames.create(FunctionKind.ENTITY, names["entity"]),
    )


@dataclass(frozen=True, kw_only=True)
class RecordedEpisode:
    """One episode and what followed it."""

    name: str
    instance_id: str
    recorded: Mapping[str, Any]
    following: Mapping[str, Any] | None
    final_rows: Sequence[Mapping[str, Any]]
    carried_status: str | None

    @property
    def history(self) -> list[Mapping[str, Any]]:
        """The events of the trigger, old and new."""
        return list(self.recorded["trigger"]["history"])

    @property
    def new_from(self) -> int:
        """Where the events of this episode begin: its OrchestratorStarted."""
        return max(index for index, event in enumerate(self.history) if event["EventType"] == 12)

    @property
    def continues_as_new(self) -> bool:
        """Whether the next recorded trigger is of another execution."""
        return self.following is not None and _execution_id(self.following) != _execution_id(self.recorded)

    def run(self, host: HostFacts) -> tuple[Episode, str]:
        """Put the recorded answer to the engine; returns the episode and the trigger the engine handed out."""
        events: list[Event] = [event_from_members(members) for members in self.history]
        started = events[self.new_from]
        assert isinstance(started, OrchestratorStarted)
        triggers: list[str] = []

        def orchestrator(trigger: str) -> str:
            triggers.append(trigger)
            failure = self.recorded.get("failure")
            if failure is not None:
                raise WorkerFailure(failure["message"], failure["stack"])
            return str(self.recorded["answer"])

        episode = run_episode(
            Instance(instance_id=self.instance_id, carried_status=self.carried_status),
            events[: self.new_from],
            events[self.new_from + 1 :],
            orchestrator=orchestrator,
            now=started.timestamp,
            host=host,
            profile=PROFILE_2_13,
        )
        (trigger,) = triggers
        return episode, trigger

    def expected_decisions(self) -> list[dict[str, Any]]:
        """The events that the host appended after the messages, as far as they are compared."""
        if self.following is None:
            return [_comparable(_from_row(row)) for row in self.final_rows[len(self.history) :]]
        events = self.following["trigger"]["history"]
        last_start = max(index for index, event in enumerate(events) if event["EventType"] == 12)
        return [_comparable(event) for event in events[len(self.history) : last_start]]

    def expected_past(self) -> list[Mapping[str, Any]] | None:
        """The events of this trigger as the next one shows them, with their final IsPlayed."""
        return None if self.following is None else list(self.following["trigger"]["history"][: len(self.history)])

    def expected_next_messages(self) -> list[dict[str, Any]]:
        """What the next generation begins with."""
        assert self.following is not None
        return [_comparable(event) for event in self.following["trigger"]["history"][1:]]


def comparable_events(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Events as members, without what differs from run to run."""
    return [_comparable(json.loads(event_text(event))) for event in events]


def recorded_episodes() -> Iterator[RecordedEpisode]:
    """All of them, in the order of their files."""
    for path in sorted(_FOLDER.glob("*.json")):
        for instance in json.loads(path.read_text()).get("instances", []):
            yield from _episodes(path.stem, instance)


def _episodes(case: str, instance: Mapping[str, Any]) -> Iterator[RecordedEpisode]:
    episodes = instance["episodes"]
    execution = instance["final"]["instance"].get("ExecutionId")
    rows = [
        row for row in instance["final"]["history"] if row["RowKey"] != "sentinel" and row["ExecutionId"] == execution
    ]
    carried: str | None = None
    for index, recorded in enumerate(episodes):
        following = episodes[index + 1] if index + 1 < len(episodes) else None
        episode = RecordedEpisode(
            name=f"{case}/{instance['id']}/{index}",
            instance_id=instance["id"],
            recorded=recorded,
            following=following,
            final_rows=rows,
            carried_status=carried,
        )
        yield episode
        carried = _status_of_run(recorded) if episode.continues_as_new else None


def _status_of_run(recorded: Mapping[str, Any]) -> str | None:
    status = json.loads(recorded["answer"]).get("customStatus")
    return None if status is None else dump_stored(status)


def _execution_id(recorded: Mapping[str, Any]) -> str:
    execution: str = recorded["trigger"]["history"][1]["OrchestrationInstance"]["ExecutionId"]
    return execution


def _comparable(event: Mapping[str, Any]) -> dict[str, Any]:
    skipped = {"Timestamp", "ClientSpanId"} | ({"OrchestrationInstance"} if event["EventType"] == 0 else set())
    members = {name: value for name, value in event.items() if name not in skipped and value is not None}
    if event["EventType"] == EventType.EVENT_SENT and event.get("Input"):
        members["Input"] = {name: value for name, value in json.loads(event["Input"]).items() if name != "$type"}
    return members


def _from_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the History table with the member names and forms of the wire."""
    members = {
        name: value
        for name, value in row.items()
        if name not in ("PartitionKey", "RowKey", "_Timestamp", "ExecutionId") and not name.endswith("odata.type")
    }
    members["EventType"] = _EVENT_NUMBERS[row["EventType"]]
    if "OrchestrationStatus" in members:
        members["OrchestrationStatus"] = OrchestrationStatus(members["OrchestrationStatus"]).number
    if "FireAt" in members:
        members["FireAt"] = format_ticks(parse_ticks(members["FireAt"]))
    return members
