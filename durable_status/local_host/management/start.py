"""Start and restart, with or without waiting for the outcome."""

from __future__ import annotations

import logging
import math
import re
import unicodedata
import uuid
from dataclasses import dataclass, replace

from durable_status.app.links import Links
from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import InstanceExistsError
from durable_status.local_host.management.json_body import decode_body, parse_json, without_type_markers
from durable_status.local_host.management.query import Query
from durable_status.local_host.management.read import Reading
from durable_status.local_host.management.refusal import (
    Refusal,
    bad_argument,
    bad_restart,
    failure,
)
from durable_status.local_host.management.request import Request
from durable_status.local_host.reply import Reply, json_text, message
from durable_status.local_host.storage.provider import InstanceRow, StorageProvider
from durable_status.replay.events import ExecutionStarted, OrchestrationInstance, OrchestrationStatus
from durable_status.replay.host_facts import FunctionNames
from durable_status.replay.profile import Profile
from durable_status.replay.ticks import PER_SECOND, Ticks
from durable_status.stored_json import dump_stored, utf16_size
from durable_status.stored_text import read_stored

logger = logging.getLogger(__name__)

_FORBIDDEN_IN_IDS = frozenset("\\?#/")
_LONGEST_ID = 256
_LONGEST_SPAN_SECONDS = 922_337_203_685.0  # .NET's TimeSpan ends here
_SHORTEST_PAUSE_SECONDS = 0.01  # an interval of 0 must not starve the host
_NO_DELAY = (
    "The value needs to translate in milliseconds to -1 (signifying an infinite timeout), 0, or a positive integer"
    " less than or equal to the maximum allowed timer duration. (Parameter 'delay')"
)
_TRACE_PARENT = re.compile("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRules:
    """The settings that starts depend on."""

    hub: str
    replaces_live_instances: bool
    default_version: str


class Starting:
    """Creates instances."""

    def __init__(
        self,
        storage: StorageProvider,
        orchestrators: FunctionNames,
        reading: Reading,
        links: Links,
        clock: Clock,
        profile: Profile,
        rules: StartRules,
    ) -> None:
        self._storage = storage
        self._orchestrators = orchestrators
        self._reading = reading
        self._links = links
        self._clock = clock
        self._profile = profile
        self._rules = rules

    async def start(self, request: Request) -> Reply:
        """Start an instance, and wait for it if both ``timeout`` and ``pollingInterval`` are given."""
        name = request.values["name"]
        input_text = self._input_text(request)
        instance_id = request.values.get("instance_id", "")
        is_random = not instance_id.strip()
        if is_random:
            instance_id = uuid.uuid4().hex
        if self._profile.checks_starts:
            self._check_start(name, instance_id, request.query)
        elif self._orchestrators.is_disabled(name):
            logger.warning("Orchestrator '%s' is not started: a setting switches it off.", name)
            raise Refusal(message(400, self._orchestrators.unknown_sentence(name)))
        await self._create(
            ExecutionStarted(
                timestamp=self._clock.now(),
                orchestration_instance=self._new_execution(instance_id),
                name=name,
                version=self._version(request.query),
                input=input_text,
                parent_trace_context=self._trace_context(request),
                generate_new_trace=False if self._profile.writes_newer_members else None,
            ),
            is_random=is_random,
        )
        try:
            return await self._answer(request, instance_id)
        except _WaitArgumentError as error:
            if self._profile.writes_short_wait_errors:
                return message(400, str(error))
            raise bad_argument(str(error), error.exception_type) from error

    async def restart(self, request: Request) -> Reply:
        """Start an instance again with its function and input, under a new id unless told otherwise."""
        original = await self._storage.read_instance(request.values["instance_id"])
        if original is None:
            raise bad_restart(self._unknown_instance(request.values["instance_id"]))
        is_gone = self._profile.checks_starts and self._orchestrators.find(original.name) is None
        if is_gone or self._orchestrators.is_disabled(original.name):
            raise bad_restart(self._orchestrators.unknown_sentence(original.name))
        new_id = request.query.truth("restartWithNewInstanceId", default=True)
        instance_id = uuid.uuid4().hex if new_id else original.instance_id
        newer = self._profile.writes_newer_members
        started = ExecutionStarted(
            timestamp=self._clock.now(),
            orchestration_instance=self._new_execution(instance_id),
            name=original.name,
            version=original.version,
            input=dump_stored(read_stored(original.input)),  # what a status query shows, so the JSON null for none
            generate_new_trace=False if newer else None,
            source_instance_id=original.instance_id if newer else None,
        )
        if self._profile.has_newer_control_answers:
            await self._create(started, "A non-terminal instance with this instance ID already exists.")
        else:
            await self._create(started)
        try:
            return await self._answer(request, instance_id)
        except _WaitArgumentError as error:
            raise bad_restart(str(error), error.exception_type) from error

    def _unknown_instance(self, instance_id: str) -> str:
        if self._profile.has_newer_control_answers:
            return f"No instance with ID '{instance_id}' was found. (Parameter 'instanceId')"
        return f"An orchestrastion with the instanceId {instance_id} was not found."  # sic

    def _input_text(self, request: Request) -> str | None:
        """The input as it is stored; None without a body.

        Raises:
            Refusal: the body is not JSON.
        """
        text = decode_body(request.body, request.headers.get("content-type", ""))
        if not text.strip():
            return None
        value = parse_json(text, first_value_only=False)
        if value is None:
            return None
        return dump_stored(without_type_markers(value)) if self._profile.rewrites_inputs else text

    def _check_start(self, name: str, instance_id: str, query: Query) -> None:
        asked_hub = (query.text("taskHub") or "").strip()
        is_own_hub = asked_hub in ("", self._rules.hub)  # compared exactly: another spelling skips the check
        if is_own_hub and self._orchestrators.find(name) is None:
            raise bad_argument(self._orchestrators.unknown_sentence(name))
        if instance_id.startswith("@"):
            raise bad_argument("instanceId (Parameter 'Orchestration instance ids must not start with @.')")
        if any(character in _FORBIDDEN_IN_IDS or _is_control(character) for character in instance_id):
            rule = "Orchestration instance ids must not contain /, \\, #, ?, or control characters."
            raise bad_argument(f"instanceId (Parameter '{rule}')")
        if utf16_size(instance_id) > 2 * _LONGEST_ID:
            raise bad_argument(f"Instance ID lengths must not exceed {_LONGEST_ID} characters.")

    def _new_execution(self, instance_id: str) -> OrchestrationInstance:
        execution_id = uuid.uuid4()
        text = str(execution_id) if self._profile.dashes_in_execution_ids else execution_id.hex
        return OrchestrationInstance(instance_id=instance_id, execution_id=text)

    def _version(self, query: Query) -> str:
        if not self._profile.takes_versions_and_traces:
            return ""
        return query.text("version") or self._rules.default_version

    def _trace_context(self, request: Request) -> dict[str, str | None] | None:
        parent = request.headers.get("traceparent", "")
        if not self._profile.takes_versions_and_traces or _TRACE_PARENT.fullmatch(parent) is None:
            return None
        return {"TraceParent": parent, "TraceState": request.headers.get("tracestate")}

    async def _create(self, started: ExecutionStarted, taken: str | None = None, *, is_random: bool = False) -> None:
        """Store the instance; `taken` is what to say when a live one has its id, else the platform's sentence.

        Nobody has an id that is random, so it is not looked for.
        """
        instance_id = started.orchestration_instance.instance_id
        existing = None if is_random else await self._storage.read_instance(instance_id)
        generation = 0 if existing is None or existing.generation is None else existing.generation + 1
        row = InstanceRow(
            instance_id=instance_id,
            execution_id=started.orchestration_instance.execution_id or "",
            name=started.name,
            version=started.version,
            input=started.input,
            runtime_status=OrchestrationStatus.PENDING,
            created_time=started.timestamp,
            last_updated_time=started.timestamp,
            generation=generation,
        )
        started = replace(started, generation=generation)
        try:
            await self._storage.create_instance(row, started, replace_live=self._rules.replaces_live_instances)
        except InstanceExistsError as error:
            raise self._live_duplicate(taken or str(error)) from error

    def _live_duplicate(self, sentence: str) -> Refusal:
        if self._profile.refuses_live_duplicates_with == 409:
            return Refusal(message(409, sentence))
        return failure(sentence, "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException")

    async def _answer(self, request: Request, instance_id: str) -> Reply:
        """The check-status payload, at once or when waiting ended without an outcome; else the outcome.

        Raises:
            _WaitArgumentError: there is no such time to wait. The instance was started all the same.
            Refusal: a time is longer than the platform can count.
        """
        timeout, interval = _span(request.query, "timeout"), _span(request.query, "pollingInterval")
        if timeout is not None and interval is not None:
            if interval > timeout:
                text = f"Total timeout {_written(timeout)} should be bigger than retry timeout {_written(interval)}"
                raise _WaitArgumentError(text)
            outcome = await self._outcome(request.query, instance_id, timeout, interval)
            if outcome is not None:
                return outcome
        links = self._links.of_instance(request.origin, instance_id)
        return json_text(202, dump_stored(links), ("Location", links["statusQueryGetUri"]), ("Retry-After", "10"))

    async def _outcome(self, query: Query, instance_id: str, timeout: float, interval: float) -> Reply | None:
        """Look until the instance has ended, at least once; None when the time is over."""
        end = self._clock.now() + timeout * PER_SECOND
        while True:
            row = await self._storage.read_instance(instance_id)
            if row is not None and row.runtime_status is OrchestrationStatus.COMPLETED:
                return json_text(200, dump_stored(read_stored(row.output)))
            if row is not None and row.runtime_status.has_ended:
                return json_text(200, await self._reading.document(row, query))
            now = self._clock.now()
            if now >= end:
                return None
            if interval < 0:
                raise _WaitArgumentError(_NO_DELAY, "System.ArgumentOutOfRangeException")
            pause = max(interval, _SHORTEST_PAUSE_SECONDS) * PER_SECOND
            await self._clock.wait_until(Ticks(round(min(now + pause, end))))


class _WaitArgumentError(ValueError):
    """``timeout`` or ``pollingInterval`` make no sense."""

    def __init__(self, text: str, exception_type: str = "System.ArgumentException") -> None:
        super().__init__(text)
        self.exception_type = exception_type


def _span(query: Query, name: str) -> float | None:
    """A number of seconds that is a time span, or None."""
    seconds = query.seconds(name)
    if seconds is None:
        return None
    if math.isnan(seconds):
        raise _WaitArgumentError("TimeSpan does not accept floating point Not-a-Number values.")
    if abs(seconds) > _LONGEST_SPAN_SECONDS:
        raise failure("TimeSpan overflowed because the duration is too long.", "System.OverflowException")
    return seconds


def _written(seconds: float) -> str:
    return dump_stored(int(seconds) if seconds.is_integer() else seconds)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"
