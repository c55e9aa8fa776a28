"""The management API that the SDK's client talks to, answered inside the test.

It answers what starters and endpoints ask for: start, status, list, raise event, terminate, suspend, resume, purge by
id, and the signals and states of entities. Codes and bodies are the platform's (http.md §1); all else is refused as an
error of the test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from durable_status.replay.entity_batch import read_entity_state
from durable_status.replay.entity_messages import REQUEST_EVENT, EntityId, RequestMessage
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
    OrchestrationStatus,
)
from durable_status.replay.stored_text import read_stored
from durable_status.replay.ticks import PER_SECOND, Ticks, format_ticks
from durable_status.stored_json import dump_stored
from durable_status.testing.errors import HarnessError
from durable_status.testing.run import OrchestrationRun
from durable_status.testing.task_hub import InstanceState, TaskHub

ORIGIN = "http://in-process"
RPC_BASE = f"{ORIGIN}/durabletask/"
WEBHOOK_BASE = f"{ORIGIN}/runtime/webhooks/durabletask"

Reply = tuple[int, Any]
MakeRun = Callable[[TaskHub, str], OrchestrationRun]

_CONTROLS: dict[str, Callable[[Ticks, str], Event]] = {
    "terminate": lambda now, reason: ExecutionTerminated(timestamp=now, input=reason),
    "suspend": lambda now, reason: ExecutionSuspended(timestamp=now, reason=reason),
    "resume": lambda now, reason: ExecutionResumed(timestamp=now, reason=reason),
}
_LINKS = {
    "statusQueryGetUri": "",
    "sendEventPostUri": "/raiseEvent/{eventName}",
    "terminatePostUri": "/terminate?reason={text}",
    "rewindPostUri": "/rewind?reason={text}",
    "purgeHistoryDeleteUri": "",
    "restartPostUri": "/restart",
    "suspendPostUri": "/suspend?reason={text}",
    "resumePostUri": "/resume?reason={text}",
}


class InProcessHub:
    """A task hub that is steered by requests; what needs no time has happened when a request is answered."""

    def __init__(self, hub: TaskHub, make_run: MakeRun) -> None:
        self.hub = hub
        self._make_run = make_run
        self._made = 0

    def run(self, instance_id: str) -> OrchestrationRun:
        """The instance with that id, to look at and to steer.

        Raises:
            HarnessError: there is none.
        """
        self.hub.instance(instance_id)
        return self._make_run(self.hub, instance_id)

    def advance(self, seconds: float) -> None:
        """Time passes; what is due happens."""
        if self.hub.instances:
            self._make_run(self.hub, next(iter(self.hub.instances))).advance(seconds=seconds)
        else:
            self.hub.now = Ticks(self.hub.now + round(seconds * PER_SECOND))

    def answer(self, method: str, url: str, data: Any = None) -> Reply:
        """Answer one request of the SDK's client; `data` is what it would send as JSON.

        Raises:
            HarnessError: the request is one that is not played here.
        """
        parts = urlsplit(url)
        query = {name.casefold(): values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix(urlsplit(RPC_BASE).path)
        match method, *[unquote(part) for part in path.strip("/").split("/")]:
            case "POST", "orchestrators", name:
                self._made += 1
                return self._start(name, f"{self._made:032x}", data)
            case "POST", "orchestrators", name, instance_id:
                return self._start(name, instance_id, data)
            case "GET", "instances":
                return 200, [self._document(state) for state in self.hub.instances.values()]
            case "GET", "instances", instance_id:
                return self._status(instance_id)
            case "POST", "instances", instance_id, "raiseEvent", name:
                event = EventRaised(timestamp=self.hub.now, name=name, input=dump_stored(data))
                return self._deliver(instance_id, event)
            case "POST", "instances", instance_id, ("terminate" | "suspend" | "resume") as verb:
                return self._deliver(instance_id, _CONTROLS[verb](self.hub.now, query.get("reason", "")))
            case "DELETE", "instances", instance_id if not query:
                gone = self.hub.instances.pop(instance_id, None)
                return (200, {"instancesDeleted": 1}) if gone else (404, None)
            case "GET", "entities", name, key:
                return self._entity_state(EntityId(name, key))
            case "POST", "entities", name, key:
                return self._signal(EntityId(name, key), query.get("op", ""), data)
            case _:
                raise HarnessError(f"{method} {url} is not played in the test; use the local host for it.")

    def _start(self, name: str, instance_id: str, data: Any) -> Reply:
        registered = self.hub.functions.host.orchestrators.find(name)
        if registered is None:
            return 400, {"ExceptionMessage": self.hub.functions.host.orchestrators.unknown_sentence(name)}
        existing = self.hub.instances.get(instance_id)
        if existing is not None and not existing.runtime_status.has_ended:
            return 409, f"An Orchestration instance with the status {existing.runtime_status.value} already exists."
        started = self.hub.create(registered, None if data is None else dump_stored(data), instance_id)
        self._make_run(self.hub, instance_id).begin(started)
        return 202, links(instance_id)

    def _status(self, instance_id: str) -> Reply:
        state = self.hub.instances.get(instance_id)
        if state is None:
            return 404, ""
        return (200 if state.runtime_status.has_ended else 202), self._document(state)

    def _deliver(self, instance_id: str, event: Event) -> Reply:
        state = self.hub.instances.get(instance_id)
        if state is None:
            return 404, None
        if state.runtime_status.has_ended:
            return 410, None
        is_suspended = state.runtime_status is OrchestrationStatus.SUSPENDED
        if isinstance(event, ExecutionSuspended) and is_suspended:
            return 500, None
        if isinstance(event, ExecutionResumed) and not is_suspended:
            return 500, None
        self._make_run(self.hub, instance_id).receive(event)
        return 202, None

    def _entity_state(self, entity: EntityId) -> Reply:
        state = read_entity_state(self.hub.entities.get(entity.instance_id))
        return (404, None) if state is None else (200, read_stored(state))

    def _signal(self, entity: EntityId, operation: str, data: Any) -> Reply:
        self._made += 1
        request = RequestMessage(
            operation=operation,
            is_signal=True,
            input=None if data is None else dump_stored(data),
            id=f"{self._made:032x}",
        )
        self.hub.send(entity.instance_id, REQUEST_EVENT, request.text)
        self._make_run(self.hub, "").settle_all()
        return 202, None

    def _document(self, state: InstanceState) -> dict[str, Any]:
        return {
            "name": state.started.name,
            "instanceId": state.instance_id,
            "runtimeStatus": state.runtime_status.value,
            "input": read_stored(state.started.input),
            "customStatus": read_stored(state.custom_status),
            "output": read_stored(state.output),
            "createdTime": format_ticks(Ticks(state.created - state.created % PER_SECOND)),
            "lastUpdatedTime": format_ticks(Ticks(state.updated - state.updated % PER_SECOND)),
        }


def links(instance_id: str) -> dict[str, str]:
    """The management payload of an instance."""
    path = f"{WEBHOOK_BASE}/instances/{instance_id}"
    return {"id": instance_id, **{name: f"{path}{end}" for name, end in _LINKS.items()}}


def client_binding() -> str:
    """The JSON text that a durable client parameter is bound to."""
    create = f"{WEBHOOK_BASE}/orchestrators/{{functionName}}[/{{instanceId}}]"
    return json.dumps(
        {
            "taskHubName": "InProcess",
            "creationUrls": {
                "createNewInstancePostUri": create,
                "createAndWaitOnNewInstancePostUri": f"{create}?timeout={{timeoutInSeconds}}",
            },
            "managementUrls": links("INSTANCEID"),
            "baseUrl": WEBHOOK_BASE,
            "requiredQueryStringParameters": "",
            "rpcBaseUrl": RPC_BASE,
        }
    )
