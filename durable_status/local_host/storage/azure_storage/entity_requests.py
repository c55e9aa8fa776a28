"""Requests to entities: which event carries one, and whether the orchestration that sent it stands by it.

A host that dies after it has put an episode's messages and before it has written its history leaves requests that no
history tells of: the episode is done again, and sends others. The platform carries out both; here only the request
counts that the sender's history has.
"""

from __future__ import annotations

from durable_status.local_host.storage.azure_storage.live_instances import LiveInstances
from durable_status.replay.entity_messages import REQUEST_EVENT, RequestMessage
from durable_status.replay.events import Event, EventRaised, EventSent


def request_in(event: Event) -> RequestMessage | None:
    """The request that an event carries; None if it carries none."""
    if not isinstance(event, EventSent | EventRaised) or not event.name.startswith(REQUEST_EVENT):
        return None
    try:
        return RequestMessage.from_text(event.input or "")
    except ValueError:
        return None


async def was_sent(event: Event, instances: LiveInstances) -> bool:
    """Whether the history of the sender tells of a request.

    So it is, too, if that cannot be known: clients and entities have no such history, and an orchestration that has
    continued as new, or was started over or purged, has it no more.

    Raises:
        StorageError: the sender cannot be loaded.
    """
    request = request_in(event)
    if request is None or request.parent_instance_id is None or request.parent_execution_id is None:
        return True
    async with instances.lock(request.parent_instance_id):  # its episode may be on its way
        sender = await instances.get(request.parent_instance_id)
    execution_id = sender.history.execution_id or (sender.row and sender.row.execution_id)
    if execution_id != request.parent_execution_id:
        return True
    return any(
        isinstance(sent, EventSent) and (found := request_in(sent)) is not None and found.id == request.id
        for sent in sender.history.events
    )
