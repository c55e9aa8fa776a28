"""The operations of the management API by the names that `paths` gives them."""

from __future__ import annotations

from collections.abc import Mapping

from durable_status.local_host.management.control import Control
from durable_status.local_host.management.entities import EntityOperations
from durable_status.local_host.management.purge import Purging
from durable_status.local_host.management.read import Reading
from durable_status.local_host.management.request import Operation
from durable_status.local_host.management.start import Starting


def operations_of(
    starting: Starting, reading: Reading, control: Control, purging: Purging, entities: EntityOperations
) -> Mapping[str, Operation]:
    """Gather the operations."""
    return {
        "start": starting.start,
        "restart": starting.restart,
        "show": reading.show,
        "list_instances": reading.list_instances,
        "raise_event": control.raise_event,
        "terminate": control.terminate,
        "suspend": control.suspend,
        "resume": control.resume,
        "rewind": control.rewind,
        "make_primary": control.make_primary,
        "purge_one": purging.purge_one,
        "purge_many": purging.purge_many,
        "list_entities": entities.list_entities,
        "show_entity": entities.show_entity,
        "signal_entity": entities.signal_entity,
        "delete_entity": entities.delete_entity,
    }
