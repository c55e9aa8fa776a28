"""The management API that the clients inside functions talk to, answered inside the test.

Codes and bodies are those of extension 3.x (http.md §1, extension-3x.md). Histories, which a test reads from the run,
and lists and deletions of entities are refused as an error of the test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

from durable_status.app.links import RPC_BASE, Links
from durable_status.replay.entity_batch import read_entity_state
from durable_status.replay.entity_messages import REQUEST_EVENT, EntityId, RequestMessage
from durable_status.replay.events import (
    Event,
    EventRaised,
    ExecutionResumed,
    ExecutionSuspended,
    ExecutionTerminated,
    GenericEvent,
    OrchestrationStatus,
)
from durable_status.replay.rewind import rewind
from durable_status.replay.ticks import PER_SECOND, Ticks, format_ticks, parse_ticks
from durable_status.stored_json import dump_stored
from durable_status.stored_text import read_stored
from durable_status.testing.errors import HarnessError
from durable_status.testing.instance_state import InstanceState
from durable_status.testing.task_hub import TaskHub

ORIGIN = "http://in-process"

Reply = tuple[int, Any]
Query = Mapping[str, str]
"""The parameters of a request, their names in lower case."""


class Steered(Protocol):
    """An instance that requests steer: what they cause happens to it."""

    def begin(self, started: Event, /) -> object:
        """It has been started."""

    def receive(self, event: Event, /) -> object:
        """A message comes."""

    def settle_all(self) -> object:
        """What needs no time happens in the whole task hub."""

    def advance(self, *, seconds: float) -> object:
        """Time passes."""


Run = TypeVar("Run", bound=Steered)

_CONTROLS: dict[str, Callable[[Ticks, str], Event]] = {
    "terminate": lambda now, reason: ExecutionTerminated(timestamp=now, input=reason),
    "suspend": lambda now, reason: ExecutionSuspended(timestamp=now, reason=reason),
    "resume": lambda now, reason: ExecutionResumed(timestamp=now, reason=reason),
}


class Underway:
    """An instance as an activity's client steers it: what it causes happens when the activity has ended."""

    def __init__(self, hub: TaskHub, instance_id: str) -> None:
        self._hub = hub
        self._instance_id = instance_id

    def begin(self, started: Event) -> None:
        """Its first episode runs at once."""
        self._hub.deliver(self._instance_id, started)

    def receive(self, event: Event) -> None:
        """An episode with the message runs at once."""
        self._hub.deliver(self._instance_id, event)

    def settle_all(self) -> None:
        """Nothing: it happens afterwards."""

    def advance(self, *, seconds: float) -> None:
        """Time passes, and what has become due happens afterwards."""
        self._hub.now = Ticks(self._hub.now + round(seconds * PER_SECOND))


