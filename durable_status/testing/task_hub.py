"""A task hub inside the test: instances, what is pending, and a clock that only the test moves.

Nothing happens by itself. `deliver` runs one episode with the messages it is given, like the platform's dispatcher does
with a batch, and what the episode asks for becomes pending. State is history: `fork` copies a few containers, and both
hubs go on independently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from durable_status.replay.decisions import Outgoing, ScheduleActivity, SendEvent, SetTimer, StartSubOrchestration
from durable_status.replay.episode import Episode, Instance, run_episode
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionStarted,
    OrchestrationInstance,
    OrchestrationStatus,
    ParentInstance,
    TimerFired,
)
from durable_status.replay.profile import Profile
from durable_status.replay.ticks import Ticks, parse_ticks
from durable_status.stored_text import read_stored
from durable_status.testing.causes import cause_of
from durable_status.testing.entities import EntityId, run_batch
from durable_status.testing.errors import Finding, HarnessError, known_names
from durable_status.testing.functions import Functions
from durable_status.testing.growing import Growing
from durable_status.testing.idle import idle_episode
from durable_status.testing.instance_state import InstanceState, failure_of, settled_wait
from durable_status.testing.observer import ObservedOrchestrator
from durable_status.testing.offloading import Offloads
from durable_status.testing.payloads import given_input
from durable_status.testing.pending import (
    Pending,
    PendingActivity,
    PendingChild,
    PendingItems,
    PendingMessage,
    PendingTimer,
)
from durable_status.testing.rules import check_episode, read_answer
from durable_status.testing.timeline import Seen, Unseen, entry_seconds
from durable_status.testing.unseen import unseen_statuses

START = parse_ticks("2026-01-01T00:00:00Z")
"""When virtual time begins."""


class TaskHub:
    """Instances and what is pending; see the module."""

    def __init__(self, functions: Functions, profile: Profile, *, asks_always: bool = False) -> None:
        """With `asks_always` the orchestrator is called in every episode, also where nothing can come of it."""
        self.functions = functions
        self.asks_always = asks_always
        self.now = START
        self.instances: dict[str, InstanceState] = {}
        self.entities: dict[str, str] = {}
        """What the batches of each entity left, by ``@name@key``."""
        self.pending = PendingItems()
        self.findings: tuple[Finding, ...] = ()
        self.calls: dict[str, int] = {}
        """How often each stub with several outcomes has been used."""
        self.profile = profile
        self._executions = 0
        self._offloads = Offloads()

    def fork(self) -> TaskHub:
        """A hub in the same state that goes on by itself."""
        other = TaskHub(self.functions, self.profile, asks_always=self.asks_always)
        other.now, other.pending, other.findings = self.now, PendingItems(self.pending), self.findings
        other.instances, other.calls, other.entities = dict(self.instances), dict(self.calls), dict(self.entities)
        other._executions, other._offloads = self._executions, self._offloads
        return other

    def instance(self, instance_id: str) -> InstanceState:
        """The instance with that id.

        Raises:
            HarnessError: there is none.
        """
        try:
            return self.instances[instance_id]
        except KeyError:
            raise HarnessError(f"there is no instance {instance_id!r}; {known_names(self.instances)}.") from None

    def custom_status(self, state: InstanceState) -> Any:
        """The custom status as a reader with a payload store gets it."""
        return read_stored(self._offloads.text_of(state.instance_id, state.custom_status) or state.custom_status)

    def create(
        self, name: str, input_text: str | None, instance_id: str, parent: ParentInstance | None = None
    ) -> ExecutionStarted:
        """Store a new instance, Pending; its first episode comes with the delivery of what is returned."""
        started = ExecutionStarted(
            timestamp=self.now,
            orchestration_instance=OrchestrationInstance(
                instance_id=instance_id, execution_id=self._new_execution_id()
            ),
            parent_instance=parent,
            name=name,
            input=input_text,
            generation=0 if parent is None else None,
        )
        state = InstanceState(started=started, created=self.now, updated=self.now)
        self.instances[instance_id] = self._with_entry(state, "start requested") if parent is None else state
        return started

    def deliver(self, instance_id: str, *messages: Event) -> None:
        """Run what one batch of messages causes: an episode, and those of the generations it leads to."""
        state = self.instance(instance_id)
        if state.runtime_status.has_ended:
            return  # as on the platform, where they are dropped
        awaited = None if state.awaited is None or self.asks_always else state.awaited.after(messages)
        if awaited is not None:
            history = state.history.plus(idle_episode(messages, self.now))
            self.instances[instance_id] = replace(state, history=history, updated=self.now, awaited=awaited)
            return
        cause = cause_of(state.history, messages)
        unseen: list[Unseen] = []
        while True:
            orchestrator = self.functions.orchestrator(state.started.name)
            state, episode = self._run(state, messages, orchestrator)
            seconds = entry_seconds(state.created, self.now)
            statuses = tuple(orchestrator.last.statuses)
            unseen += unseen_statuses(state.statuses_set, statuses, seconds, cause)
            state = replace(state, statuses_set=statuses)
            self._perform(state, episode)
            following = episode.next_generation
            if following is None:
                break
            messages = following.messages(self._new_execution_id(), self.now)
            started = messages[0]
            assert isinstance(started, ExecutionStarted)
            state = replace(
                state,
                started=started,
                history=Growing(),
                custom_status=following.carried_status,
                answer=None,
                statuses_set=(),
            )
        self.instances[instance_id] = self._with_entry(replace(state, unseen=(*state.unseen, *unseen)), cause)

    def _run(
        self, state: InstanceState, messages: Sequence[Event], orchestrator: ObservedOrchestrator
    ) -> tuple[InstanceState, Episode]:
        episode = run_episode(
            Instance(
                instance_id=state.instance_id,
                carried_status=None if state.history else state.custom_status,
                custom_status=state.custom_status,
            ),
            state.history,
            messages,
            orchestrator=orchestrator,
            now=self.now,
            host=self.functions.host,
            profile=self.profile,
            unsent_status=lambda: orchestrator.last.lines.unsent_status,
        )
        observation = orchestrator.last
        answer = read_answer(observation, self.profile)
        history = state.history.plus(episode.appended)
        findings = [
            *check_episode(
                answer,
                observation,
                episode,
                definition=orchestrator.place,
                before=state.answer,
                history=history,
            )
        ]
        if not orchestrator.answers_the_same():
            findings.append(_NOT_REPEATABLE)
        self._note(findings)
        state = replace(
            state,
            history=history,
            runtime_status=episode.runtime_status,
            custom_status=episode.custom_status,
            output=episode.output if episode.output is not None else state.output,
            updated=self.now,
            answer=answer,
            awaited=settled_wait(answer, observation, episode, before=state.answer, history=history),
            failure=failure_of(episode, observation),
            waits_for=tuple(wait.target for wait in observation.waits if not wait.task.is_completed),
        )
        return state, episode

    def report(self, finding: Finding) -> None:
        """Note a rule that something in the hub has broken."""
        self._note([finding])

    def _note(self, findings: Sequence[Finding]) -> None:
        new = [finding for finding in findings if finding not in self.findings]
        self.findings = (*self.findings, *dict.fromkeys(new))

    def _perform(self, state: InstanceState, episode: Episode) -> None:
        """Make pending what an episode asks for, and the news for its parent."""
        for decision in episode.outbox:
            self.pending.add(self._pending(state, decision))
        if episode.parent_message is not None:
            parent = episode.parent_message.parent
            self.pending.add(
                PendingMessage(
                    instance_id=parent.instance_id,
                    execution_id=parent.execution_id,
                    event=episode.parent_message.event,
                    id=episode.parent_message.event.task_scheduled_id,
                    text=f"the end of {state.started.name}",
                )
            )
        if state.runtime_status.has_ended or episode.next_generation is not None:
            self.pending.end(state.execution_id)

    def _pending(self, state: InstanceState, decision: Outgoing) -> Pending:
        owner: Mapping[str, Any] = {"instance_id": state.instance_id, "execution_id": state.execution_id}
        match decision:
            case ScheduleActivity():
                self._offloads.note(state.instance_id, decision)
                return PendingActivity(**owner, id=decision.id, name=decision.name, input=given_input(decision.input))
            case SetTimer():
                return PendingTimer(**owner, id=decision.id, created=self.now, fire_at=decision.fire_at)
            case StartSubOrchestration():
                return PendingChild(
                    **owner,
                    id=decision.id,
                    name=decision.name,
                    child_id=decision.instance_id,
                    input=decision.input,
                    parent=_as_parent(state.started, decision.id),
                )
            case SendEvent():
                return PendingMessage(
                    instance_id=decision.instance_id,
                    execution_id=None,
                    event=EventRaised(timestamp=self.now, name=decision.name, input=decision.input),
                    id=decision.id,
                    text=f"event {decision.name} to {decision.instance_id}",
                    due=decision.due or Ticks(0),
                )

    def _with_entry(self, state: InstanceState, cause: str) -> InstanceState:
        entry = Seen(
            at=state.updated,
            seconds=entry_seconds(state.created, state.updated),
            runtime_status=state.runtime_status.value,
            status_text=state.custom_status,
            offloaded_text=self._offloads.text_of(state.instance_id, state.custom_status),
            output_text=state.output,
            cause=cause,
        )
        if state.seen and state.seen[-1].document == entry.document:
            return state
        return replace(state, seen=(*state.seen, entry))

    def rewrite(self, state: InstanceState, history: tuple[Event, ...]) -> None:
        """Put an instance back to Pending with another history."""
        self.instances[state.instance_id] = replace(
            state,
            history=Growing(history),
            runtime_status=OrchestrationStatus.PENDING,
            updated=self.now,
            answer=None,
            awaited=None,
        )

    def remove(self, instance_id: str) -> None:
        """Forget an instance and what is pending for it."""
        del self.instances[instance_id]
        self._take_all([item for item in self.pending if item.instance_id == instance_id])

    def start_child(self, child: PendingChild) -> None:
        """Run the first episode of a child that was asked for."""
        self.take(child)
        self.deliver(child.child_id, self.create(child.name, child.input, child.child_id, child.parent))

    def run_entity(self, message: PendingMessage) -> None:
        """Run what has arrived for the entity that `message` is for; responses and signals become pending."""
        arrived = [
            item
            for item in self.pending
            if isinstance(item, PendingMessage) and item.instance_id == message.instance_id and item.due <= self.now
        ]
        entity = EntityId.parse(message.instance_id)
        registered = self.functions.host.entities.find(entity.name) or ""
        batch = run_batch(
            entity,
            self.entities.get(message.instance_id),
            [item.event for item in arrived if isinstance(item.event, EventRaised)],
            None if self.functions.host.entities.is_disabled(registered) else self.functions.entity(registered),
            self.functions.host.entities.unknown_sentence(entity.name),
            self.now,
        )
        self._take_all(arrived)
        if isinstance(batch, Finding):
            self._note([batch])
            return
        self.entities[message.instance_id] = batch.state
        for sent in batch.outbox:
            self.send(sent.instance_id, sent.name, sent.input, execution_id=sent.execution_id, due=sent.due)

    def send(
        self,
        instance_id: str,
        name: str,
        input_text: str | None,
        *,
        execution_id: str | None = None,
        due: Ticks = Ticks(0),
    ) -> None:
        """Put an event on its way to an instance or an entity."""
        self.pending.add(
            PendingMessage(
                instance_id=instance_id,
                execution_id=execution_id,
                id=0,
                event=EventRaised(timestamp=self.now, name=name, input=input_text),
                text=f"event {name} to {instance_id}",
                due=due,
            )
        )

    def take(self, item: Pending) -> None:
        """Remove something from what is pending: it happens now."""
        self.pending.take(item)

    def _take_all(self, items: Sequence[Pending]) -> None:
        for item in items:
            self.pending.take(item)

    def count(self, name: str) -> None:
        """Note that a call of `name` has ended."""
        key = name.casefold()
        self.calls[key] = self.calls.get(key, 0) + 1

    def fire(self, timer: PendingTimer, at: Ticks | None = None) -> TimerFired:
        """Take a timer and move the clock to its time (or `at`), if that is still to come; the message is returned."""
        self.take(timer)
        self.now = max(self.now, timer.fire_at if at is None else at)
        return TimerFired(timestamp=timer.created, timer_id=timer.id, fire_at=timer.fire_at)

    def _new_execution_id(self) -> str:
        self._executions += 1
        return f"{self._executions:032x}"


_NOT_REPEATABLE = Finding(
    rule="repeatable",
    text="The orchestrator gave two answers to one history: it depends on something outside of it, such as a module's "
    "variable, a set's order or the environment",
)


def _as_parent(started: ExecutionStarted, task_id: int) -> ParentInstance:
    return ParentInstance(
        name=started.name,
        orchestration_instance=started.orchestration_instance,
        task_schedule_id=task_id,
        version=started.version,
    )
