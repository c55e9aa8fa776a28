"""The verbs of the two clients for asyncio, and what they mean."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Collection
from datetime import datetime
from typing import Any, TypeVar

from typing_extensions import TypeForm

from durable_status.client import flows, watching
from durable_status.client.driving import run_async, stream_async
from durable_status.client.hydration import perform
from durable_status.client.steps import Fetch, Flow, Pause, Request, Response, Step, Stream
from durable_status.client.watching import HttpLooks, Pace
from durable_status.instance_status import InstanceStatus, RuntimeStatus
from durable_status.offloaded import PayloadStore

S = TypeVar("S")
T = TypeVar("T")


class AsyncVerbs(ABC):
    """Starts, watches and steers instances.

    Every verb checks its arguments before anything is sent (`RefusedError`). A missing instance is an
    `InstanceNotFoundError`, one in the wrong state an `InstanceStateError`, everything else that the host says or does
    not say a `HostError`. ``status_type`` is the type of the custom status: anything one can annotate with; ``Any``
    for whatever it is.
    """

    def __init__(self, pace: Pace, payload_store: PayloadStore | None) -> None:
        self._pace = pace
        self._payload_store = payload_store

    @abstractmethod
    async def _send(self, request: Request) -> Response:
        """Send a request.

        Raises:
            HostError: no answer came.
        """

    async def start_new(
        self, orchestration: str, input: Any = None, *, instance_id: str | None = None, version: str | None = None
    ) -> str:
        """Start an instance and return its id.

        The input is JSON or a typed value; the orchestrator gets it from ``context.get_input()`` as plain JSON. An id
        whose instance has ended is used again; one that still runs is an `InstanceStateError`. Extension 3.x accepts
        an orchestration that does not exist; its instance then fails.
        """
        return await self._run(flows.start_new(orchestration, input, instance_id, version))

    async def get_status(
        self, instance_id: str, status_type: TypeForm[S], *, show_input: bool = False, show_history: bool = False
    ) -> InstanceStatus[S]:
        """Ask for one instance. Input and history are not even fetched unless asked for."""
        return await self._run(
            flows.get_status(instance_id, status_type, show_input=show_input, show_history=show_history)
        )

    def list_statuses(
        self,
        status_type: TypeForm[S],
        *,
        where: Callable[[InstanceStatus[S]], bool] | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        runtime_status: Collection[RuntimeStatus] = (),
        instance_id_prefix: str = "",
        show_input: bool = False,
        page_size: int = 100,
    ) -> AsyncIterator[InstanceStatus[S]]:
        """Go through instances, however many, one page in memory at a time; entities are left out.

        The host filters by creation time, runtime status and prefix; `where` is asked here, for each that came.
        """
        filters = flows.Filters(
            created_from=created_from,
            created_to=created_to,
            runtime_status=runtime_status,
            instance_id_prefix=instance_id_prefix,
            page_size=page_size,
        )
        return self._stream(flows.list_statuses(status_type, filters, where, show_input))

    def watch(self, instance_id: str, status_type: TypeForm[S]) -> AsyncIterator[InstanceStatus[S]]:
        """Yield the status now and after each change of runtime status, custom status or output, until the end.

        It survives restarts of the host: see `durable_status.client.watching`, also for how often it looks.
        """
        return self._stream(watching.watch(HttpLooks(instance_id, self._pace), status_type))

    async def wait_for_status(
        self,
        instance_id: str,
        status_type: TypeForm[S],
        predicate: Callable[[InstanceStatus[S]], bool],
        timeout: float,
    ) -> InstanceStatus[S]:
        """Wait until `predicate` holds, for `timeout` seconds at most, and return the status for which it does.

        Raises:
            InstanceEndedError: the instance has ended, and it does not hold; `InstanceFailedError` if it failed.
            WaitTimeoutError: the time is up.
        """
        return await self._run(
            watching.wait_for_status(HttpLooks(instance_id, self._pace), status_type, predicate, timeout)
        )

    async def wait_for_completion(
        self, instance_id: str, status_type: TypeForm[S], timeout: float
    ) -> InstanceStatus[S]:
        """Wait until the instance has completed, for `timeout` seconds at most.

        Raises:
            InstanceFailedError: it ended Failed, Terminated or Canceled.
            WaitTimeoutError: the time is up.
        """
        return await self.wait_for_status(instance_id, status_type, watching.has_completed, timeout)

    async def raise_event(self, instance_id: str, event_name: str, payload: Any = None) -> None:
        """Raise an event; it is stored until somebody waits for it. The orchestrator gets the payload as plain JSON."""
        await self._run(flows.raise_event(instance_id, event_name, payload))

    async def terminate(self, instance_id: str, reason: str | None = None) -> None:
        """End an instance from outside, without any compensation. It takes effect a little later."""
        await self._run(flows.control(instance_id, "terminate", reason))

    async def suspend(self, instance_id: str, reason: str | None = None) -> None:
        """Let an instance rest until it is resumed."""
        await self._run(flows.control(instance_id, "suspend", reason))

    async def resume(self, instance_id: str, reason: str | None = None) -> None:
        """Let a suspended instance go on."""
        await self._run(flows.control(instance_id, "resume", reason))

    async def rewind(self, instance_id: str, reason: str | None = None) -> None:
        """Run the failed activities of a failed instance again."""
        await self._run(flows.control(instance_id, "rewind", reason))

    async def restart(self, instance_id: str, *, new_id: bool = True) -> str:
        """Start an instance again from its input, and return the id: a new one, or the same if it has ended."""
        return await self._run(flows.restart(instance_id, new_id))

    async def purge(self, instance_id: str) -> None:
        """Delete an instance that has ended; one that has not is an `InstanceStateError`.

        With it go its offloaded statuses: the host deletes those in the task hub, the client those in a payload store
        that it was given. The latter may be a `PayloadError`; the instance is gone then.
        """
        await self._run(flows.purge(instance_id))

    async def purge_by_filter(
        self,
        runtime_status: Collection[RuntimeStatus],
        *,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
    ) -> int:
        """Delete all instances that have ended so, created in this time, and return their number."""
        return await self._run(flows.purge_by_filter(runtime_status, created_from, created_to))

    def _store_to_read(self) -> PayloadStore | None:
        """Where offloaded statuses are.

        Raises:
            PayloadError: it cannot be had.
        """
        return self._payload_store

    async def _perform(self, step: Step) -> Response | str | None:
        if isinstance(step, Request):
            return await self._send(step)
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        store = self._store_to_read() if isinstance(step, Fetch) else self._payload_store
        return None if store is None else await asyncio.to_thread(perform, step, store)

    async def _run(self, flow: Flow[T]) -> T:
        return await run_async(flow, self._perform)

    def _stream(self, flow: Stream[S]) -> AsyncIterator[S]:
        return stream_async(flow, self._perform)