class InProcessHub(Generic[Run]):
    """A task hub that is steered by requests; `make_run` says what comes of them at once."""

    def __init__(self, hub: TaskHub, make_run: Callable[[TaskHub, str], Run]) -> None:
        self.hub = hub
        self.links = Links(
            hub="InProcess",
            connection=None,
            key="",
            public_origin=ORIGIN,
            rpc_base_url=f"{ORIGIN}{RPC_BASE}",
            writes_newer_members=hub.profile.writes_newer_members,
        )
        self._make_run = make_run
        self._made = 0

    def run(self, instance_id: str) -> Run:
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
        query = {name.casefold(): values[-1] for name, values in parse_qs(parts.query).items()}
        match method, *[unquote(part) for part in parts.path.removeprefix(RPC_BASE).strip("/").split("/")]:
            case "POST", "orchestrators", name:
                return self._start(name, self._new_id(), data)
            case "POST", "orchestrators", name, instance_id:
                return self._start(name, instance_id, data)
            case "GET", "instances":
                return 200, [self._document(state, query) for state in self._matching(query)]
            case "GET", "instances", instance_id if query.get("showhistory", "").casefold() != "true":
                return self._status(instance_id, query)
            case "DELETE", "instances":
                return self._purge_many(query)
            case "DELETE", "instances", instance_id:
                return self._purge(instance_id)
            case "POST", "instances", instance_id, "raiseEvent", name:
                event = EventRaised(timestamp=self.hub.now, name=name, input=dump_stored(data))
                return self._deliver(instance_id, event)
            case "POST", "instances", _, "raiseEvent", *names:
                raise HarnessError(
                    f"the event {'/'.join(names)!r} cannot be raised: a slash ends its name in the URL. "
                    "Give the event a name without one."
                )
            case "POST", "instances", instance_id, ("terminate" | "suspend" | "resume") as verb:
                return self._deliver(instance_id, _CONTROLS[verb](self.hub.now, query.get("reason", "")))
            case "POST", "instances", instance_id, "rewind":
                return self._rewind(instance_id, query.get("reason", ""))
            case "POST", "instances", instance_id, "restart":
                return self._restart(instance_id, query)
            case "GET", "entities", name, key:
                return self._entity_state(EntityId(name, key))
            case "POST", "entities", name, key:
                return self._signal(EntityId(name, key), query.get("op", ""), data)
            case _:
                raise HarnessError(f"{method} {url} is not played in the test; use the local host for it.")

    def _new_id(self) -> str:
        self._made += 1
        return f"{self._made:032x}"

    def _start(self, name: str, instance_id: str, data: Any) -> Reply:
        registered = self.hub.functions.host.orchestrators.find(name)
        if registered is None or self.hub.functions.host.orchestrators.is_disabled(name):
            return 400, {"ExceptionMessage": self.hub.functions.host.orchestrators.unknown_sentence(name)}
        return self._create(registered, instance_id, None if data is None else dump_stored(data))

    def _create(self, registered: str, instance_id: str, input_text: str | None) -> Reply:
        existing = self.hub.instances.get(instance_id)
        if existing is not None and not existing.runtime_status.has_ended:
            sentence = f"An Orchestration instance with the status {existing.runtime_status.value} already exists."
            return 409, {"Message": sentence}
        self._make_run(self.hub, instance_id).begin(self.hub.create(registered, input_text, instance_id))
        return 202, self.links.of_instance(ORIGIN, instance_id)

    def _restart(self, instance_id: str, query: Query) -> Reply:
        """Start an instance again from its function and input, under a new id unless told otherwise."""
        state = self.hub.instances.get(instance_id)
        if state is None:
            return 400, {"ExceptionMessage": f"No instance with ID '{instance_id}' was found."}
        is_same = query.get("restartwithnewinstanceid", "").casefold() == "false"
        return self._create(state.started.name, instance_id if is_same else self._new_id(), state.started.input)

    def _status(self, instance_id: str, query: Query) -> Reply:
        state = self.hub.instances.get(instance_id)
        if state is None:
            return 404, ""
        return (200 if state.runtime_status.has_ended else 202), self._document(state, query)

    def _matching(self, query: Query) -> list[InstanceState]:
        """The instances of a list: its bounds of time are included, and names of statuses are exact."""
        statuses = [name.strip() for name in query.get("runtimestatus", "").split(",") if name.strip()]
        since = parse_ticks(query.get("createdtimefrom", "0001-01-01T00:00:00Z"))
        until = parse_ticks(query.get("createdtimeto", "9999-12-31T23:59:59Z"))
        return [
            state
            for state in self.hub.instances.values()
            if state.instance_id.startswith(query.get("instanceidprefix", ""))
            and since <= state.created <= until
            and (not statuses or state.runtime_status.value in statuses)
        ]

    def _purge(self, instance_id: str) -> Reply:
        state = self.hub.instances.get(instance_id)
        if state is None:
            return 404, None
        if not (state.runtime_status.has_ended or self.hub.profile.purges_live_instances):
            return 412, {"Message": f"The instance {instance_id} has the status {state.runtime_status.value}."}
        self.hub.remove(instance_id)
        return 200, {"instancesDeleted": 1}

    def _purge_many(self, query: Query) -> Reply:
        found = self._matching(query)
        if any(not state.runtime_status.has_ended for state in found):
            raise HarnessError(
                "this purge would delete instances that are running: on the platform a filter without an ended "
                "runtime status deletes all of its time. Name the statuses: Completed, Failed, Terminated."
            )
        for state in found:
            self.hub.remove(state.instance_id)
        return (200, {"instancesDeleted": len(found)}) if found else (404, None)

    def _rewind(self, instance_id: str, reason: str) -> Reply:
        """Take back what failed, in the instance and in its failed children, and wake the deepest of them."""
        state = self.hub.instances.get(instance_id)
        if state is None:
            return 404, {"Message": f'No orchestration with instance ID "{instance_id}" found.'}
        if state.runtime_status is not OrchestrationStatus.FAILED:
            return 412, {"Message": 'Only orchestrations in the "Failed" state can be rewound.'}
        todo, leaves = [instance_id], []
        while todo:
            current = self.hub.instance(todo.pop())
            rewound = rewind(current.history)
            self.hub.rewrite(current, rewound.history)
            todo += rewound.children
            if not rewound.children:
                leaves.append(current.instance_id)
        for leaf in leaves:
            self._make_run(self.hub, leaf).receive(GenericEvent(timestamp=self.hub.now, data=reason))
        return 202, None

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
        request = RequestMessage(
            operation=operation,
            is_signal=True,
            input=None if data is None else dump_stored(data),
            id=self._new_id(),
        )
        self.hub.send(entity.instance_id, REQUEST_EVENT, request.text)
        self._make_run(self.hub, "").settle_all()
        return 202, None

    def _document(self, state: InstanceState, query: Query) -> dict[str, Any]:
        """The status document; the input is left out if told so."""
        shows_input = query.get("showinput", "").casefold() != "false"
        return {
            "name": state.started.name,
            "instanceId": state.instance_id,
            "runtimeStatus": state.runtime_status.value,
            "input": read_stored(state.started.input) if shows_input else None,
            "customStatus": self.hub.custom_status(state),
            "output": read_stored(state.output),
            "createdTime": format_ticks(Ticks(state.created - state.created % PER_SECOND)),
            "lastUpdatedTime": format_ticks(Ticks(state.updated - state.updated % PER_SECOND)),
        }
