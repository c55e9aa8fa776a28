"""What orchestrations, clients and entities send each other, as values and as the JSON text of the wire.

A request travels as the input of an external event named ``op`` (``op@<time>`` when it is not to run before a time),
a response as that of an event named like the request's id. Members and their order are the platform's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from durable_status.replay.ticks import Ticks, format_ticks, format_ticks_in_full, parse_ticks
from durable_status.stored_json import dump_stored

REQUEST_EVENT = "op"
"""The name of the event that carries a request."""

_NAMESPACE = "Microsoft.Azure.WebJobs.Extensions.DurableTask"
_REQUEST_TYPE = f"{_NAMESPACE}.RequestMessage, {_NAMESPACE}"
_RESPONSE_TYPE = f"{_NAMESPACE}.ResponseMessage, {_NAMESPACE}"


def scheduled_request_event(due: Ticks) -> str:
    """The name of the event that carries a request with a time."""
    return f"{REQUEST_EVENT}@{format_ticks_in_full(due)}"


@dataclass(frozen=True, slots=True)
class EntityId:
    """One entity: the function's name, always in lower case, and the key as given."""

    name: str
    key: str

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("an entity needs a name")
        object.__setattr__(self, "name", self.name.lower())

    @classmethod
    def parse(cls, instance_id: str) -> Self:
        """Read ``@name@key``; the key may hold more ``@``.

        Raises:
            ValueError: `instance_id` is not of that form.
        """
        at, rest = instance_id[:1], instance_id[1:]
        name, separator, key = rest.partition("@")
        if at != "@" or not separator or not name:
            raise ValueError(f"'{instance_id}' is not an entity id; it has the form @name@key")
        return cls(name, key)

    @property
    def instance_id(self) -> str:
        """The id of the instance that runs the entity's operations: ``@name@key``."""
        return f"@{self.name}@{self.key}"


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in a message. One that was not read from a clock is written without ``Z``, as .NET does.

    Times compare by their ticks alone.
    """

    ticks: Ticks
    is_utc: bool = True

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the wire's form.

        Raises:
            ValueError: `text` is no ISO 8601 time.
        """
        return cls(parse_ticks(text), is_utc=text.endswith("Z"))

    @property
    def text(self) -> str:
        """The wire's form: ISO 8601 with up to seven digits of fraction."""
        text = format_ticks(self.ticks)
        return text if self.is_utc else text.removesuffix("Z")


NEVER = Moment(Ticks(0), is_utc=False)
"""The predecessor of a first message, and both times of a client's messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMessage:
    """Asks an entity for an operation."""

    operation: str | None
    is_signal: bool = False
    """A signal gets no response."""
    input: str | None = None
    """JSON text. The SDK's is a JSON string that holds JSON text."""
    id: str
    """A GUID; the response is an event with this name."""
    parent_instance_id: str | None = None
    """The sender; none is a client."""
    parent_execution_id: str | None = None
    due: Moment | None = None
    """Not to be run before."""
    timestamp: Moment = NEVER
    """Orders the messages of one sender to one entity."""
    predecessor: Moment = NEVER
    """The timestamp of the sender's message to this entity before this one."""

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a request; members that this version does not know are passed over.

        Raises:
            ValueError: `text` is not a request.
        """
        return cls.from_members(_members(text))

    @classmethod
    def from_members(cls, members: Mapping[str, Any]) -> Self:
        """Build a request from its JSON members (an entity's state holds requests in that form).

        Raises:
            ValueError: a member is missing or is no time.
        """
        try:
            due = members.get("due")
            return cls(
                operation=members["op"],
                is_signal=members.get("signal", False),
                input=members.get("input"),
                id=members["id"],
                parent_instance_id=members.get("parent"),
                parent_execution_id=members.get("parentExecution"),
                due=None if due is None else Moment.parse(due),
                timestamp=Moment.parse(members["Timestamp"]),
                predecessor=Moment.parse(members["Predecessor"]),
            )
        except KeyError as missing:
            raise ValueError(f"a request has no member {missing}") from None

    @property
    def members(self) -> dict[str, Any]:
        """The JSON members in the wire's order, without the ``$type`` that leads a message of its own."""
        optional = {
            "signal": self.is_signal or None,
            "input": self.input,
            "id": self.id,
            "parent": self.parent_instance_id,
            "parentExecution": self.parent_execution_id,
            "due": None if self.due is None else self.due.text,
        }
        return {
            "op": self.operation,
            **{name: value for name, value in optional.items() if value is not None},
            "Timestamp": self.timestamp.text,
            "Predecessor": self.predecessor.text,
        }

    @property
    def text(self) -> str:
        """The JSON text of the wire."""
        return dump_stored({"$type": _REQUEST_TYPE, **self.members})

    @property
    def event_name(self) -> str:
        """The name of the event that carries it."""
        return REQUEST_EVENT if self.due is None else scheduled_request_event(self.due.ticks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMessage:
    """What an operation returned, or the error it raised (`exception_type` is then not None)."""

    result: str | None
    """JSON text; an error's is its message as JSON text."""
    exception_type: str | None = None

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a response.

        Raises:
            ValueError: `text` is not a response.
        """
        members = _members(text)
        return cls(result=members.get("result"), exception_type=members.get("exceptionType"))

    @property
    def text(self) -> str:
        """The JSON text of the wire."""
        members = {"$type": _RESPONSE_TYPE, "result": self.result}
        if self.exception_type is not None:
            members["exceptionType"] = self.exception_type
        return dump_stored(members)


def _members(text: str) -> dict[str, Any]:
    members: Any = json.loads(text)
    if not isinstance(members, dict):
        raise ValueError("an entity message is a JSON object")
    return members
