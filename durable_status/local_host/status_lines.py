"""Says when the custom status of an instance changes, in one line."""

from __future__ import annotations

import logging
import os

from durable_status.errors import PayloadError, StatusDecodeError
from durable_status.local_host.storage.provider import InstanceRow
from durable_status.offloaded import Offloaded
from durable_status.payloads.folder import FolderPayloadStore
from durable_status.payloads.hub import FOLDER_SETTING
from durable_status.replay.events import ExecutionStarted
from durable_status.stored_json import dump_stored
from durable_status.stored_text import read_stored

logger = logging.getLogger(__name__)

_LONGEST_TEXT = 300  # characters, in a log line


def tell_custom_status(before: InstanceRow | None, started: ExecutionStarted, custom_status: str | None) -> None:
    """Log the custom status that an episode leaves, if it is another than before."""
    if custom_status == (before.custom_status if before else None) or not logger.isEnabledFor(logging.INFO):
        return
    instance_id = started.orchestration_instance.instance_id
    text = _resolved(instance_id, custom_status or "null")
    logger.info("Instance '%s' of %s: custom status %s", instance_id, started.name, _cut(text))


def _resolved(instance_id: str, text: str) -> str:
    """The text of a status; of one that is in a file, what is in it."""
    folder = os.environ.get(FOLDER_SETTING)
    try:
        offloaded = Offloaded.from_json(read_stored(text)) if folder else None
        if offloaded is None or folder is None:
            return text
        return dump_stored(offloaded.read(FolderPayloadStore(folder).get(instance_id, offloaded.reference)))
    except (PayloadError, StatusDecodeError):
        return text


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
