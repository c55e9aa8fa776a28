"""What the type checker has to reject, each line with the code of its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from durable_status import (
    InstanceStatus,
    Offloaded,
    Progress,
    RecentItems,
    RuntimeStatus,
    publish_status,
    set_custom_status,
)
from durable_status.client.durable_client import DurableClient
from durable_status.client.status_client import AsyncStatusClient, StatusClient
from durable_status.client.task_hub_reader import TaskHubReader

City = Literal["Tokyo", "Seattle"]


@dataclass(frozen=True)
class Order:
    """A status."""

    number: int


def over_http(client: StatusClient) -> None:
    """Wrong ways to read and steer."""
    status = client.get_status("i", Order)
    print(status.custom_status.number)  # error: union-attr
    wrong: InstanceStatus[str] = status  # error: assignment
    status.runtime_status = RuntimeStatus.RUNNING  # error: misc
    city: str = client.get_status("i", City).custom_status  # error: assignment
    client.get_status("i")  # error: call-arg
    client.list_statuses(Order, where=lambda order: order.custom_status.nmber > 1)  # error: union-attr
    client.list_statuses(Order, runtime_status=["Running"])  # error: list-item
    client.purge_by_filter()  # error: call-arg
    client.wait_for_status("i", Order, lambda order: order.custom_status)  # error: call-arg, arg-type, return-value
    client.start_new("X", None, "i")  # error: call-arg
    for found in client.watch("i", Order):
        found.output_as(list[int]).append("x")  # error: arg-type
    print(client.get_status("i", Order | Offloaded).custom_status.number)  # error: union-attr
    StatusClient("http://localhost:7071", payload_store="folder")  # error: arg-type
    print(wrong, city)


def from_the_hub(reader: TaskHubReader) -> None:
    """Wrong ways to read a hub."""
    reader.get_status("i")  # error: call-arg
    print(reader.get_status("i", Order).custom_status.number)  # error: union-attr
    reader.list_statuses(Order, where=lambda order: order.custom_status.nmber > 1)  # error: union-attr
    reader.list_statuses(Order, runtime_status=["Running"])  # error: list-item
    reader.terminate("i")  # error: attr-defined
    TaskHubReader("Hub", table_url="https://a", blob_url="https://b")  # error: call-arg
    TaskHubReader.from_settings("Hub", "AzureWebJobsStorage")  # error: arg-type


async def in_asyncio(client: AsyncStatusClient, inside: DurableClient) -> None:
    """A verb that is not awaited, and one that is."""
    print(client.get_status("i", Order).custom_status)  # error: attr-defined
    await inside.list_statuses(Order)  # error: misc
    DurableClient("not a client")  # error: arg-type


def writing(context: object) -> None:
    """Wrong ways to write."""
    set_custom_status(context, "x")  # error: arg-type
    publish_status(context, "x")  # error: arg-type
    set_custom_status(None, "x", too_large="offload")  # error: arg-type
    Progress("x")  # error: call-arg
    Progress(stage="x", done="1")  # error: arg-type
    Progress.begin("now", "x")  # error: arg-type
    RecentItems.last([1], keep=3).items.append(2)  # error: attr-defined
    Progress(stage="x").done = 2  # error: misc
