"""Reads triggers for the SDK without reading again what an earlier trigger said already.

Every trigger holds the whole history, and the SDK never changes an event, so the objects for events of equal text can
serve again. Equal text is all that counts: a history that was rewritten is read like a new one.
"""

from __future__ import annotations

import inspect
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from json.scanner import make_scanner
from typing import Any

from durable_status.replay.events import EventType

_OPENING = '{"history":['
_HEAD = 256
"""The triggers of one instance have this many characters in common, and its id is among them."""
_KEPT = 32
_NEEDED = 2
"""As many events the context's constructor looks at: the first episode's start and the execution's."""


@dataclass(frozen=True, slots=True)
class _Start:
    """How a trigger begins, up to the first character of an event, and what the events before it were read as."""

    text: str = _OPENING
    members: tuple[dict[str, Any], ...] = ()
    """Those of the first two events."""
    events: tuple[Any, ...] = ()
    """The SDK's objects."""


class TriggerReader:
    """Reads triggers that the host has written; several threads may."""

    def __init__(self, context_class: Any, event_class: Any) -> None:
        self._context_class = context_class
        self._event_class = event_class
        self._scan = make_scanner(json.JSONDecoder())  # type: ignore[arg-type]
        self._starts: OrderedDict[str, _Start] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, text: str) -> Any:
        """Make the SDK's context of a trigger.

        Raises:
            ValueError: the text is not laid out as the host does it (or LookupError, or StopIteration).
        """
        start = self._find(text)
        members, events, position = list(start.members), list(start.events), len(start.text)
        length, count = position, len(events)
        while text[position] != "]":
            event, end = self._scan(text, position)
            if event["EventType"] == EventType.ORCHESTRATOR_STARTED:  # what follows is sent again, as played
                length, count = position, len(events)
            if len(members) < _NEEDED:
                members.append(event)
            events.append(self._event_class(**event))
            position = end + (text[end] == ",")
        self._keep(text[:_HEAD], _Start(text[:length], tuple(members[:count]), tuple(events[:count])))
        context = self._context_class(history=members, **json.loads("{" + text[position + 2 :]))
        context._histories = events
        return context

    def _find(self, text: str) -> _Start:
        with self._lock:
            start = self._starts.get(text[:_HEAD])
        if start is not None and text.startswith(start.text):
            return start
        if not text.startswith(_OPENING):
            raise ValueError("not a trigger as the host writes it")
        return _Start()

    def _keep(self, head: str, start: _Start) -> None:
        with self._lock:
            self._starts[head] = start
            self._starts.move_to_end(head)
            if len(self._starts) > _KEPT:
                self._starts.popitem(last=False)


def read_events_once(context_class: Any) -> None:
    """Have the SDK's class of contexts made by a `TriggerReader`; another release's is left as it is."""
    event_class = getattr(inspect.getmodule(context_class), "HistoryEvent", None)
    if event_class is None or "_histories" not in context_class.__init__.__code__.co_names:
        return
    read_all, reader = context_class.from_json, TriggerReader(context_class, event_class)

    def from_json(text: str) -> Any:
        try:
            return reader.read(text)
        except (ValueError, LookupError, StopIteration):
            return read_all(text)  # and let the SDK say what is wrong with it

    context_class.from_json = staticmethod(from_json)
