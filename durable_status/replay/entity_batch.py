"""An entity batch is a value: stored state and messages in, new state and everything the host has to send out.

All operations that have arrived together run in one call of the SDK. No I/O, no clock: the same arguments give the same
`EntityBatch`. The caller commits it as one step; if the call raises, nothing has happened and the messages stay.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from durable_status.replay.entity_messages import (
    REQUEST_EVENT,
    EntityId,
    RequestMessage,
    ResponseMessage,
    scheduled_request_event,
)
from durable_status.replay.events import EventRaised
from durable_status.replay.failures import WorkerFailure, dotnet_exception
from durable_status.replay.input_traps import operation_input_trap
from durable_status.replay.message_sorter import MessageSorter
from durable_status.replay.ticks import PER_DAY, PER_MILLISECOND, PER_SECOND, Ticks, format_ticks_in_full
from durable_status.stored_json import dump_stored
from durable_status.stored_text import read_stored

EntityFunction = Callable[[str], str]
"""The SDK's handle of an entity function: JSON text in, JSON text out. Raises `WorkerFailure`."""

_CONTINUE_EVENT = "continue"
_FUNCTION_FAILED = "Microsoft.Azure.WebJobs.Extensions.DurableTask.FunctionFailedException"
_EARLY_BY_LITTLE = 100 * PER_MILLISECOND
_SIGNAL_IDS = uuid.UUID("9e952959-5e33-4daf-827f-2fa12937b875")  # the platform's own are random


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitySettings:
    """The settings that a batch depends on."""

    reorder_window: Ticks = Ticks(30 * 60 * PER_SECOND)
    """How long a message is waited for that another names as its predecessor; 0 switches sorting off."""
    max_batch_size: int = 5_000
    maximum_delay: Ticks = Ticks(6 * PER_DAY)
    """How far ahead a message can be sent; one for later comes in legs of `delay_leg`."""
    delay_leg: Ticks = Ticks(3 * PER_DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEvent:
    """An event for another instance, or for the entity itself. `input` is JSON text."""

    instance_id: str
    execution_id: str | None = None
    name: str
    input: str | None
    due: Ticks = Ticks(0)
    """Not to be delivered before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityBatch:
    """What one batch led to."""

    state: str
    """JSON text: the input of the entity's next generation."""
    custom_status: str
    """JSON text: whether the entity exists, and how many operations wait."""
    outbox: tuple[SentEvent, ...]
    """Signals whose time has not come, responses to callers in the order of their operations, then new signals."""
    failed_operations: tuple[tuple[str, str], ...]
    """Name and error (JSON text) of each operation that raised: of a signal's nobody else hears."""
    input_traps: tuple[tuple[str, str], ...]
    """Of those that failed for how their input was sent, name and a sentence that says so."""


def run_entity_batch(
    entity: EntityId,
    state: str | None,
    events: Sequence[EventRaised],
    *,
    function: EntityFunction,
    now: Ticks,
    settings: EntitySettings,
) -> EntityBatch:
    """Run the operations that `events` bring, as many as fit into one batch, in one call of `function`.

    Args:
        entity: whose batch it is.
        state: what the batch before left; None for an entity that had none.
        events: what has arrived since, in order. An event that is no request only wakes the entity.
        function: the SDK's handle of the entity function; not called when no operation is to run.
        now: the time of this batch.
        settings: of the host.

    Raises:
        WorkerFailure: `function` raised, or what it answered is not usable; the batch is to be run again later.
    """
    scheduler = _Scheduler.read(state, settings)
    sent: list[SentEvent] = []
    for request in _requests(events):
        if request.due is not None and request.due.ticks - now > _EARLY_BY_LITTLE:
            sent.append(_put_off(entity, request, request.due.ticks, now, settings))
        else:
            scheduler.take_in(request)
    operations = scheduler.next_operations()
    failed: list[tuple[str, str]] = []
    traps: list[tuple[str, str]] = []
    if operations:
        answer = _call(function, entity, scheduler, operations)
        scheduler.exists, scheduler.state = answer.exists, answer.state
        for operation, result in zip(operations, answer.results, strict=False):
            if result.exception_type is not None:
                failed.append((operation.operation or "", result.result or ""))
                trap = operation_input_trap(str(read_stored(result.result)), operation.input)
                if trap is not None:
                    traps.append((operation.operation or "", trap))
            if not operation.is_signal:
                sent.append(_response(operation, result))
        sent += scheduler.signals(entity, answer.signals, now)
    if scheduler.is_interrupted:
        sent.append(SentEvent(instance_id=entity.instance_id, name=_CONTINUE_EVENT, input=None))
    return EntityBatch(
        state=scheduler.text,
        custom_status=scheduler.custom_status,
        outbox=tuple(sent),
        failed_operations=tuple(failed),
        input_traps=tuple(traps),
    )


def failed_batch(trigger: str, sentence: str) -> str:
    """What stands for the SDK's answer when there is no function to call: each operation fails, and the state stays.

    The error is the .NET exception that 3.x raises; user code gets it as a dictionary.
    """
    members = json.loads(trigger)
    failed = {"isError": True, "result": dotnet_exception(_FUNCTION_FAILED, sentence)}
    return dump_stored(
        {
            "entityExists": members["exists"],
            "entityState": members["state"],
            "results": [failed] * len(members["batch"]),
            "signals": [],
        }
    )


def read_entity_state(state: str | None) -> str | None:
    """The entity's own state (JSON text) in what a batch left; None for an entity that never ran an operation."""
    text: str | None = json.loads(state or "{}").get("state")
    return text


def _requests(events: Iterable[EventRaised]) -> Iterator[RequestMessage]:
    for event in events:
        if event.name.startswith(REQUEST_EVENT) and event.input is not None:
            try:
                yield RequestMessage.from_text(event.input)
            except (ValueError, TypeError) as error:
                raise WorkerFailure(f"An event '{event.name}' of the entity is no request: {error}") from error


def _put_off(entity: EntityId, request: RequestMessage, due: Ticks, now: Ticks, settings: EntitySettings) -> SentEvent:
    """Send a request on to its entity: it was due too far ahead for one leg."""
    leg = due if due - now <= settings.maximum_delay else Ticks(now + settings.delay_leg)
    return SentEvent(instance_id=entity.instance_id, name=scheduled_request_event(leg), input=request.text, due=leg)


class _Scheduler:
    """The stored state of an entity: its own, the operations that wait, and the clocks of its messages."""

    def __init__(self, members: Mapping[str, Any], settings: EntitySettings) -> None:
        self.exists: bool = members.get("exists", False)
        self.state: str | None = members.get("state")
        self._queue = [RequestMessage.from_members(item) for item in members.get("queue", ())]
        self._sorter = MessageSorter.from_members(members.get("sorter") or {}, settings.reorder_window)
        self._max_batch_size = settings.max_batch_size
        self.is_interrupted = False
        """Whether operations were left for another batch, which a message of the entity to itself brings about."""

    @classmethod
    def read(cls, text: str | None, settings: EntitySettings) -> Self:
        return cls({} if text is None else json.loads(text), settings)

    def take_in(self, request: RequestMessage) -> None:
        self._queue += self._sorter.receive(request)

    def next_operations(self) -> Sequence[RequestMessage]:
        operations, self._queue = self._queue[: self._max_batch_size], self._queue[self._max_batch_size :]
        self.is_interrupted = bool(self._queue)
        return operations

    def signals(self, entity: EntityId, signals: Sequence[_Signal], now: Ticks) -> list[SentEvent]:
        sent: list[SentEvent] = []
        for number, signal in enumerate(signals):
            target = signal.target.instance_id
            request = RequestMessage(
                operation=signal.operation,
                is_signal=True,
                input=signal.input,
                id=str(uuid.uuid5(_SIGNAL_IDS, f"{entity.instance_id}_{format_ticks_in_full(now)}_{number}")),
                parent_instance_id=entity.instance_id,
            )
            labelled = self._sorter.label(request, target, now)
            sent.append(SentEvent(instance_id=target, name=labelled.event_name, input=labelled.text))
        return sent

    @property
    def text(self) -> str:
        written: dict[str, Any] = {
            "exists": self.exists or None,
            "state": self.state,
            "queue": [request.members for request in self._queue] or None,
            "suspended": self.is_interrupted or None,
            "sorter": self._sorter.members,
        }
        return dump_stored({name: value for name, value in written.items() if value is not None})

    @property
    def custom_status(self) -> str:
        written = {"entityExists": self.exists, "queueSize": len(self._queue)}
        return dump_stored({name: value for name, value in written.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signal:
    target: EntityId
    operation: str
    input: str | None

    @classmethod
    def from_members(cls, members: Mapping[str, Any]) -> Self:
        target = members["target"]
        return cls(
            target=EntityId(target["name"], target["key"]), operation=members["name"], input=members.get("input")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What the SDK says of a batch."""

    exists: bool
    state: str | None
    results: Sequence[ResponseMessage]
    signals: Sequence[_Signal]
    """SDK 1.x sends none; the wire has them."""

    @classmethod
    def read(cls, text: str) -> Self:
        members = json.loads(text)
        return cls(
            exists=bool(members.get("entityExists")),
            state=members.get("entityState"),
            results=[
                ResponseMessage(result=item.get("result"), exception_type="Error" if item.get("isError") else None)
                for item in members["results"]
            ],
            signals=[_Signal.from_members(item) for item in members.get("signals") or ()],
        )


def _call(
    function: EntityFunction, entity: EntityId, scheduler: _Scheduler, operations: Sequence[RequestMessage]
) -> _Answer:
    trigger = {
        "self": {"name": entity.name, "key": entity.key},
        "exists": scheduler.exists,
        "state": scheduler.state,
        "batch": [
            {"name": operation.operation, "input": operation.input, "isSignal": operation.is_signal}
            for operation in operations
        ],
    }
    text = function(dump_stored(trigger))
    try:
        answer = _Answer.read(text)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WorkerFailure(
            f"The entity function '{entity.name}' did not answer with an entity state: {text}"
        ) from error
    if len(answer.results) < len(operations):
        raise WorkerFailure(
            f"The entity function '{entity.name}' answered {len(answer.results)} of {len(operations)} operations."
        )
    return answer


def _response(operation: RequestMessage, result: ResponseMessage) -> SentEvent:
    return SentEvent(
        instance_id=operation.parent_instance_id or "",
        execution_id=operation.parent_execution_id,
        name=operation.id,
        input=result.text,
    )
