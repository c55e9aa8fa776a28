"""The verbs of every client, one flow each. `durable_status.client.verbs` says what they mean to a caller."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar

from typing_extensions import TypeForm

from durable_status.client.answers import accepted, parsed, sentence, unexpected
from durable_status.client.checks import (
    instance_segment,
    json_text,
    moment_text,
    name_segment,
    reason_query,
    terminal_statuses,
)
from durable_status.client.hydration import hydrated
from durable_status.client.steps import Discard, Flow, Found, Request, Response, Stream
from durable_status.errors import HostError, InstanceNotFoundError, InstanceStateError
from durable_status.instance_status import InstanceStatus, RuntimeStatus

S = TypeVar("S")

LARGEST_PAGE = 1_000
_DEFAULT_PAGE = 100
_TOKEN = "x-ms-continuation-token"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_NO_SUCH_INSTANCE = ("was not found", "was found")  # of 2.13 and 3.x; the code says bad request


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which instances a list asks the host for."""

    created_from: datetime | None = None
    created_to: datetime | None = None
    runtime_status: Collection[RuntimeStatus] = ()
    instance_id_prefix: str = ""
    page_size: int = _DEFAULT_PAGE

    def query(self) -> dict[str, str]:
        """The filters as a query.

        There always is a first date: without any filter the host does not look at showInput (http.md §1.3).
        """
        query = {
            "createdTimeFrom": moment_text(self.created_from or _BEGINNING, "created_from"),
            "top": str(min(max(self.page_size, 1), LARGEST_PAGE)),
        }
        if self.created_to is not None:
            query["createdTimeTo"] = moment_text(self.created_to, "created_to")
        if self.runtime_status:
            query["runtimeStatus"] = ",".join(sorted(RuntimeStatus(status).value for status in self.runtime_status))
        if self.instance_id_prefix:
            query["instanceIdPrefix"] = self.instance_id_prefix
        return query


def start_new(orchestration: str, input_value: Any, instance_id: str | None, version: str | None) -> Flow[str]:
    """Start an instance; the result is its id."""
    path = f"orchestrators/{name_segment(orchestration, 'orchestration name')}"
    if instance_id is not None:
        path += f"/{instance_segment(instance_id)}"
    # JSON text in a JSON text, as the SDK sends it: get_input() takes no other numbers, lists and texts (http.md §2.3).
    body = None if input_value is None else json.dumps(json_text(input_value, "The input"))
    response = yield Request(method="POST", path=path, query={} if version is None else {"version": version}, body=body)
    if response.status == HTTPStatus.NOT_FOUND:  # no instance is meant here: the path is none
        raise unexpected(response)
    return _new_id(response, instance_id or "(new)")


def restart(instance_id: str, new_id: bool) -> Flow[str]:
    """Start an instance again with the same input; the result is its id."""
    response = yield Request(
        method="POST",
        path=f"instances/{instance_segment(instance_id)}/restart",
        query={"restartWithNewInstanceId": "true" if new_id else "false"},
    )
    if response.status == HTTPStatus.BAD_REQUEST and any(said in sentence(response) for said in _NO_SUCH_INSTANCE):
        raise InstanceNotFoundError(instance_id)
    return _new_id(response, instance_id)


def get_status(
    instance_id: str, status_type: TypeForm[S], *, show_input: bool, show_history: bool
) -> Flow[InstanceStatus[S]]:
    """Ask for one instance, and read its status if it is offloaded."""
    query = {"showInput": "true" if show_input else "false"}
    if show_history:
        query |= {"showHistory": "true", "showHistoryOutput": "true"}
    return (yield from hydrated((yield from _look(instance_id, status_type, query))))


def _look(instance_id: str, status_type: TypeForm[S], query: Mapping[str, str]) -> Flow[InstanceStatus[S]]:
    response = yield Request(method="GET", path=f"instances/{instance_segment(instance_id)}", query=query)
    document = parsed(accepted(response, instance_id, (HTTPStatus.OK, HTTPStatus.ACCEPTED)))
    return InstanceStatus[S].from_document(document, status_type)


def list_statuses(
    status_type: TypeForm[S], filters: Filters, where: Callable[[InstanceStatus[S]], bool] | None, show_input: bool
) -> Stream[InstanceStatus[S]]:
    """Hand out instances page by page; a page is asked for when the one before has been handed out."""
    query = filters.query() | {"showInput": "true" if show_input else "false"}
    token = ""
    while True:
        response = yield Request(method="GET", path="instances/", query=query, headers={_TOKEN: token} if token else {})
        if response.status != HTTPStatus.OK:
            raise unexpected(response)
        for document in parsed(response):
            if not document["instanceId"].startswith("@"):  # the host lists entities, too
                status = yield from hydrated(InstanceStatus[S].from_document(document, status_type))
                if where is None or where(status):
                    yield Found(status)
        token = response.headers.get(_TOKEN, "")
        if not token:
            return


def raise_event(instance_id: str, event_name: str, payload: Any) -> Flow[None]:
    """Raise an event, with native JSON."""
    path = f"instances/{instance_segment(instance_id)}/raiseEvent/{name_segment(event_name, 'event name')}"
    response = yield Request(method="POST", path=path, body=json_text(payload, "The payload"))
    accepted(response, instance_id, (HTTPStatus.ACCEPTED,))


def control(instance_id: str, operation: str, reason: str | None) -> Flow[None]:
    """Terminate, suspend, resume or rewind."""
    path = f"instances/{instance_segment(instance_id)}/{operation}"
    response = yield Request(method="POST", path=path, query=reason_query(reason))
    accepted(response, instance_id, (HTTPStatus.ACCEPTED,))


def purge(instance_id: str) -> Flow[None]:
    """Delete an instance that has ended, and what a payload store of the client's own has of it."""
    # Extension 2.13 deletes a running one, too, and a pending one half: so look first.
    status = yield from _look(instance_id, Any, {"showInput": "false"})
    if not status.runtime_status.has_ended:
        raise InstanceStateError(
            f"The instance {instance_id!r} is {status.runtime_status.value}; only one that has ended is purged. "
            "Terminate it first.",
            instance_id=instance_id,
        )
    response = yield Request(method="DELETE", path=f"instances/{instance_segment(instance_id)}")
    accepted(response, instance_id, (HTTPStatus.OK,))
    yield Discard(instance_id)


def purge_by_filter(
    runtime_status: Collection[RuntimeStatus], created_from: datetime | None, created_to: datetime | None
) -> Flow[int]:
    """Delete all instances of a filter; the result is their number."""
    query = {
        "runtimeStatus": terminal_statuses(runtime_status),
        "createdTimeFrom": moment_text(created_from or _BEGINNING, "created_from"),
    }
    if created_to is not None:
        query["createdTimeTo"] = moment_text(created_to, "created_to")
    response = yield Request(method="DELETE", path="instances/", query=query)
    if response.status == HTTPStatus.NOT_FOUND:  # nothing to delete
        return 0
    if response.status != HTTPStatus.OK:
        raise unexpected(response)
    return _member(parsed(response), "instancesDeleted", int)


def _new_id(response: Response, instance_id: str) -> str:
    return _member(parsed(accepted(response, instance_id, (HTTPStatus.ACCEPTED,))), "id", str)


M = TypeVar("M", int, str)


def _member(body: Any, name: str, kind: type[M]) -> M:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, kind):
        raise HostError(f"The host's answer has no {name}. Is this the address of the management API?")
    return value
