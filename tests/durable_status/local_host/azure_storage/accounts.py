"""Storage accounts for tests: one that is open, and names that nobody has used."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from uuid import uuid4

from durable_status.local_host.storage.azure_storage.endpoint import Patience
from durable_status.local_host.storage.azure_storage.services import Services, open_services
from durable_status.task_hub.connection import read_connection

IMPATIENT = Patience(answer=30.0, pauses=(0.0,) * 4, first_pauses=(0.0,) * 2)

Story = Callable[[Services], Awaitable[None]]


def run(connection_string: str, story: Story, patience: Patience = IMPATIENT) -> None:
    """Open an account, and tell the story there."""

    async def main() -> None:
        connection = read_connection("Storage", {"AzureWebJobsStorage": connection_string})
        async with open_services(connection, patience=patience) as services:
            await story(services)

    asyncio.run(main())


def fresh_name() -> str:
    """A name that no table or queue has."""
    return f"t{uuid4().hex}"


def with_member(connection_string: str, **members: str) -> str:
    """A connection string with other values for some members."""
    for name, value in members.items():
        connection_string = re.sub(rf"(?<={name}=)[^;]*", value, connection_string)
    return connection_string
