"""Turns the messages to one entity into one commit: a batch of operations, and the entity's next generation.

An entity is an instance ``@name@key`` that continues as new after every batch; its stored state is the input of its
current generation. A message to an entity that does not exist makes it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from azure.durable_functions import Entity

from durable_status.app.functions import ENTITY_TRIGGER, AppFunction, by_durable_name
from durable_status.app.python_worker import trigger_arguments
from durable_status.failure import Failure
from durable_status.local_host.clock import Clock
from durable_status.local_host.failures import told
from durable_status.local_host.invocations import invocation, on_behalf_of
from durable_status.local_host.orchestrations import random_execution_id
from durable_status.local_host.storage.provider import EpisodeCommit, InstanceRow, Message, OrchestrationWork
from durable_status.local_host.worker import call_function, worker_failure
from durable_status.replay.entity_batch import (
    EntityBatch,
    EntityFunction,
    EntitySettings,
    failed_batch,
    run_entity_batch,
)
from durable_status.replay.entity_messages import EntityId
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionCompleted,
    ExecutionStarted,
    ExecutionTerminated,
    OrchestrationInstance,
    OrchestrationStatus,
    OrchestratorCompleted,
    OrchestratorStarted,
)
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.host_facts import FunctionNames
from durable_status.replay.profile import Profile

logger = logging.getLogger(__name__)

_LONGEST_DELAY_SECONDS = 600


class Entities:
    """The app's entities, ready to run. `run` calls user code and may be called from several threads."""

    def __init__(
        self,
        functions: Iterable[AppFunction],
        names: FunctionNames,
        settings: EntitySettings,
        profile: Profile,
        clock: Clock,
        new_execution_id: Callable[[], str] = random_execution_id,
    ) -> None:
        self._functions = by_durable_name(functions, ENTITY_TRIGGER)
        self._names = names
        self._settings = settings
        self._profile = profile
        self._clock = clock
        self._new_execution_id = new_execution_id
        self._failures: dict[str, int] = {}

    def run(self, work: OrchestrationWork) -> EpisodeCommit:
        """Run the batch that `work` brings; what is to be committed may be only that its messages are consumed.

        Raises:
            WorkerFailure: the batch failed as a whole; `seconds_until_retry` says when to run it again.
        """
        events = [message.event for message in work.messages.values()]
        if work.row is not None and work.row.runtime_status.has_ended:
            return EpisodeCommit()
        terminated = next((event for event in events if isinstance(event, ExecutionTerminated)), None)
        if terminated is not None:
            return EpisodeCommit() if work.row is None else self._end(work.row, terminated)
        raised = [event for event in events if isinstance(event, EventRaised)]
        for event in events:
            if not isinstance(event, EventRaised):
                logger.warning("Entity '%s': %s has no effect on an entity.", work.instance_id, type(event).__name__)
        if not raised:
            return EpisodeCommit()
        entity = EntityId.parse(work.instance_id)
        failures: list[Failure] = []
        batch = run_entity_batch(
            entity,
            None if work.row is None else work.row.input,
            raised,
            function=self._function(entity.name, work.instance_id, failures),
            now=self._clock.now(),
            settings=self._settings,
        )
        self._failures.pop(work.instance_id, None)
        for (operation, error), failure in zip_longest(batch.failed_operations, failures):
            logger.error(
                "Function '%s (Entity)' failed '%s' operation: %s (Instance='%s')",
                entity.name,
                operation,
                failure or error,
                work.instance_id,
            )
        for operation, sentence in batch.input_traps:
            logger.warning("Entity '%s', operation '%s': %s (native input)", work.instance_id, operation, sentence)
        return self._next_generation(work.instance_id, batch)

    def seconds_until_retry(self, instance_id: str) -> int:
        """How long to leave an entity alone whose batch has failed again: twice as long each time."""
        failures = self._failures[instance_id] = self._failures.get(instance_id, 0) + 1
        return min(1 << failures, _LONGEST_DELAY_SECONDS)

    def _function(self, name: str, instance_id: str, failures: list[Failure]) -> EntityFunction:
        """What a batch calls; the errors of its operations, of which the SDK keeps the text only, go to `failures`."""
        registered = self._names.find(name)

        def call(trigger: str) -> str:
            function = None if registered is None else self._functions.get(registered)
            if function is None:
                return self._answer_unknown(name, trigger)
            noting = replace(function, call=_noting_errors(function.call, failures))
            number = str(uuid.uuid4())
            with on_behalf_of(instance_id), invocation(function.name, number):
                answer: str = call_function(noting, trigger_arguments(function, trigger, number), number)
            return answer

        return call

    def _answer_unknown(self, name: str, trigger: str) -> str:
        """Fail every operation of an entity whose function is disabled or gone, as 3.x does; 2.13 tries for ever."""
        sentence = self._names.unknown_sentence(name)
        if not self._profile.fails_unknown_functions:
            raise WorkerFailure(sentence)
        return failed_batch(trigger, sentence)

    def _next_generation(self, instance_id: str, batch: EntityBatch) -> EpisodeCommit:
        now = self._clock.now()
        execution = OrchestrationInstance(instance_id=instance_id, execution_id=self._new_execution_id())
        history = (
            OrchestratorStarted(timestamp=now),
            ExecutionStarted(
                timestamp=now,
                is_played=True,
                orchestration_instance=execution,
                name=instance_id,
                input=batch.state,
                generate_new_trace=False if self._profile.writes_newer_members else None,
            ),
            OrchestratorCompleted(timestamp=now, is_played=True),
        )
        row = InstanceRow(
            instance_id=instance_id,
            execution_id=execution.execution_id or "",
            name=instance_id,
            input=batch.state,
            runtime_status=OrchestrationStatus.RUNNING,
            custom_status=batch.custom_status,
            created_time=now,
            last_updated_time=now,
        )
        messages = [
            Message(
                instance_id=sent.instance_id,
                execution_id=sent.execution_id,
                event=EventRaised(timestamp=now, name=sent.name, input=sent.input),
                due=sent.due,
            )
            for sent in batch.outbox
        ]
        return EpisodeCommit(row=row, replaces_history=True, events=history, messages=messages)

    def _end(self, row: InstanceRow, terminated: ExecutionTerminated) -> EpisodeCommit:
        """An entity that was terminated takes no more messages until it is purged, like any instance."""
        now = self._clock.now()
        ended = OrchestrationStatus.TERMINATED
        events: Sequence[Event] = (
            OrchestratorStarted(timestamp=now),
            terminated.played(),
            ExecutionCompleted(event_id=0, timestamp=now, orchestration_status=ended, result=terminated.input),
            OrchestratorCompleted(timestamp=now),
        )
        row = replace(row, runtime_status=ended, output=terminated.input, last_updated_time=now, completed_time=now)
        return EpisodeCommit(row=row, events=events)


def _noting_errors(handle: Callable[..., Any], failures: list[Failure]) -> Callable[..., Any]:
    """The SDK's handle of the same entity; why its operations fail is noted in order."""
    user_function = getattr(handle, "entity_function", None)
    if user_function is None:
        return handle

    def noting(context: Any) -> None:
        try:
            user_function(context)
        except Exception as error:
            failures.append(told(worker_failure(error)))
            raise

    made: Callable[..., Any] = Entity.create(noting)
    return made
