"""The entities of a task hub inside the test: what has arrived for one runs as one batch, at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from durable_status.app.functions import AppFunction
from durable_status.app.python_worker import call_in_thread, trigger_arguments
from durable_status.replay.entity_batch import (
    EntityBatch,
    EntityFunction,
    EntitySettings,
    failed_batch,
    read_entity_state,
    run_entity_batch,
)
from durable_status.replay.entity_messages import EntityId
from durable_status.replay.events import EventRaised
from durable_status.replay.failures import WorkerFailure
from durable_status.replay.ticks import Ticks
from durable_status.testing.errors import Finding
from durable_status.testing.observer import INVOCATION_ID, worker_failure

__all__ = ["EntityId", "read_entity_state", "run_batch"]


def run_batch(
    entity: EntityId,
    state: str | None,
    events: Sequence[EventRaised],
    function: AppFunction | None,
    unknown: str,
    now: Ticks,
) -> EntityBatch | Finding:
    """Run the operations that `events` bring; a finding when the entity cannot answer.

    Without a `function`, which a setting has switched off, each operation fails with the sentence `unknown`.
    The platform runs such a batch again and again, and its callers wait for ever (replay.md §3.7).
    """
    try:
        handle = _handle(function) if function else partial(failed_batch, sentence=unknown)
        return run_entity_batch(entity, state, events, function=handle, now=now, settings=EntitySettings())
    except WorkerFailure as failure:
        return Finding(
            rule="answer",
            text=f"The entity {entity.instance_id} cannot answer: {failure.message.splitlines()[0]}. On the platform "
            "the batch runs again and again, and its callers wait for ever",
        )


def _handle(function: AppFunction) -> EntityFunction:
    def call(trigger: str) -> str:
        try:
            answer: str = call_in_thread(function, trigger_arguments(function, trigger, INVOCATION_ID), INVOCATION_ID)
        except (Exception, SystemExit) as error:
            raise worker_failure(error) from error
        return answer

    return call
