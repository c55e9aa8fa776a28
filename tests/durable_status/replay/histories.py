"""Small pieces for engine tests: the real SDK as the orchestrator, and instances driven step by step."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import azure.durable_functions as df

from durable_status.replay.classic import Orchestrator
from durable_status.replay.decisions import Outgoing, ScheduleActivity, SendEvent, SetTimer, StartSubOrchestration
from durable_status.replay.entity_messages import RequestMessage
from durable_status.replay.episode import Episode, Instance, run_episode
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionStarted,
    OrchestrationInstance,
    ParentInstance,
    TaskCompleted,
    TaskFailed,
    TimerFired,
)
from durable_status.replay.host_facts import FunctionKind, FunctionNames, HostFacts
from durable_status.replay.profile import PROFILE_2_13, Profile
from durable_status.replay.ticks import PER_SECOND, Ticks, parse_ticks
from durable_status.replay.traps import Mode
from durable_status.testing.observer import worker_failure

START = parse_ticks("2026-11-22T11:30:00Z")

UserCode = Callable[[Any], Generator[Any, Any, Any]]


def host_with(*activities: str, orchestrators: Sequence[str] = ("Main", "Child"), **facts: Any) -> HostFacts:
    """A host whose app has these functions."""
    return HostFacts(
        orchestrators=FunctionNames.create(FunctionKind.ORCHESTRATOR, orchestrators),
        activities=FunctionNames.create(FunctionKind.ACTIVITY, activities or ("Echo",)),
        **facts,
    )


@dataclass
class Driven:
    """One instance of an orchestrator, driven message by message through the engine and the real SDK."""

    user_code: UserCode
    host: HostFacts = field(default_factory=host_with)
    profile: Profile = PROFILE_2_13
    input: str | None = None
    parent: ParentInstance | None = None
    history: tuple[Event, ...] = ()
    now: Ticks = START
    last: Episode | None = None
    mode: Mode = Mode.FAITHFUL
    _execution: int = 0
    _carried_status: str | None = None

    def start(self, *more: Event) -> Episode:
        """The first episode; `more` arrives in the same batch."""
        started = ExecutionStarted(
            timestamp=self.now,
            orchestration_instance=OrchestrationInstance(instance_id="instance", execution_id="execution0"),
            parent_instance=self.parent,
            name="Main",
            input=self.input,
            generation=0,
        )
        return self.feed(started, *more)

    def feed(self, *messages: Event) -> Episode:
        """One work item: an episode, and those of the generations it leads to."""
        episode = self._episode(messages)
        while episode.next_generation is not None:
            self._execution += 1
            following = episode.next_generation
            self._carried_status = following.carried_status
            self.history = ()
            episode = self._episode(following.messages(f"execution{self._execution}", self.now))
        return episode

    def complete(self, *task_ids: int, result: str | None = "null") -> Episode:
        """Activities return, all in one batch."""
        return self.feed(
            *(TaskCompleted(timestamp=self.now, task_scheduled_id=task_id, result=result) for task_id in task_ids)
        )

    def fail(self, task_id: int, reason: str = "it broke") -> Episode:
        """An activity raises."""
        return self.feed(
            TaskFailed(timestamp=self.now, task_scheduled_id=task_id, reason=reason, details="the details")
        )

    def fire(self, task_id: int) -> Episode:
        """A timer fires."""
        return self.feed(TimerFired(timestamp=self.now, timer_id=task_id, fire_at=self.now))

    def raise_event(self, name: str, payload: str = "null") -> Episode:
        """An external event arrives."""
        return self.feed(EventRaised(timestamp=self.now, name=name, input=payload))

    def request_id(self, decision: Outgoing) -> str:
        """The id of a request to an entity: the name of the event that answers it."""
        assert isinstance(decision, SendEvent)
        return RequestMessage.from_text(decision.input).id

    def orchestrator(self) -> Orchestrator:
        """What each episode calls: the real SDK around the user code."""
        handle = df.Orchestrator.create(self.user_code)

        def call(trigger: str) -> str:
            try:
                return cast(str, handle(trigger))
            except Exception as error:
                raise worker_failure(error) from error

        return call

    def _episode(self, messages: Sequence[Event]) -> Episode:
        episode = run_episode(
            Instance(
                instance_id="instance",
                carried_status=self._carried_status,
                custom_status=self.last.custom_status if self.last else None,
            ),
            self.history,
            tuple(messages),
            orchestrator=self.orchestrator(),
            now=self.now,
            host=self.host,
            profile=self.profile,
            mode=self.mode,
        )
        self.history = (*self.history, *episode.appended)
        self.now = Ticks(self.now + PER_SECOND)
        self.last = episode
        return episode


def scheduled(episode: Episode) -> list[tuple[int, str]]:
    """The id and the name of each activity, timer or child that an episode decided."""
    names = []
    for decision in episode.outbox:
        match decision:
            case ScheduleActivity() | StartSubOrchestration():
                names.append((decision.id, decision.name))
            case SetTimer():
                names.append((decision.id, "timer"))
    return names


def event_names(history: Sequence[Event]) -> str:
    """A history in short: OS, ES, TS, TC and so on, separated by blanks."""
    return " ".join("".join(letter for letter in type(event).__name__ if letter.isupper()) for event in history)
