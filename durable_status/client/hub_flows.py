"""The verbs of the readers of a task hub, one flow each. `durable_status.client.task_hub_reader` says what they mean.

A flow asks its driver for rows and blobs and decides what they say; it knows no storage SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from typing_extensions import TypeForm

from durable_status.client.flows import LARGEST_PAGE, Filters
from durable_status.client.hub_filters import instances_filter
from durable_status.client.hub_steps import GetBlob, GetPage, GetRow, HubFlow, HubStream
from durable_status.client.hydration import hydrated
from durable_status.client.steps import Found
from durable_status.client.watching import Looks, NoAnswerError, Pace
from durable_status.errors import HostError, InstanceNotFoundError, PayloadError, PayloadMissingError, RefusedError
from durable_status.instance_status import InstanceStatus
from durable_status.stored_json import well_formed
from durable_status.stored_text import read_stored
from durable_status.task_hub.filters import of_partition
from durable_status.task_hub.history import current_rows, read_event_row, with_texts
from durable_status.task_hub.instances import read_instance
from durable_status.task_hub.large_values import InBlob, Text, decompress
from durable_status.task_hub.messages import LargeMessage, read_message
from durable_status.task_hub.names import INSTANCE_ROW_KEY, SENTINEL, HubNames, escape_key, is_entity_id, unescape_key
from durable_status.task_hub.tables import Row, read_row

S = TypeVar("S")
T = TypeVar("T")

_NEEDED = ("PartitionKey", "RowKey", "ExecutionId", "Name", "RuntimeStatus", "CreatedTime", "LastUpdatedTime")
_INPUT = ("Input", "InputBlobName")
_OUTPUT = ("Output",)
_READS_OF_A_HISTORY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What of an instance is read beside its status."""

    input: bool = False
    output: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (*_NEEDED, "CustomStatus", *(_INPUT if self.input else ()), *(_OUTPUT if self.output else ()))


def get_status(hub: HubNames, instance_id: str, status_type: TypeForm[S], shown: Shown) -> HubFlow[InstanceStatus[S]]:
    """Read one instance, and its status if it is offloaded."""
    return (yield from _hydrated((yield from _look(hub, instance_id, status_type, shown))))


def _look(hub: HubNames, instance_id: str, status_type: TypeForm[S], shown: Shown) -> HubFlow[InstanceStatus[S]]:
    row = yield from _instance_row(hub, instance_id, shown.columns)
    return (yield from _status(hub, row, status_type))


def list_statuses(
    hub: HubNames,
    status_type: TypeForm[S],
    filters: Filters,
    where: Callable[[InstanceStatus[S]], bool] | None,
    shown: Shown,
) -> HubStream[InstanceStatus[S]]:
    """Hand out instances page by page; a page is read when the one before has been handed out."""
    prefix = filters.instance_id_prefix
    condition = instances_filter(filters)
    most = min(max(filters.page_size, 1), LARGEST_PAGE)
    token = None
    while True:
        page = yield GetPage(table=hub.instances_table, filter=condition, columns=shown.columns, most=most, token=token)
        for members in page.rows:
            row = _row(members)
            instance_id = unescape_key(str(row["PartitionKey"]))
            if is_entity_id(instance_id) or not instance_id.startswith(prefix) or _is_remnant(row):
                continue
            status = yield from _hydrated((yield from _status(hub, row, status_type)))
            if where is None or where(status):
                yield Found(status)
        token = page.token
        if token is None:
            return


def get_history(hub: HubNames, instance_id: str) -> HubFlow[dict[str, Any]]:
    """Read the history of an instance's current generation."""
    rows = yield from _current_rows(hub, instance_id)
    if not rows:
        yield from _instance_row(hub, instance_id, _NEEDED)  # is there an instance, at least?
    events = []
    for row in rows:
        try:
            members = read_event_row(row)
            texts = yield from _texts(members, row)
            events.append(with_texts(members, texts))
        except ValueError as error:
            raise _unreadable(f"The history of {instance_id!r}", error) from error
    return {"instanceId": instance_id, "history": events}


class HubLooks(Looks):
    """Looks at the row of an instance."""

    def __init__(self, hub: HubNames, instance_id: str, pace: Pace) -> None:
        super().__init__(instance_id, pace)
        self._hub = hub

    def look_once(self, status_type: TypeForm[S], left: float) -> HubFlow[InstanceStatus[S]]:
        """The status; an account that is overloaded or out of reach does not answer for now."""
        del left  # the reader's own timeout holds
        try:
            return (yield from _look(self._hub, self.instance_id, status_type, Shown(output=True)))
        except HostError as error:
            code = error.status_code
            if code is None or code >= HTTPStatus.INTERNAL_SERVER_ERROR or code == HTTPStatus.TOO_MANY_REQUESTS:
                raise NoAnswerError(error) from error
            raise

    def hydrated(self, status: InstanceStatus[S]) -> HubFlow[InstanceStatus[S]]:
        """The status with what is in the hub's blobs."""
        return _hydrated(status)


