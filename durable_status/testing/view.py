"""What a test reads of an instance, in the words of the platform's client."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar, overload

from typing_extensions import TypeForm

from durable_status.failure import Failure
from durable_status.replay.events import Event, OrchestrationStatus
from durable_status.replay.ticks import PER_MICROSECOND
from durable_status.status_codec import codec_for
from durable_status.stored_text import read_stored
from durable_status.testing.errors import RuleBroken
from durable_status.testing.instance_state import InstanceState
from durable_status.testing.payloads import shown_value
from durable_status.testing.pending import Pending
from durable_status.testing.task_hub import TaskHub
from durable_status.testing.timeline import Timeline

Status = TypeVar("Status")


class InstanceView:
    """One instance of a task hub, read only."""

    def __init__(self, hub: TaskHub, instance_id: str, *, allow: Sequence[str] = ()) -> None:
        self.instance_id = instance_id
        self._hub = hub
        self._allow = frozenset(allow)

    def __repr__(self) -> str:
        if self.instance_id not in self._hub.instances:
            return f"<{type(self).__name__} {self.instance_id!r}: not in the task hub>"
        return f"<{type(self).__name__} {self.instance_id!r} of {self.name}: {self._standing()}>"

    def _standing(self) -> str:
        """Where it stands, in one line: why it has failed, its output, or what it waits for."""
        if self.failure is not None:
            return f"Failed, {self.failure}"
        status = shown_value(self.status)
        if self.has_ended:
            return f"{self.runtime_status}, status {status}, output {shown_value(self.output)}"
        waits = [f"event {name}" for name in self.waits_for] + [str(item) for item in self.pending]
        return f"{self.runtime_status}, status {status}, waits for {', '.join(waits) or 'nothing that can happen'}"

    @property
    def _state(self) -> InstanceState:
        return self._hub.instance(self.instance_id)

    @property
    def name(self) -> str:
        """The orchestration's name."""
        return self._state.started.name

    @property
    def started_input(self) -> str | None:
        """The stored input (JSON text); what the SDK's client sends is JSON text inside a JSON text."""
        return self._state.started.input

    @property
    def runtime_status(self) -> str:
        """The platform's word: Pending, Running, Completed, Failed, Terminated or Suspended."""
        return self._state.runtime_status.value

    @property
    def completed(self) -> bool:
        """Whether it is Completed."""
        return self._state.runtime_status is OrchestrationStatus.COMPLETED

    @property
    def failed(self) -> bool:
        """Whether it is Failed."""
        return self._state.runtime_status is OrchestrationStatus.FAILED

    @property
    def has_ended(self) -> bool:
        """Whether it takes no more messages."""
        return self._state.runtime_status.has_ended

    @overload
    def custom_status(self) -> Any: ...
    @overload
    def custom_status(self, status_type: TypeForm[Status]) -> Status: ...
    def custom_status(self, status_type: TypeForm[Status] | None = None) -> Any:
        """The custom status as a poller sees it now: JSON, or read as `status_type` as the typed clients read it.

        Raises:
            StatusDecodeError: the status does not fit `status_type`; before the first one it is null.
        """
        value = self._hub.custom_status(self._state)
        return value if status_type is None else codec_for(status_type).decode(value)

    @property
    def status(self) -> Any:
        """The custom status, in short."""
        return self.custom_status()

    @property
    def output(self) -> Any:
        """The output; of a failed instance the text of its failure."""
        return read_stored(self._state.output)

    @property
    def failure(self) -> Failure | None:
        """Why it has failed: the exception's type and text, and the lines of the app that it came through."""
        return self._state.failure

    @property
    def elapsed(self) -> timedelta:
        """Virtual time from the start to the latest checkpoint."""
        return timedelta(microseconds=(self._state.updated - self._state.created) // PER_MICROSECOND)

    @property
    def history(self) -> tuple[Event, ...]:
        """The events of the current generation, oldest first."""
        return tuple(self._state.history)

    @property
    def pending(self) -> tuple[Pending, ...]:
        """What the instance waits for and may happen: activities, timers, sub-orchestrations, messages."""
        return tuple(item for item in self._hub.pending if item.instance_id == self.instance_id)

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The names of the external events that the orchestrator waits for."""
        return self._state.waits_for

    @property
    def timeline(self) -> Timeline:
        """Every status that a poller could have seen so far."""
        state = self._state
        return Timeline(f"{state.started.name}({self._input_text()})", state.seen, state.unseen)

    @property
    def statuses(self) -> list[Any]:
        """The custom statuses that a poller could have seen, one after the other."""
        return self.timeline.statuses

    def _input_text(self) -> str:
        value = read_stored(self._state.started.input)
        return "" if value is None else str(value)

    def check_rules(self) -> None:
        """Raise for the rules that have been broken so far, except the allowed ones.

        Raises:
            RuleBroken: there are some.
        """
        findings = [finding for finding in self._hub.findings if finding.rule not in self._allow]
        if findings:
            raise RuleBroken(findings, str(self.timeline))
