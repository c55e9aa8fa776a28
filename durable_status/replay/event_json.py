"""Events as JSON text, member for member as the platform writes them into a trigger.

A class's own members come first, then ``EventId``, ``IsPlayed`` and ``Timestamp``; ``EventType`` leads, except in
ExecutionStarted, where ``OrchestrationInstance`` precedes it. Readers must not depend on that order; we keep it so that
texts can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any

from durable_status.replay import events as event_classes
from durable_status.replay.events import (
    Event,
    EventType,
    ExecutionStarted,
    OrchestrationInstance,
    OrchestrationStatus,
    ParentInstance,
)
from durable_status.replay.ticks import format_ticks, parse_ticks

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_WRITTEN_ONLY_BY_3X = frozenset({"generate_new_trace", "instance_id", "source_instance_id"})


def event_text(event: Event) -> str:
    """The JSON text of `event`, written once and kept on the event."""
    text = event.text
    if text is None:
        text = _written(event)
        object.__setattr__(event, "text", text)
    return text


def read_event(text: str) -> Event:
    """Read an event's JSON text, which stays the event's text; members this version does not know have no field.

    Raises:
        ValueError: `text` is not an event of a known type.
    """
    event = event_from_members(json.loads(text))
    object.__setattr__(event, "text", text)
    return event


def event_from_members(members: Mapping[str, Any]) -> Event:
    """Build an event from its JSON members.

    Raises:
        ValueError: the members are not those of an event of a known type.
    """
    layout = _LAYOUTS.get(members.get("EventType", -1))
    if layout is None:
        raise ValueError(f"unknown event type {members.get('EventType')!r}")
    try:
        values = {
            member.attribute: member.read(members[member.wire_name])
            for member in layout.members
            if members.get(member.wire_name) is not None
        }
        return layout.event_class(**values)
    except (TypeError, LookupError) as error:
        raise ValueError(f"not a {layout.event_class.__name__} event: {error}") from None


def event_members(event: Event) -> dict[str, Any]:
    """The JSON members of an event, in their order."""
    members: dict[str, Any] = json.loads(event_text(event))
    return members


def _written(event: Event) -> str:
    layout = _LAYOUTS[event.event_type]
    written = [] if layout.leads_with_instance else [layout.type_text]
    for member, value in zip(layout.members, layout.values(event), strict=True):
        if value is not None:
            written.append(member.key + _dump(member.write(value)))
        elif not member.omitted_when_none:
            written.append(member.key + "null")
        if member.attribute == "orchestration_instance":
            written.append(layout.type_text)
    return "{" + ",".join(written) + "}"


def _dump(value: Any) -> str:
    """Write a value; the encoder takes five times as long for a plain one."""
    return _PLAIN.get(type(value), _encode)(value)


_PLAIN: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: int.__repr__,
    bool: lambda value: "true" if value else "false",
}


@dataclass(frozen=True, slots=True)
class _Member:
    attribute: str
    wire_name: str
    key: str
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]
    omitted_when_none: bool


@dataclass(frozen=True, slots=True)
class _Layout:
    event_class: type[Event]
    type_text: str
    members: tuple[_Member, ...]
    values: Callable[[Event], tuple[Any, ...]]
    """Of an event, in the order of the members."""
    leads_with_instance: bool


def _same(value: Any) -> Any:
    return value


def _write_instance(instance: OrchestrationInstance) -> dict[str, Any]:
    return {"InstanceId": instance.instance_id, "ExecutionId": instance.execution_id}


def _read_instance(members: Mapping[str, Any]) -> OrchestrationInstance:
    return OrchestrationInstance(instance_id=members["InstanceId"], execution_id=members["ExecutionId"])


def _write_parent(parent: ParentInstance) -> dict[str, Any]:
    return {
        "Name": parent.name,
        "OrchestrationInstance": _write_instance(parent.orchestration_instance),
        "TaskScheduleId": parent.task_schedule_id,
        "Version": parent.version,
    }


def _read_parent(members: Mapping[str, Any]) -> ParentInstance:
    return ParentInstance(
        name=members["Name"],
        orchestration_instance=_read_instance(members["OrchestrationInstance"]),
        task_schedule_id=members["TaskScheduleId"],
        version=members["Version"],
    )


def _status_from_number(number: int) -> OrchestrationStatus:
    return list(OrchestrationStatus)[number]


_CONVERSIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "timestamp": (format_ticks, parse_ticks),
    "fire_at": (format_ticks, parse_ticks),
    "scheduled_start_time": (format_ticks, parse_ticks),
    "orchestration_instance": (_write_instance, _read_instance),
    "parent_instance": (_write_parent, _read_parent),
    "orchestration_status": (lambda status: status.number, _status_from_number),
}

_COMMON = ("event_id", "is_played", "timestamp")


def _layout(event_class: type[Event]) -> _Layout:
    own = [item for item in fields(event_class) if item.name not in (*_COMMON, "text")]
    names = [*(item.name for item in own), *_COMMON]
    optional = {item.name for item in own if item.default is None}
    members = tuple(
        _Member(
            name,
            wire_name := name.title().replace("_", ""),
            f'"{wire_name}":',
            *_CONVERSIONS.get(name, (_same, _same)),
            omitted_when_none=name in optional & _WRITTEN_ONLY_BY_3X,
        )
        for name in names
    )
    return _Layout(
        event_class,
        f'"EventType":{event_class.event_type:d}',
        members,
        attrgetter(*names),
        leads_with_instance=event_class is ExecutionStarted,
    )


_LAYOUTS: dict[int, _Layout] = {
    value.event_type: _layout(value)
    for value in vars(event_classes).values()
    if isinstance(value, type) and issubclass(value, Event) and value is not Event
}
assert len(_LAYOUTS) == len(EventType)
