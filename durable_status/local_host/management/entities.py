"""What the entity routes of the management API do: list, read, signal."""

from __future__ import annotations

import json
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from durable_status.local_host.clock import Clock
from durable_status.local_host.management.json_body import decode_body, media_type, parse_json
from durable_status.local_host.management.paging import PageRequest, PageSizeError, token_header
from durable_status.local_host.management.refusal import Refusal
from durable_status.local_host.management.request import Request
from durable_status.local_host.reply import Reply, bare, json_text, message
from durable_status.local_host.storage.provider import InstanceFilter, InstanceRow, Message, Page, StorageProvider
from durable_status.replay.entity_messages import EntityId, RequestMessage
from durable_status.replay.events import EventRaised
from durable_status.replay.host_facts import FunctionNames
from durable_status.replay.profile import Profile
from durable_status.replay.ticks import format_ticks
from durable_status.stored_json import dump_stored
from durable_status.stored_text import read_stored

_EMPTY_KEY = "$"
_FORBIDDEN_IN_KEYS = frozenset("/\\#?")


class EntityOperations:
    """The operations, by the names that `paths` gives them."""

    def __init__(self, storage: StorageProvider, names: FunctionNames, clock: Clock, profile: Profile) -> None:
        self._storage = storage
        self._names = names
        self._clock = clock
        self._profile = profile

    async def list_entities(self, request: Request) -> Reply:
        """The entities of one name, or all; those that do not exist are shown only along with the states."""
        name = request.values.get("entity_name")
        fetch_state = request.query.truth("fetchState", default=False)
        wanted = InstanceFilter(
            created_from=request.query.moment("lastOperationTimeFrom"),
            created_to=request.query.moment("lastOperationTimeTo"),
            id_prefix="@" if name is None else EntityId(name, "").instance_id,
        )
        try:
            page_request = PageRequest.read(request, self._profile)
        except PageSizeError as error:
            return message(400, str(error))
        page, rows = await self._page(wanted, page_request, with_missing=fetch_state)
        return json_text(
            200, dump_stored([_entity_document(row, fetch_state=fetch_state) for row in rows]), token_header(page)
        )

    async def show_entity(self, request: Request) -> Reply:
        """The bare state of one entity; 404 if it never ran an operation."""
        key = request.values["entity_key"]
        entity = EntityId(request.values["entity_name"], "" if key == _EMPTY_KEY else key)
        row = await self._storage.read_instance(entity.instance_id)
        state = None if row is None or not _is_entity(row) else _entity_state(row.input)
        return bare(404) if state is None else json_text(200, dump_stored(read_stored(state)))

    async def signal_entity(self, request: Request) -> Reply:
        """Send an operation; an entity that does not exist is made by it."""
        return await self._signal(request, request.query.text("op") or "")

    async def delete_entity(self, request: Request) -> Reply:
        """Send the operation ``delete``; what it does is up to the entity."""
        return await self._signal(request, "delete")

    async def _signal(self, request: Request, operation: str) -> Reply:
        name = request.values.get("entity_name")
        if name is None:
            return message(
                400, "Invalid entity id: entity name must not be a null or empty string. (Parameter 'entityName')"
            )
        entity = EntityId(name, request.values.get("entity_key", ""))
        input_text = _input_text(request)
        if any(character in _FORBIDDEN_IN_KEYS or unicodedata.category(character) == "Cc" for character in entity.key):
            rule = "Entity keys must not contain /, \\, #, ?, or control characters."
            return message(400, f"entityKey (Parameter '{rule}')")
        if self._names.find(entity.name) is None:
            return message(400, self._names.unknown_sentence(entity.name))
        signal = RequestMessage(operation=operation, is_signal=True, input=input_text, id=str(uuid.uuid4()))
        event = EventRaised(timestamp=self._clock.now(), name=signal.event_name, input=signal.text)
        await self._storage.send(Message(instance_id=entity.instance_id, event=event))
        return bare(202)

    async def _page(
        self, wanted: InstanceFilter, page_request: PageRequest, *, with_missing: bool
    ) -> tuple[Page, Sequence[InstanceRow]]:
        """One page and what of it is to be shown; pages of which nothing is are passed over."""
        while True:
            page = await page_request.fetch(self._storage, wanted)
            rows = [row for row in page.rows if _is_entity(row) and (with_missing or _exists(row))]
            if rows or page.last_id is None:
                return page, rows
            page_request = replace(page_request, after_id=page.last_id)


def _input_text(request: Request) -> str | None:
    """The operation's input as it travels; None without a body.

    Raises:
        Refusal: 400, the body is not the JSON it is said to be.
    """
    if not request.body and "transfer-encoding" not in request.headers:
        return None
    content_type = request.headers.get("content-type", "")
    text = decode_body(request.body, content_type)
    if media_type(content_type) != "application/json":
        return dump_stored(text)
    try:
        return dump_stored(parse_json(text, first_value_only=True))
    except Refusal as refusal:
        reason = json.loads(refusal.reply.body)["ExceptionMessage"]
        raise Refusal(message(400, f"Could not parse JSON content: {reason}")) from refusal


def _is_entity(row: InstanceRow) -> bool:
    return row.name.startswith("@") and row.name == row.instance_id


def _exists(row: InstanceRow) -> bool:
    status = read_stored(row.custom_status)
    return isinstance(status, dict) and status.get("entityExists") is True


def _entity_document(row: InstanceRow, *, fetch_state: bool) -> dict[str, Any]:
    entity = EntityId.parse(row.instance_id)
    return {
        "entityId": {"name": entity.name, "key": entity.key},
        "lastOperationTime": format_ticks(row.last_updated_time),
        "state": read_stored(_entity_state(row.input)) if fetch_state else None,
    }


def _entity_state(stored: str | None) -> str | None:
    from durable_status.replay.entity_batch import read_entity_state  # not for the start, see the dispatcher

    return read_entity_state(stored)
