"""The flows that look again and again: `watch` and the waits.

How long they pause: short at first and after a change, longer the longer nothing changes, never longer than the host
asks for with Retry-After on a status (it always says 5 seconds, for pollers that know nothing better), and never
shorter than what it asks for when it is overloaded (429, 5xx). Each pause is moved by up to a fifth at random, so that
many watchers do not come at once. A host that does not answer is asked again until `patience` is over: it may be
restarting.
"""

from __future__ import annotations

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeVar

from typing_extensions import TypeForm

from durable_status.client.answers import accepted, parsed, unexpected
from durable_status.client.checks import instance_segment
from durable_status.client.hydration import hydrated
from durable_status.client.steps import Flow, Found, Pause, Request, Response
from durable_status.errors import HostError, InstanceEndedError, InstanceFailedError, WaitTimeoutError
from durable_status.instance_status import InstanceStatus
from durable_status.stored_json import Json, dump_stored

S = TypeVar("S")

_GROWTH = 1.5
_SPREAD = 0.2
_SHORTEST_LOOK = 1.0  # seconds that a request gets, even at the end of a wait
LONGEST_LOOK = 30.0
_LONGEST_RETRY_AFTER = 60.0


def _now() -> float:
    """The time of the running event loop, which a test may own; without one, the machine's."""
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        return time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to look, in seconds, and the clock and chance to go by."""

    shortest: float = 0.2
    longest: float = 5.0
    patience: float = 60.0
    """How long a host may be silent before that is an error."""
    now: Callable[[], float] = _now
    chance: Callable[[], float] = random.random
    """From 0 to 1."""

    def moved(self, seconds: float) -> float:
        """`seconds`, moved a little at random."""
        return seconds * (1 - _SPREAD + 2 * _SPREAD * self.chance())


class NoAnswerError(Exception):
    """Nobody answered for now; it may be otherwise the next time."""

    def __init__(self, error: HostError) -> None:
        super().__init__(str(error))
        self.error = error


class Looks(ABC):
    """Looks at one instance, and knows how long to pause before the next time."""

    def __init__(self, instance_id: str, pace: Pace) -> None:
        self.instance_id = instance_id
        self.pace = pace
        self._pause = pace.shortest
        self._silent_since: float | None = None
        self._asked_for: float | None = None
        self._read: tuple[Json, Json] | None = None

    @abstractmethod
    def look_once(self, status_type: TypeForm[S], left: float) -> Generator[Any, Any, InstanceStatus[S]]:
        """The status. `left` is the time there is for it, in seconds.

        Raises:
            NoAnswerError: there is none for now.
        """

    def look(
        self, status_type: TypeForm[S], left: float = LONGEST_LOOK
    ) -> Generator[Any, Any, InstanceStatus[S] | None]:
        """The status, or None when nobody answers for now."""
        try:
            status = yield from self.look_once(status_type, left)
        except NoAnswerError as silence:
            self._grow()
            if self._out_of_patience():
                raise silence.error from silence.error.__cause__
            return None
        self._silent_since = self._asked_for = None
        return (yield from self._with_payload(status))

    def hydrated(self, status: InstanceStatus[S]) -> Generator[Any, Any, InstanceStatus[S]]:
        """The status with what is in the payload store."""
        return hydrated(status)

    def _with_payload(self, status: InstanceStatus[S]) -> Generator[Any, Any, InstanceStatus[S]]:
        """The status with what is in the payload store, which is read once for each reference."""
        if self._read is not None and self._read[0] == status.custom_status_json:
            return replace(status, custom_status_json=self._read[1])
        read = yield from self.hydrated(status)
        is_read = read.custom_status_json is not status.custom_status_json
        self._read = (status.custom_status_json, read.custom_status_json) if is_read else None
        return read

    def pause(self, changed: bool) -> Pause:
        """The pause before the next look."""
        if changed:
            self._pause = self.pace.shortest
        pause = Pause(max(self.pace.moved(self._pause), self._asked_for or 0.0))
        self._grow()
        return pause

    def pause_at_least(self, seconds: float | None) -> None:
        """Take the time that one who is overloaded asks for, until there is a status again."""
        self._asked_for = seconds

    def pause_at_most(self, seconds: float | None) -> None:
        """Take the time that one who answers asks for."""
        self._pause = min(self._pause, seconds or self._pause)

    def _grow(self) -> None:
        self._pause = min(self._pause * _GROWTH, self.pace.longest)

    def _out_of_patience(self) -> bool:
        now = self.pace.now()
        if self._silent_since is None:
            self._silent_since = now
        return now - self._silent_since >= self.pace.patience


class HttpLooks(Looks):
    """Looks by the management API."""

    def look_once(self, status_type: TypeForm[S], left: float) -> Flow[InstanceStatus[S]]:
        """The status; a host that is overloaded or restarts does not answer for now."""
        request = Request(
            method="GET",
            path=f"instances/{instance_segment(self.instance_id)}",
            query={"showInput": "false"},
            timeout=min(max(left, _SHORTEST_LOOK), LONGEST_LOOK),
        )
        try:
            response = yield request
        except HostError as error:
            raise NoAnswerError(error) from error
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status == HTTPStatus.TOO_MANY_REQUESTS:
            self.pause_at_least(_retry_after(response))
            raise NoAnswerError(unexpected(response))
        document = parsed(accepted(response, self.instance_id, (HTTPStatus.OK, HTTPStatus.ACCEPTED)))
        self.pause_at_most(_retry_after(response))
        return InstanceStatus[S].from_document(document, status_type)


def watch(looks: Looks, status_type: TypeForm[S]) -> Generator[Any, Any, None]:
    """Hand out the status now and whenever it has changed, until the instance has ended."""
    seen = None
    while True:
        status = yield from looks.look(status_type)
        changed = status is not None and _shown(status) != seen
        if status is not None and changed:
            seen = _shown(status)
            yield Found(status)
        if status is not None and status.runtime_status.has_ended:
            return
        yield looks.pause(changed)


def wait_for_status(
    looks: Looks, status_type: TypeForm[S], predicate: Callable[[InstanceStatus[S]], bool], timeout: float
) -> Generator[Any, Any, InstanceStatus[S]]:
    """Wait until `predicate` holds."""
    now = looks.pace.now
    deadline = now() + timeout
    last: InstanceStatus[S] | None = None
    while True:
        status = yield from looks.look(status_type, deadline - now())
        if status is not None:
            if predicate(status):
                return status
            if status.runtime_status.has_failed:
                raise InstanceFailedError(status)
            if status.runtime_status.has_ended:
                raise InstanceEndedError(status)
        changed = status is not None and (last is None or _shown(status) != _shown(last))
        last = status or last
        left = deadline - now()
        if left <= 0:
            raise WaitTimeoutError(looks.instance_id, timeout, last)
        yield Pause(min(looks.pause(changed).seconds, left))


def has_completed(status: InstanceStatus[Any]) -> bool:
    """What `wait_for_completion` waits for."""
    return status.runtime_status.has_ended and not status.runtime_status.has_failed


def _shown(status: InstanceStatus[Any]) -> tuple[str, str, str]:
    """What makes two statuses different for a watcher. Not the times: they move without anything having changed."""
    return status.runtime_status.value, dump_stored(status.custom_status_json), dump_stored(status.output)


def _retry_after(response: Response) -> float | None:
    """The seconds of Retry-After; None when it says none. The platform never gives a date."""
    text = response.headers.get("retry-after", "")
    return min(float(text), _LONGEST_RETRY_AFTER) if text.isascii() and text.isdigit() else None
