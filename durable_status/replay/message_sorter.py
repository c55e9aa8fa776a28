"""Puts the requests that reach an entity back into the order in which each sender sent them, and drops repeats.

A request names the time of its sender's previous one to this entity, its predecessor; one whose predecessor has not
been delivered is held back, for as long as the reorder window. Requests of clients name no sender and pass through.
The sorter lives in the entity's stored state: `members` is its JSON, member for member the platform's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from durable_status.replay.entity_messages import NEVER, Moment, RequestMessage
from durable_status.replay.ticks import PER_SECOND, Ticks

_MOVES_HORIZON_AFTER = 10 * PER_SECOND  # past the window, so that the tables are not searched for every message


class MessageSorter:
    """The clocks of one entity: what it has received from each sender, and sent to each entity.

    A window of 0 switches sorting off.
    """

    def __init__(self, window: Ticks) -> None:
        self._window = window
        self._sent: dict[str, Moment] = {}
        self._sources: dict[str, _Source] = {}
        self._receive_horizon = NEVER
        self._send_horizon = NEVER

    @classmethod
    def from_members(cls, members: Mapping[str, Any], window: Ticks) -> Self:
        """Read the stored sorter."""
        sorter = cls(window)
        sorter._sent = {to: Moment.parse(text) for to, text in members.get("LastSentToInstance", {}).items()}
        sorter._sources = {
            sender: _Source.from_members(source) for sender, source in members.get("ReceivedFromInstance", {}).items()
        }
        sorter._receive_horizon = _read_horizon(members, "ReceiveHorizon")
        sorter._send_horizon = _read_horizon(members, "SendHorizon")
        return sorter

    @property
    def members(self) -> dict[str, Any]:
        """The JSON to store."""
        written: dict[str, Any] = {
            "LastSentToInstance": {to: moment.text for to, moment in self._sent.items()},
            "ReceivedFromInstance": {sender: source.members for sender, source in self._sources.items()},
            "ReceiveHorizon": self._receive_horizon.text if self._receive_horizon.ticks else None,
            "SendHorizon": self._send_horizon.text if self._send_horizon.ticks else None,
        }
        return {name: value for name, value in written.items() if value}

    def receive(self, request: RequestMessage) -> Iterator[RequestMessage]:
        """Take in one request; yield what is to run now, in order."""
        sender = request.parent_instance_id
        if not self._window or sender is None or request.due is not None:
            yield request
            return
        yield from self._move_receive_horizon(request.timestamp)
        if request.timestamp.ticks < self._receive_horizon.ticks:
            yield request
            return
        source = self._sources.setdefault(sender, _Source(execution_id=request.parent_execution_id))
        if source.execution_id != request.parent_execution_id:
            yield from source.start_over(request.parent_execution_id)
        if request.timestamp.ticks <= source.last.ticks:
            return  # it was delivered before
        if source.lacks_predecessor_of(request, self._receive_horizon):
            source.hold_back(request)
            return
        source.note_delivery(request, self._receive_horizon)
        yield request
        yield from source.deliver_held(self._receive_horizon)

    def label(self, request: RequestMessage, destination: str, now: Ticks) -> RequestMessage:
        """The same request with the times that let its receiver sort it."""
        if not self._window:
            return request
        if self._send_horizon.ticks + self._window + _MOVES_HORIZON_AFTER < now:
            self._send_horizon = Moment(Ticks(now - self._window))
            self._sent = {to: moment for to, moment in self._sent.items() if moment.ticks >= self._send_horizon.ticks}
        last = self._sent.get(destination, NEVER)
        stamp = Moment(now) if now > last.ticks else Moment(Ticks(last.ticks + 1), is_utc=False)
        self._sent[destination] = stamp
        return replace(request, timestamp=stamp, predecessor=last)

    def _move_receive_horizon(self, latest: Moment) -> Iterator[RequestMessage]:
        """Forget what lies before the window of `latest`; yield what was held back for something that old."""
        if self._receive_horizon.ticks + self._window + _MOVES_HORIZON_AFTER >= latest.ticks:
            return
        self._receive_horizon = Moment(Ticks(latest.ticks - self._window))
        for sender, source in list(self._sources.items()):
            if source.last.ticks < self._receive_horizon.ticks:
                source.last = NEVER
            yield from source.deliver_held(self._receive_horizon)
            if not source.last.ticks and not source.held:
                del self._sources[sender]


@dataclass(slots=True, kw_only=True)
class _Source:
    """What has come from one sender: the time of the last request delivered, and those that wait for an earlier one."""

    execution_id: str | None
    last: Moment = NEVER
    held: dict[Ticks, RequestMessage] | None = None  # None until there was one: the platform writes {} after that

    @classmethod
    def from_members(cls, members: Mapping[str, Any]) -> Self:
        held = members.get("Buffered")
        requests = None if held is None else [RequestMessage.from_members(item) for item in held.values()]
        return cls(
            execution_id=members.get("ExecutionId"),
            last=Moment.parse(members["Last"]),
            held=None if requests is None else {request.timestamp.ticks: request for request in requests},
        )

    @property
    def members(self) -> dict[str, Any]:
        written: dict[str, Any] = {"Last": self.last.text}
        if self.execution_id is not None:
            written["ExecutionId"] = self.execution_id
        if self.held is not None:
            ordered = [self.held[ticks] for ticks in sorted(self.held)]
            written["Buffered"] = {request.timestamp.text: request.members for request in ordered}
        return written

    def lacks_predecessor_of(self, request: RequestMessage, horizon: Moment) -> bool:
        return request.predecessor.ticks > self.last.ticks and request.predecessor.ticks >= horizon.ticks

    def hold_back(self, request: RequestMessage) -> None:
        self.held = {**(self.held or {}), request.timestamp.ticks: request}

    def note_delivery(self, request: RequestMessage, horizon: Moment) -> None:
        self.last = request.timestamp if request.timestamp.ticks >= horizon.ticks else NEVER

    def deliver_held(self, horizon: Moment) -> Iterator[RequestMessage]:
        while self.held:
            earliest = self.held[min(self.held)]
            if self.lacks_predecessor_of(earliest, horizon):
                return
            del self.held[earliest.timestamp.ticks]
            self.note_delivery(earliest, horizon)
            yield earliest

    def start_over(self, execution_id: str | None) -> Iterator[RequestMessage]:
        """Another execution of the sender has begun; what its last one sent no longer waits."""
        held = self.held or {}
        yield from (held[ticks] for ticks in sorted(held))
        if held:
            self.held = {}
        self.last, self.execution_id = NEVER, execution_id


def _read_horizon(members: Mapping[str, Any], name: str) -> Moment:
    text = members.get(name)
    return NEVER if text is None else Moment.parse(text)
