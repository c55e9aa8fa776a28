"""What each operation of the management API does with the task hub."""

from __future__ import annotations

import base64
import logging
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from durable_status.local_host.clock import Clock
from durable_status.local_host.errors import InstanceExistsError
from durable_status.local_host.management.documents import HistoryView, history_document, status_document
from durable_status.local_host.management.json_body import (
    decode_body,
    media_type,
    parse_json,
    without_type_markers,
)
from durable_status.local_host.management.links import Links
from durable_status.local_host.management.query import Query, UnknownStatusError
from durable_status.local_host.management.refusal import Refusal, bad_argument, failure
from durable_status.local_host.reply import Reply, bare, json_text, message
from durable_status.local_host.storage.provider import InstanceFilter, InstanceRow, Message, Page, StorageProvider
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionStarted,
    ExecutionSuspended,
    ExecutionTerminated,
    OrchestrationInstance,
    OrchestrationStatus,
)
from durable_status.replay.host_facts import FunctionNames
from durable_status.replay.profile import Profile
from durable_status.stored_json import dump_stored

logger = logging.getLogger(__name__)

_DEFAULT_PAGE = 100
_TOKEN_HEADER = "x-ms-continuation-token"
_FORBIDDEN_IN_IDS = frozenset("\\?#/")
_LONGEST_ID = 256
_BAD_PAGE_SIZE = "Take count must be positive and greater than 0."


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an operation sees of its request."""

    values: Mapping[str, str]
    query: Query
    headers: Mapping[str, str]
    body: bytes
    origin: str
    url: str


class Operations:
    """The operations, by the names that `paths` gives them."""

    def __init__(
        self,
        storage: StorageProvider,
        orchestrators: FunctionNames,
        links: Links,
        clock: Clock,
        profile: Profile,
        *,
        replaces_live_instances: bool,
    ) -> None:
        self._storage = storage
        self._orchestrators = orchestrators
        self._links = links
        self._clock = clock
        self._profile = profile
        self._replaces_live_instances = replaces_live_instances

    async def start(self, request: Request) -> Reply:
        name = request.values["name"]
        input_text = self._input_text(request)
        instance_id = request.values.get("instance_id", "")
        if not instance_id.strip():
            instance_id = uuid.uuid4().hex
        if self._profile.checks_starts:
            self._check_start(name, instance_id)
        row = await self._new_row(name, instance_id, input_text)
        started = ExecutionStarted(
            timestamp=row.created_time,
            orchestration_instance=OrchestrationInstance(instance_id=instance_id, execution_id=row.execution_id),
            name=name,
            input=input_text,
            generation=row.generation,
            generate_new_trace=False if self._profile.writes_newer_members else None,
        )
        try:
            await self._storage.create_instance(row, started, replace_live=self._replaces_live_instances)
        except InstanceExistsError as error:
            raise self._live_duplicate(error) from error
        links = self._links.of_instance(request.origin, instance_id)
        return json_text(202, dump_stored(links), ("Location", links["statusQueryGetUri"]), ("Retry-After", "10"))

    async def show(self, request: Request) -> Reply:
        row = await self._storage.read_instance(request.values["instance_id"])
        if row is None:
            return bare(404)
        query = request.query
        show_input = query.truth("showInput", default=True)
        document = status_document(row, show_input=show_input)
        if query.truth("showHistory", default=False) and row.runtime_status is not OrchestrationStatus.PENDING:
            history = await self._storage.read_history(row.instance_id)
            view = HistoryView(inputs=show_input, outputs=query.truth("showHistoryOutput", default=False))
            document["historyEvents"] = history_document(history, view)
        if not row.runtime_status.has_ended:
            return json_text(202, dump_stored(document), ("Location", request.url), ("Retry-After", "5"))
        asked_for_500 = query.truth("returnInternalServerErrorOnFailure", default=False)
        failed = row.runtime_status is OrchestrationStatus.FAILED
        return json_text(500 if failed and asked_for_500 else 200, dump_stored(document))

    async def list_instances(self, request: Request) -> Reply:
        wanted = _filter(request.query)
        show_input = request.query.truth("showInput", default=True) or wanted == InstanceFilter()
        top = request.query.integer("top")
        limit = _DEFAULT_PAGE if top is None else top
        page = await self._page(wanted, request.headers.get(_TOKEN_HEADER, ""), limit)
        documents = [status_document(row, show_input=show_input) for row in page.rows]
        return json_text(200, dump_stored(documents), (_TOKEN_HEADER, _write_token(page.last_id)))

    async def raise_event(self, request: Request) -> Reply:
        row = await self._live_row(request)
        content_type = request.headers.get("content-type", "")
        if media_type(content_type) != "application/json":
            return message(400, "Only application/json request content is supported")
        value = parse_json(decode_body(request.body, content_type), first_value_only=True)
        event = EventRaised(timestamp=self._clock.now(), name=request.values["event_name"], input=dump_stored(value))
        return await self._accept(row, event)

    async def terminate(self, request: Request) -> Reply:
        row = await self._live_row(request)
        return await self._accept(
            row, ExecutionTerminated(timestamp=self._clock.now(), input=request.query.text("reason"))
        )

    async def suspend(self, request: Request) -> Reply:
        row = await self._live_row(request)
        if row.runtime_status is OrchestrationStatus.SUSPENDED:
            raise _wrong_state("suspend", row)
        return await self._accept(
            row, ExecutionSuspended(timestamp=self._clock.now(), reason=request.query.text("reason"))
        )

    async def resume(self, request: Request) -> Reply:
        row = await self._live_row(request)
        if row.runtime_status is not OrchestrationStatus.SUSPENDED:
            raise _wrong_state("resume", row)
        return await self._accept(
            row, ExecutionResumed(timestamp=self._clock.now(), reason=request.query.text("reason"))
        )

    async def purge_one(self, request: Request) -> Reply:
        row = await self._storage.read_instance(request.values["instance_id"])
        if row is None:
            return bare(404)
        if not (row.runtime_status.has_ended or self._profile.purges_live_instances):
            return message(
                412,
                "Only orchestrations in a terminal state can be purged, but the orchestration with instance ID "
                f"{row.instance_id} has status {row.runtime_status.value}",
            )
        return _purged(await self._storage.purge([row.instance_id]))

    async def purge_many(self, request: Request) -> Reply:
        wanted = _filter(request.query)
        if wanted.created_from is None:
            return json_text(400, dump_stored("Please provide value for 'createdTimeFrom' parameter."))
        ended = [status for status in wanted.statuses or () if status.has_ended]
        if not ended:
            # The platform's own trap: only terminal statuses restrict a purge.
            logger.warning(
                "A purge by filter without a terminal runtimeStatus deletes every instance in its time window, "
                "running ones included. Name the statuses: runtimeStatus=Completed,Failed,Terminated."
            )
        deleted = 0
        condition = InstanceFilter(
            created_from=wanted.created_from, created_to=wanted.created_to, statuses=ended or None
        )
        page = Page(last_id="")
        while page.last_id is not None:
            page = await self._storage.list_instances(condition, after_id=page.last_id, limit=_DEFAULT_PAGE)
            deleted += await self._storage.purge([row.instance_id for row in page.rows])
        return _purged(deleted) if deleted else bare(404)

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

    def _check_start(self, name: str, instance_id: str) -> None:
        if self._orchestrators.find(name) is None:
            raise bad_argument(self._orchestrators.unknown_sentence(name))
        if instance_id.startswith("@"):
            raise bad_argument("instanceId (Parameter 'Orchestration instance ids must not start with @.')")
        if any(character in _FORBIDDEN_IN_IDS or _is_control(character) for character in instance_id):
            rule = "Orchestration instance ids must not contain /, \\, #, ?, or control characters."
            raise bad_argument(f"instanceId (Parameter '{rule}')")
        if len(instance_id) > _LONGEST_ID:
            raise bad_argument(f"Instance ID lengths must not exceed {_LONGEST_ID} characters.")

    async def _new_row(self, name: str, instance_id: str, input_text: str | None) -> InstanceRow:
        existing = await self._storage.read_instance(instance_id)
        execution_id = uuid.uuid4()
        now = self._clock.now()
        return InstanceRow(
            instance_id=instance_id,
            execution_id=str(execution_id) if self._profile.dashes_in_execution_ids else execution_id.hex,
            name=name,
            input=input_text,
            runtime_status=OrchestrationStatus.PENDING,
            created_time=now,
            last_updated_time=now,
            generation=0 if existing is None or existing.generation is None else existing.generation + 1,
        )

    def _live_duplicate(self, error: InstanceExistsError) -> Refusal:
        if self._profile.refuses_live_duplicates_with == 409:
            return Refusal(message(409, str(error)))
        return failure(str(error), "DurableTask.Core.Exceptions.OrchestrationAlreadyExistsException")

    async def _page(self, wanted: InstanceFilter, token: str, limit: int) -> Page:
        """One page. A page size or token that makes no sense is refused by 2.13 and empties the page in 3.x."""
        strict = self._profile.checks_pages
        if limit < 0 and not strict:
            raise failure(_BAD_PAGE_SIZE, "DurableTask.AzureStorage.DurableTaskStorageException")
        if limit < 1 and strict:
            raise bad_argument(_BAD_PAGE_SIZE)
        try:
            after_id = _read_token(token)
        except ValueError as error:
            if strict:
                raise failure(f"The continuation token is not valid: {error}.", "System.FormatException") from error
            return Page()
        return Page() if limit == 0 else await self._storage.list_instances(wanted, after_id=after_id, limit=limit)

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


def _filter(query: Query) -> InstanceFilter:
    try:
        statuses = query.statuses("runtimeStatus")
    except UnknownStatusError as error:
        raise bad_argument(f"Requested value '{error}' was not found.") from error
    return InstanceFilter(
        created_from=query.moment("createdTimeFrom"),
        created_to=query.moment("createdTimeTo"),
        statuses=statuses or None,
        id_prefix=query.text("instanceIdPrefix") or "",
    )


def _wrong_state(operation: str, row: InstanceRow) -> Refusal:
    return failure(
        f"Cannot {operation} the orchestration instance {row.instance_id} "
        f"because instance is in the {row.runtime_status.value} state."
    )


def _purged(count: int) -> Reply:
    return json_text(200, dump_stored({"instancesDeleted": count}))


def _write_token(last_id: str | None) -> str:
    return "" if last_id is None else base64.urlsafe_b64encode(last_id.encode()).decode()


def _read_token(token: str) -> str | None:
    """The id that a page ended with.

    Raises:
        ValueError: it is no token of ours.
    """
    return base64.b64decode(token, altchars=b"-_", validate=True).decode() if token else None


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"
