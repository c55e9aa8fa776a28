"""Runs activity calls and answers them with a message to the orchestration."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

from durable_status.app.bindings import arguments_of
from durable_status.app.functions import ACTIVITY_TRIGGER, AppFunction, by_durable_name
from durable_status.app.links import Links
from durable_status.app.python_worker import activity_input, activity_result
from durable_status.local_host.clock import Clock
from durable_status.local_host.failures import told
from durable_status.local_host.http_calls import HttpCalls
from durable_status.local_host.invocations import on_behalf_of
from durable_status.local_host.log_categories import of_function
from durable_status.local_host.storage.provider import ActivityCall, Message
from durable_status.local_host.worker import Worker, worker_failure
from durable_status.replay.events import TaskCompleted, TaskFailed
from durable_status.replay.failures import WorkerFailure, activity_failure
from durable_status.replay.host_facts import FunctionNames
from durable_status.replay.http_requests import HTTP_ACTIVITY
from durable_status.replay.profile import Profile

logger = logging.getLogger(__name__)


class Activities:
    """The app's activities, ready to be called."""

    def __init__(
        self,
        functions: Iterable[AppFunction],
        names: FunctionNames,
        links: Links,
        worker: Worker,
        http_calls: HttpCalls,
        clock: Clock,
        profile: Profile,
    ) -> None:
        self._functions = by_durable_name(functions, ACTIVITY_TRIGGER)
        self._names = names
        self._links = links
        self._worker = worker
        self._http_calls = http_calls
        self._clock = clock
        self._profile = profile

    async def run(self, call: ActivityCall) -> Message:
        """Run one call to its end; what it raises becomes the failure of the task, never of the host."""
        with on_behalf_of(call.instance_id):
            event = await (self._http_calls.run(call) if call.name == HTTP_ACTIVITY else self._run_function(call))
        return Message(instance_id=call.instance_id, execution_id=call.execution_id, event=event)

    async def _run_function(self, call: ActivityCall) -> TaskCompleted | TaskFailed:
        try:
            result = await self._call(call)
        except WorkerFailure as failure:
            function = self._functions.get(self._names.find(call.name) or "")
            about = of_function(call.name if function is None else function.name)
            logger.error(
                "Activity '%s' of instance '%s' failed: %s", call.name, call.instance_id, told(failure), extra=about
            )
            logger.debug("%s", failure.stack, extra=about)
            reason, details = activity_failure(call.name, failure, self._profile)
            return TaskFailed(
                timestamp=self._clock.now(), task_scheduled_id=call.task_id, reason=reason, details=details
            )
        return TaskCompleted(timestamp=self._clock.now(), task_scheduled_id=call.task_id, result=result)

    async def _call(self, call: ActivityCall) -> str | None:
        registered = self._names.find(call.name)
        if registered is None:  # it was when the call was scheduled; the app has changed since
            raise WorkerFailure(f"LookupError: {self._names.unknown_sentence(call.name)}")
        if self._names.is_disabled(call.name):
            raise WorkerFailure(f"Activity function '{call.name}' is disabled.")
        function = self._functions[registered]
        (text,) = json.loads(call.input)
        return await self._call_function(function, text)

    async def call_directly(self, function: AppFunction, text: str) -> None:
        """Call one activity with a JSON text, outside of any orchestration.

        Raises:
            WorkerFailure: it raised.
        """
        await self._call_function(function, text)

    async def _call_function(self, function: AppFunction, text: str | None) -> str | None:
        try:
            given = activity_input(text)
            return activity_result(await self._worker.call(function, arguments_of(function, given, self._links)))
        except ValueError as error:
            raise worker_failure(error) from error
