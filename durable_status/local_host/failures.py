"""Why instances have failed, for people, as long as the host runs: the platform keeps neither type nor line.

It is served below ``/runtime``, where no function of an app can have its route, to who may call the management API.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from urllib.parse import parse_qs

from durable_status.failure import Failure
from durable_status.local_host.reply import Reply, Scope, bare, json_text
from durable_status.replay.failures import WorkerFailure
from durable_status.stored_json import dump_stored

FAILURES_PATH = "/runtime/durable-status/failures"

_MOST = 1_000


class Failures:
    """The latest failures, by instance."""

    def __init__(self) -> None:
        self._by_instance: OrderedDict[str, Failure] = OrderedDict()

    def note(self, instance_id: str, failure: Failure) -> None:
        """Keep why an instance has failed; of too many the oldest goes. May be called from any thread."""
        self._by_instance[instance_id] = failure
        self._by_instance.move_to_end(instance_id)
        while len(self._by_instance) > _MOST:
            self._by_instance.popitem(last=False)

    def answer(self, scope: Scope) -> Reply:
        """Answer ``GET ...?instanceId=ID``."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        failure = self._by_instance.get(query.get("instanceId", [""])[0])
        if scope["method"] != "GET" or failure is None:
            return bare(404)
        frames = [{"file": at.file, "line": at.line, "function": at.function} for at in failure.frames]
        return json_text(200, dump_stored({"reason": failure.reason, "frames": frames}))


def told(failure: WorkerFailure) -> Failure:
    """The failure of a call, its files as a reader of the log finds them."""
    return Failure.from_worker(failure.message, failure.stack).seen_from(str(Path.cwd()))
