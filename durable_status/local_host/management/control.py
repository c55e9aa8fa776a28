"""Raise event, terminate, suspend, resume, rewind and makeprimary."""

from __future__ import annotations

from dataclasses import replace

from durable_status.local_host.clock import Clock
from durable_status.local_host.management.json_body import decode_body, media_type, parse_json
from durable_status.local_host.management.refusal import Refusal, failure
from durable_status.local_host.management.request import Request
from durable_status.local_host.reply import Reply, bare, message
from durable_status.local_host.storage.provider import InstanceRow, Message, Rewrite, StorageProvider
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
    GenericEvent,
    OrchestrationStatus,
)
from durable_status.replay.profile import Profile
from durable_status.stored_json import dump_stored


class Control:
    """Sends instances what steers them."""

    def __init__(self, storage: StorageProvider, clock: Clock, profile: Profile, *, uses_app_lease: bool) -> None:
        self._storage = storage
        self._clock = clock
        self._profile = profile
        self._uses_app_lease = uses_app_lease

    async def raise_event(self, request: Request) -> Reply:
        """Send an external event; text after the first JSON value is ignored."""
        row = await self._live_row(request)
        content_type = request.headers.get("content-type", "")
        if media_type(content_type) != "application/json":
            return message(400, "Only application/json request content is supported")
        value = parse_json(decode_body(request.body, content_type), first_value_only=True)
        event = EventRaised(timestamp=self._clock.now(), name=request.values["event_name"], input=dump_stored(value))
        return await self._accept(row, event)

    async def terminate(self, request: Request) -> Reply:
        """Ask the instance to end."""
        row = await self._live_row(request)
        reason = request.query.text("reason")
        return await self._accept(row, ExecutionTerminated(timestamp=self._clock.now(), input=reason))

    async def suspend(self, request: Request) -> Reply:
        """Ask the instance to hold."""
        row = await self._live_row(request)
        if row.runtime_status is OrchestrationStatus.SUSPENDED:
            raise _wrong_state("suspend", row)
        reason = request.query.text("reason")
        return await self._accept(row, ExecutionSuspended(timestamp=self._clock.now(), reason=reason))

    async def resume(self, request: Request) -> Reply:
        """Ask a suspended instance to go on."""
        row = await self._live_row(request)
        if row.runtime_status is not OrchestrationStatus.SUSPENDED:
            raise _wrong_state("resume", row)
        reason = request.query.text("reason")
        return await self._accept(row, ExecutionResumed(timestamp=self._clock.now(), reason=reason))

    async def rewind(self, request: Request) -> Reply:
        """Take back what failed, in the instance and in its failed children, and wake the deepest of them."""
        instance_id = request.values["instance_id"]
        row = await self._storage.read_instance(instance_id)
        if row is None or row.runtime_status is not OrchestrationStatus.FAILED:
            raise self._not_rewindable(instance_id, row)
        rewrites, leaves = await self._rewound(row)
        woken = GenericEvent(timestamp=self._clock.now(), data=request.query.text("reason"))
        await self._storage.rewrite(rewrites, [Message(instance_id=leaf, event=woken) for leaf in leaves])
        return bare(202)

    async def make_primary(self, request: Request) -> Reply:  # noqa: ARG002 - all operations are called alike
        """Nothing to do: there is one host."""
        if not self._uses_app_lease:
            raise failure("Cannot make current app primary. This app is not using the AppLease feature.")
        return bare(200)

    async def _live_row(self, request: Request) -> InstanceRow:
        """The row of the instance that the request is about.

        Raises:
            Refusal: 404 without such an instance, 410 when it has ended.
        """
        row = await self._storage.read_instance(request.values["instance_id"])
        if row is None:
            raise Refusal(bare(404))
        if row.runtime_status.has_ended:
            raise Refusal(bare(410))
        return row

    async def _accept(self, row: InstanceRow, event: Event) -> Reply:
        await self._storage.send(Message(instance_id=row.instance_id, event=event))
        return bare(202)

    async def _rewound(self, row: InstanceRow) -> tuple[list[Rewrite], list[str]]:
        """What to write for `row` and all its failed descendants, and which of them to wake.

        Raises:
            Refusal: 500, a child was purged.
        """
        rewrites: list[Rewrite] = []
        leaves: list[str] = []
        todo = [row]
        while todo:
            current = todo.pop()
            from durable_status.replay.rewind import rewind  # not for the start, see the dispatcher

            rewound = rewind(await self._storage.read_history(current.instance_id))
            pending = replace(current, runtime_status=OrchestrationStatus.PENDING, last_updated_time=self._clock.now())
            rewrites.append(Rewrite(row=pending, history=rewound.history))
            for child_id in rewound.children:
                child = await self._storage.read_instance(child_id)
                if child is None:
                    raise failure(f"The failed sub-orchestration {child_id} was purged, so it cannot be rewound.")
                todo.append(child)
            if not rewound.children:
                leaves.append(current.instance_id)
        return rewrites, leaves

    def _not_rewindable(self, instance_id: str, row: InstanceRow | None) -> Refusal:
        newer = self._profile.has_newer_control_answers
        if row is None:
            text = f'No orchestration with instance ID "${instance_id}" found.'  # the $ is theirs
            return Refusal(message(404, text) if newer else bare(404))
        if newer:
            return Refusal(
                message(
                    412,
                    f"This orchestration has status {row.runtime_status.value}, "
                    'but only orchestrations in the "Failed" state can be rewound.',
                )
            )
        if row.runtime_status.has_ended:
            return Refusal(bare(410))
        return failure("The rewind operation is only supported on failed orchestration instances.")


def _wrong_state(operation: str, row: InstanceRow) -> Refusal:
    return failure(
        f"Cannot {operation} the orchestration instance {row.instance_id} "
        f"because instance is in the {row.runtime_status.value} state."
    )
