"""Sets a custom status of any size: one that is over the limit goes into storage, and a reference to it is set.

The orchestrator itself cannot write to storage, so an activity does it. The app registers it::

    app.register_functions(offload_blueprint())

from `durable_status.payloads.blueprint`. A small status costs nothing more than `set_custom_status`; a large one costs
an activity and an episode, and is seen when the activity has ended. Until then readers see the one before.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime
from typing import Any, Protocol

from durable_status.custom_status import MAX_STATUS_BYTES, StatusSetter, checked_status
from durable_status.offloaded import Offloaded
from durable_status.stored_json import dump_stored, utf16_size

OFFLOAD_ACTIVITY = "DurableStatusOffload"
"""The name of the activity that stores a status."""


class Publishing(StatusSetter, Protocol):
    """What is needed of an orchestration context."""

    @property
    def instance_id(self) -> str:
        """The instance."""

    @property
    def current_utc_datetime(self) -> datetime:
        """The time of the episode."""

    def call_activity(self, name: Any, input_: Any = None) -> Any:
        """A task that ends with the activity."""


def publish_status(context: Publishing, status: Any) -> Generator[Any, Any, None]:
    """Set the custom status, whatever its size: ``yield from publish_status(context, status)``.

    As with `set_custom_status`, it has to be called on every replay. A status up to the limit is set at once, without
    a ``yield``. What is set before the ``yield`` of a larger one stays until that is stored.

    Args:
        context: the orchestration context.
        status: as for `set_custom_status`.

    Raises:
        StatusEncodeError: a reader would not see `status`; nothing was set or stored.
        Exception: what a failed activity raises: it could not be stored, and the status before it stays. Catch it
            where the work matters more than its status.
    """
    plain = checked_status(status)
    text = dump_stored(plain)
    if utf16_size(text) <= MAX_STATUS_BYTES:
        context.set_custom_status(plain)
        return
    offloaded = Offloaded.of(text, context.current_utc_datetime)
    # The id in a text of its own could look like a date, which the host writes in its own way.
    blob = f"{context.instance_id}/{offloaded.reference}"
    # The status stays text: what was measured and hashed is what is stored.
    call = {"blob": blob, "reference": offloaded.to_json(), "status": text}
    # The answer is the same reference, from the history: it is never one to something that was not stored.
    reference = yield context.call_activity(OFFLOAD_ACTIVITY, call)
    context.set_custom_status(reference)
