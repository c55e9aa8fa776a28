"""The activity that `publish_status` calls, for an app to register.

::

    app = df.DFApp()
    app.register_functions(offload_blueprint())
"""

from __future__ import annotations

import asyncio
from typing import Any

import azure.durable_functions as df

from durable_status.offloaded import PayloadStore
from durable_status.payloads.hub import hub_payload_store
from durable_status.payloads.upkeep import store_status
from durable_status.publishing import OFFLOAD_ACTIVITY


def offload_blueprint(payload_store: PayloadStore | None = None) -> df.Blueprint:
    """The blueprint with the activity `durable_status.publishing.OFFLOAD_ACTIVITY`.

    Args:
        payload_store: where statuses go; by default to the storage account of the app's task hub, where a purge
            deletes them.
    """
    blueprint = df.Blueprint()

    @blueprint.activity_trigger(input_name="call", activity=OFFLOAD_ACTIVITY)  # type: ignore[untyped-decorator]
    @blueprint.durable_client_input(client_name="client")  # type: ignore[untyped-decorator]
    async def durable_status_offload(call: dict, client: df.DurableOrchestrationClient) -> dict:  # type: ignore[type-arg]
        store = payload_store or hub_payload_store(client)
        instance_id, _, name = call["blob"].rpartition("/")
        await asyncio.to_thread(store_status, store, instance_id, name, call["status"])
        reference: dict[str, Any] = call["reference"]
        return reference

    return blueprint
