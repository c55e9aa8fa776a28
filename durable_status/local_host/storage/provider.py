"""What a storage provider keeps and promises.

A provider holds one task hub: instance rows, histories, messages to instances and activities to run. One rule carries
them all: *the commit of an episode is all or nothing, and what it consumed goes only with it*. Whatever a method has
returned from survives SIGKILL, except in memory.

`tests/local_host/storage/contract.py` is this contract as tests; every provider inherits them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from durable_status.replay.events import Event, ExecutionStarted, OrchestrationStatus
from durable_status.replay.ticks import Ticks


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRow:
    """What a status query shows of an instance. Texts are as stored: JSON, or the raw text of a reason."""

    instance_id: str
    execution_id: str
    name: str
    version: str = ""
    input: str | None = None
    runtime_status: OrchestrationStatus
    custom_status: str | None = None
    output: str | None = None
    created_time: Ticks
    last_updated_time: Ticks
    completed_time: Ticks | None = None
    generation: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event on its way to an instance; not delivered before `due`.

    An `execution_id` addresses one execution; without one, whichever is current.
    """

    instance_id: str
    execution_id: str | None = None
    event: Event
    due: Ticks = Ticks(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityCall:
    """An activity to run. `input` is a JSON array of one element."""

    instance_id: str
    execution_id: str
    task_id: int
    name: str
    input: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrchestrationWork:
    """An instance with messages (keyed by number, in order), locked until it is committed or released."""

    instance_id: str
    row: InstanceRow | None
    history: Sequence[Event]
    messages: Mapping[int, Message]
    row_lags: bool = False
    """Whether the stored row is behind the history: a host died between the two. `row` is what the history says of it,
    except for the custom status, which only running the episode again can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityWork:
    """An activity call, taken until it is completed."""

    number: int
    call: ActivityCall


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeCommit:
    """All that one work item changes. Without `row` only the messages are consumed."""

    row: InstanceRow | None = None
    replaces_history: bool = False
    events: Sequence[Event] = ()
    messages: Sequence[Message] = ()
    activities: Sequence[ActivityCall] = ()
    rest_seconds: float = 0.0
    """How long to let further messages gather before the instance is handed out again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """An instance whose row and history are replaced."""

    row: InstanceRow
    history: Sequence[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceFilter:
    """Which instances to list; what is None does not count. Times include both ends."""

    created_from: Ticks | None = None
    created_to: Ticks | None = None
    statuses: Collection[OrchestrationStatus] | None = None
    id_prefix: str = ""

    def admits(self, row: InstanceRow) -> bool:
        """Whether `row` is among them."""
        return (
            row.instance_id.startswith(self.id_prefix)
            and (self.created_from is None or row.created_time >= self.created_from)
            and (self.created_to is None or row.created_time <= self.created_to)
            and (self.statuses is None or row.runtime_status in self.statuses)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some instances in the order of their ids; `last_id` is not None when there are more."""

    rows: Sequence[InstanceRow] = field(default_factory=list)
    last_id: str | None = None


class StorageProvider(Protocol):
    """One task hub. Used from one event loop."""

    async def open(self) -> None:
        """Make the hub usable, and hand out again what an earlier host left undone.

        Raises:
            StorageError: it cannot be used; nothing was changed.
        """

    async def close(self) -> None:
        """Let go of the hub. Nothing waits to be written."""

    async def until_lost(self) -> None:
        """Wait until the hub is no longer this host's, which may never be.

        Raises:
            StorageError: it is another's now; the text says why.
        """

    async def create_instance(self, row: InstanceRow, started: ExecutionStarted, *, replace_live: bool) -> None:
        """Store a new instance and its first message; an ended one of that id is replaced.

        Raises:
            InstanceExistsError: one that has not ended has the id, and `replace_live` is false.
        """

    async def send(self, message: Message) -> None:
        """Store a message to an instance."""

    async def rewrite(self, rewrites: Collection[Rewrite], messages: Collection[Message]) -> None:
        """Replace rows and histories of instances that have ended, and store messages, all or nothing."""

    async def read_instance(self, instance_id: str) -> InstanceRow | None:
        """The row of an instance, or None."""

    async def read_history(self, instance_id: str) -> Sequence[Event]:
        """The committed events of the current generation, oldest first."""

    async def list_instances(self, wanted: InstanceFilter, *, after_id: str | None, limit: int) -> Page:
        """Up to `limit` instances whose ids come after `after_id`."""

    async def purge(self, instance_ids: Collection[str]) -> int:
        """Delete rows and histories; say how many of the instances there were.

        Messages stay, as on the platform: a start message that was not processed yet brings its instance back.
        """

    async def next_orchestration(self) -> OrchestrationWork:
        """Wait for an instance with due messages that nobody works on, and take all of them."""

    async def commit(self, work: OrchestrationWork, commit: EpisodeCommit) -> None:
        """Apply `commit` and consume the messages of `work`, all or nothing; the instance is free again.

        If the instance was purged or replaced meanwhile, only the messages are consumed.
        """

    async def release(self, work: OrchestrationWork) -> None:
        """Give `work` back untouched."""

    async def next_activity(self) -> ActivityWork:
        """Wait for an activity to run."""

    async def complete_activity(self, work: ActivityWork, answer: Message) -> None:
        """Store the answer and consume the call, all or nothing."""
