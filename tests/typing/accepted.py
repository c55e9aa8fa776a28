"""What the type checker knows of a status, from the type that was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Literal, assert_type

import azure.durable_functions as df
from typing_extensions import TypedDict

from durable_status import InstanceStatus, Offloaded, PayloadStore, Progress, RecentItems, publish_status
from durable_status.client.durable_client import DurableClient
from durable_status.client.status_client import AsyncStatusClient, StatusClient
from durable_status.client.task_hub_reader import AsyncTaskHubReader, TaskHubReader
from durable_status.payloads.blob import BlobPayloadStore
from durable_status.payloads.blueprint import offload_blueprint
from durable_status.payloads.folder import FolderPayloadStore
from orchestrators.ticket_reservation_contract import Offer, Outcome

City = Literal["Tokyo", "Seattle"]


@dataclass(frozen=True)
class Order:
    """A status."""

    number: int


class Parcel(TypedDict):
    """A status."""

    weight: int


def over_http(client: StatusClient) -> None:
    """Every kind of type."""
    assert_type(client.get_status("i", Order), InstanceStatus[Order])
    assert_type(client.get_status("i", Order).custom_status, Order | None)
    assert_type(client.get_status("i", City).custom_status, City | None)
    assert_type(client.get_status("i", Parcel).custom_status, Parcel | None)
    assert_type(client.get_status("i", Offer | Outcome).custom_status, Offer | Outcome | None)
    assert_type(client.get_status("i", RecentItems[Order]).custom_status, RecentItems[Order] | None)
    assert_type(client.get_status("i", Any).custom_status, Any | None)
    assert_type(client.list_statuses(Order), Iterator[InstanceStatus[Order]])
    assert_type(client.watch("i", Progress), Iterator[InstanceStatus[Progress]])
    assert_type(client.wait_for_completion("i", Order, 5).output_as(dict[str, int]), dict[str, int])


async def in_asyncio(client: AsyncStatusClient | DurableClient) -> None:
    """The same, awaited."""
    assert_type(await client.get_status("i", Order), InstanceStatus[Order])
    assert_type(
        await client.wait_for_status("i", Order, lambda status: bool(status.custom_status), 5), InstanceStatus[Order]
    )
    assert_type(client.watch("i", Order), AsyncIterator[InstanceStatus[Order]])
    assert_type(await client.start_new("X", Order(1)), str)


def from_the_hub(reader: TaskHubReader) -> None:
    """The same, without the app."""
    assert_type(reader.get_status("i", Order), InstanceStatus[Order])
    assert_type(reader.get_status("i", Offer | Outcome, show_input=True).custom_status, Offer | Outcome | None)
    assert_type(
        reader.list_statuses(City, where=lambda status: status.custom_status == "Tokyo"), Iterator[InstanceStatus[City]]
    )
    assert_type(reader.watch("i", Parcel), Iterator[InstanceStatus[Parcel]])
    assert_type(reader.wait_for_completion("i", Order, 5).output_as(list[int]), list[int])
    assert_type(TaskHubReader.from_settings("Hub"), TaskHubReader)


async def from_the_hub_in_asyncio(reader: AsyncTaskHubReader) -> None:
    """The same, awaited."""
    assert_type(await reader.get_status("i", Order), InstanceStatus[Order])
    assert_type(reader.list_statuses(Order), AsyncIterator[InstanceStatus[Order]])
    assert_type(await reader.wait_for_status("i", Order, lambda status: bool(status.input), 5), InstanceStatus[Order])
    async with AsyncTaskHubReader.from_connection_string("UseDevelopmentStorage=true", "Hub") as opened:
        assert_type(opened, AsyncTaskHubReader)


def with_a_store(store: PayloadStore) -> None:
    """A status of any size: with the store it is of its type, without it is of the type that was asked for."""
    client = StatusClient("http://localhost:7071", payload_store=store)
    assert_type(client.get_status("i", Order).custom_status, Order | None)
    outsider = StatusClient("http://localhost:7071")
    assert_type(outsider.get_status("i", Order | Offloaded).custom_status, Order | Offloaded | None)
    assert_type(outsider.get_status("i", Order).offloaded, Offloaded | None)
    match outsider.get_status("i", Order | Offloaded).custom_status:
        case Offloaded(reference, size):
            assert_type(reference, str)
            assert_type(size, int)
        case Order(number):
            assert_type(number, int)
        case nothing_yet:
            assert_type(nothing_yet, None)


def stores() -> tuple[PayloadStore, ...]:
    """What is a payload store."""
    return FolderPayloadStore("."), BlobPayloadStore("Hub")


def publishing(context: df.DurableOrchestrationContext) -> Generator[Any, Any, None]:
    """A status of any size."""
    df.DFApp().register_functions(offload_blueprint(FolderPayloadStore(".")))
    yield from publish_status(context, Order(1))
    assert_type((yield from publish_status(context, {"number": 1})), None)
