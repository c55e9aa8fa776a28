"""How an orchestration numbers, stamps and names its requests to entities (replay.md §3.7).

A request's id is a hash of the instance, the clock at the moment the host reaches the action, and a counter: a replay
that reaches it at another time makes another id, and the response never finds its caller. Each request names the time
of the one before it to the same entity, so that an entity can put them in order.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid5

from durable_status.replay.entity_messages import NEVER, EntityId, Moment, RequestMessage
from durable_status.replay.names import caseless
from durable_status.replay.ticks import PER_SECOND, Ticks, format_ticks_in_full
from durable_status.replay.traps import TrapKind, TrapLog

_NAMESPACE = UUID("9e952959-5e33-4daf-827f-2fa12937b875")
_SHORTEST_TIME_BETWEEN_CLEANUPS = 10 * PER_SECOND


class EntityRequests:
    """Makes the requests of one replay. `reorder_window` is how long, in ticks, an entity waits for a missing one."""

    def __init__(self, instance_id: str, execution_id: str, reorder_window: Ticks, log: TrapLog) -> None:
        self._log = log
        self._instance_id = instance_id
        self._execution_id = execution_id
        self._reorder_window = reorder_window
        self._made = 0
        # Keys differing in case share a clock, although they are different entities.
        self._last_sent: dict[str, Moment] = {}
        self._spellings: dict[str, str] = {}
        self._horizon = Ticks(0)

    def make(
        self,
        entity: EntityId,
        operation: str,
        input_text: str | None,
        clock: Ticks,
        *,
        is_signal: bool = False,
        due: Moment | None = None,
    ) -> RequestMessage:
        """Make the next request; one with a time takes no part in the order."""
        name = f"{self._instance_id}_{format_ticks_in_full(clock)}_{self._made}"
        self._made += 1
        request = RequestMessage(
            operation=operation,
            is_signal=is_signal,
            input=input_text,
            id=str(uuid5(_NAMESPACE, name)),
            parent_instance_id=self._instance_id,
            parent_execution_id=self._execution_id,
            due=due,
        )
        return request if due is not None else self._in_order(request, entity, clock)

    def _in_order(self, request: RequestMessage, entity: EntityId, clock: Ticks) -> RequestMessage:
        self._forget_what_is_past_the_window(clock)
        key = caseless(entity.instance_id)
        spelling = self._spellings.setdefault(key, entity.instance_id)
        if spelling != entity.instance_id:
            self._log.note(
                TrapKind.ENTITY_KEY_CASE,
                f"Entities '{spelling}' and '{entity.instance_id}' differ only in case: the second waits for up to "
                "half an hour for a message that the first has got.",
            )
        predecessor = self._last_sent.get(key, NEVER)
        later = Moment(clock) if clock > predecessor.ticks else Moment(Ticks(predecessor.ticks + 1), is_utc=False)
        self._last_sent[key] = later
        return replace(request, timestamp=later, predecessor=predecessor)

    def _forget_what_is_past_the_window(self, clock: Ticks) -> None:
        if self._horizon + self._reorder_window + _SHORTEST_TIME_BETWEEN_CLEANUPS >= clock:
            return
        self._horizon = Ticks(clock - self._reorder_window)
        self._last_sent = {key: sent for key, sent in self._last_sent.items() if sent.ticks >= self._horizon}
