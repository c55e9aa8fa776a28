"""Status and list: the operations that change nothing."""

from __future__ import annotations

from durable_status.local_host.management.documents import (
    DuplicateEventError,
    HistoryView,
    history_document,
    status_document,
)
from durable_status.local_host.management.filters import instance_filter
from durable_status.local_host.management.paging import PageRequest, PageSizeError, token_header
from durable_status.local_host.management.query import Query
from durable_status.local_host.management.refusal import bad_argument
from durable_status.local_host.management.request import Request
from durable_status.local_host.reply import Reply, bare, json_text
from durable_status.local_host.storage.provider import InstanceFilter, InstanceRow, StorageProvider
from durable_status.replay.events import OrchestrationStatus
from durable_status.replay.profile import Profile
from durable_status.stored_json import dump_stored


class Reading:
    """Reads the task hub."""

    def __init__(self, storage: StorageProvider, profile: Profile) -> None:
        self._storage = storage
        self._profile = profile

    async def show(self, request: Request) -> Reply:
        """The status of one instance: 202 while it is live, 200 when it has ended."""
        row = await self._storage.read_instance(request.values["instance_id"])
        if row is None:
            return bare(404)
        text = await self.document(row, request.query)
        if not row.runtime_status.has_ended:
            return json_text(202, text, ("Location", request.url), ("Retry-After", "5"))
        asked_for_500 = request.query.truth("returnInternalServerErrorOnFailure", default=False)
        failed = row.runtime_status is OrchestrationStatus.FAILED
        return json_text(500 if failed and asked_for_500 else 200, text)

    async def document(self, row: InstanceRow, query: Query) -> str:
        """The status document of `row` as JSON text, with what the query asks for.

        Raises:
            Refusal: 400, the history cannot be shown.
        """
        show_input = query.truth("showInput", default=True)
        document = status_document(row, show_input=show_input)
        if query.truth("showHistory", default=False) and row.runtime_status is not OrchestrationStatus.PENDING:
            view = HistoryView(inputs=show_input, outputs=query.truth("showHistoryOutput", default=False))
            history = await self._storage.read_history(row.instance_id)
            try:
                document["historyEvents"] = history_document(history, view)
            except DuplicateEventError as error:
                raise bad_argument(str(error)) from error
        return dump_stored(document)

    async def list_instances(self, request: Request) -> Reply:
        """One page of instances in the order of their ids."""
        wanted = instance_filter(request.query)
        # Without a condition the platform takes another way, which ignores showInput (http.md §1.3).
        show_input = request.query.truth("showInput", default=True) or wanted == InstanceFilter()
        try:
            page = await PageRequest.read(request, self._profile).fetch(self._storage, wanted)
        except PageSizeError as error:
            raise bad_argument(str(error), error.exception_type) from error
        documents = [status_document(row, show_input=show_input) for row in page.rows]
        return json_text(200, dump_stored(documents), token_header(page))