def _key_of(instance_id: str) -> str:
    if not instance_id or is_entity_id(instance_id):
        what = "an entity, not an instance: instance ids do not begin with @" if instance_id else "no instance id"
        raise RefusedError(f"{instance_id!r} is {what}.")
    return escape_key(well_formed(instance_id))


def _instance_row(hub: HubNames, instance_id: str, columns: Sequence[str]) -> HubFlow[Row]:
    key = _key_of(instance_id)
    members = yield GetRow(table=hub.instances_table, partition_key=key, row_key=INSTANCE_ROW_KEY, columns=columns)
    if members is not None:
        return _row(members)
    # The service may say the same of a row and of a table that is not there. A query it answers for a table only.
    yield GetPage(table=hub.instances_table, filter=of_partition(key), columns=_NEEDED[:2], most=1)
    raise InstanceNotFoundError(instance_id)


def _current_rows(hub: HubNames, instance_id: str) -> HubFlow[Sequence[Row]]:
    step = GetPage(table=hub.history_table, filter=of_partition(_key_of(instance_id)))
    for _ in range(_READS_OF_A_HISTORY):
        everything = yield from _all_rows(step)
        rows = current_rows(everything)
        if rows or all(row["RowKey"] == SENTINEL for row in everything):
            return rows
        # A new generation began between two pages: the sentinel names another execution than the rows before it.
    raise HostError(f"The history of {instance_id!r} was written anew each time it was read; try again.")


def _all_rows(step: GetPage) -> HubFlow[list[Row]]:
    rows: list[Row] = []
    token = None
    while True:
        page = yield GetPage(table=step.table, filter=step.filter, token=token)
        rows += [_row(members) for members in page.rows]
        token = page.token
        if token is None:
            return rows


def _row(members: Mapping[str, Any]) -> Row:
    try:
        return read_row(members)
    except ValueError as error:
        raise _unreadable(f"The row {members.get('PartitionKey')!r}", error) from error


def _is_remnant(row: Row) -> bool:
    """Whether it is what an episode wrote when its instance had just been purged: it says little, and stays."""
    return any(column not in row for column in _NEEDED)


def _status(hub: HubNames, row: Row, status_type: TypeForm[S]) -> HubFlow[InstanceStatus[S]]:
    try:
        instance = read_instance(row, hub.large_messages_container)
    except ValueError as error:
        raise HostError(f"The task hub {hub.hub} cannot be read: {error}") from error
    document = {
        "name": instance.name,
        "instanceId": instance.instance_id,
        "runtimeStatus": instance.runtime_status.value,
        "input": read_stored((yield from _text(instance.input, row.get("Input")))),
        "customStatus": read_stored(instance.custom_status),
        "output": read_stored((yield from _text(instance.output, row.get("Output")))),
        "createdTime": _whole_seconds(instance.created_time),
        "lastUpdatedTime": _whole_seconds(instance.last_updated_time),
    }
    return InstanceStatus[S].from_document(document, status_type)


def _hydrated(status: InstanceStatus[S]) -> HubFlow[InstanceStatus[S]]:
    """The status; one that is offloaded, from the hub's blobs."""
    return hydrated(status, _payload)


def _payload(instance_id: str, name: str) -> HubFlow[str | None]:
    """An offloaded status: it is beside the platform's blobs of its instance."""
    blob_name = f"{instance_id}/{name}"
    try:
        content = yield GetBlob(blob_name)
        text = None if content is None else decompress(content)
    except (HostError, ValueError) as error:
        raise PayloadError(f"The status of {instance_id!r} in the blob {blob_name} cannot be read: {error}") from error
    if text is None:
        raise PayloadMissingError(
            f"The status of {instance_id!r} is gone: there is no blob {blob_name}. Was the instance purged, or has "
            "the app a payload store of its own?"
        )
    return text


def _text(text: Text | None, column: Any) -> HubFlow[str | None]:
    """The text of a column. Without the blob that it seems to name it is what it says: a reason may look like one."""
    if not isinstance(text, InBlob):
        return text
    content = yield GetBlob(text.blob_name)
    return str(column) if content is None else _text_of_blob(text, content)


def _texts(members: Mapping[str, Any], row: Row) -> HubFlow[dict[str, str]]:
    """The texts of an event that are in blobs, by their names."""
    texts = {}
    for name, value in members.items():
        if isinstance(value, InBlob):
            content = yield GetBlob(value.blob_name)
            if content is None:
                raise HostError(
                    f"The {name} of the event {row['RowKey']} is in the blob {value.blob_name}, which is not there "
                    "any more. Has the instance been purged?"
                )
            texts[value.blob_name] = _text_of_blob(value, content)
    return texts


def _text_of_blob(blob: InBlob, content: bytes) -> str:
    try:
        text = decompress(content)
        if not blob.is_message:
            return text
        message = read_message(text)
        return "null" if isinstance(message, LargeMessage) else str(message.event.get("Input") or "null")
    except ValueError as error:
        raise _unreadable(f"The blob {blob.blob_name}", error) from error


def _unreadable(what: str, error: ValueError) -> HostError:
    return HostError(f"{what} cannot be read: {error}. Has a newer version written it, or something else?")


def _whole_seconds(time: str) -> str:
    """A time as status documents have it."""
    return f"{time[:19]}Z"
