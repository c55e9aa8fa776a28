"""The second replay: the host turns the SDK's action list into decisions, one action at a time.

Python has said everything the code ever yielded; the host reaches an action only after the one before it has settled.
What is never reached is never scheduled, and ids are handed out on reaching.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from durable_status.replay.actions import COMPOUND, NEVER_AWAITED, Action, ActionType
from durable_status.replay.answer import V1, V3, HostRefusal
from durable_status.replay.entity_messages import EntityId, Moment, RequestMessage, scheduled_request_event
from durable_status.replay.entity_requests import EntityRequests
from durable_status.replay.events import ExecutionStarted
from durable_status.replay.futures import Future, start, when_all, when_any
from durable_status.replay.host_context import HostContext
from durable_status.replay.host_facts import FunctionNames, HostFacts
from durable_status.replay.http_requests import HTTP_ACTIVITY, http_activity_input
from durable_status.replay.names import caseless
from durable_status.replay.profile import Profile
from durable_status.replay.retries import RetryOptions, retry
from durable_status.replay.ticks import PER_DAY, PER_SECOND, Ticks, in_microseconds, parse_ticks
from durable_status.replay.traps import TrapKind, TrapLog
from durable_status.stored_json import dump_stored

_NEVER_STARTED = Future.settled(False)
"""Stands for a call whose error the platform swallows: nothing is scheduled, no id is taken, the walk goes on."""

_NEVER_STARTS = "The call never starts and the orchestration waits for ever."
_SHORTEST_RELIABLE_SPAN = in_microseconds(Ticks(2 * PER_SECOND))


class Walk:
    """One walk over an action list, deciding in `context`."""

    def __init__(
        self, context: HostContext, started: ExecutionStarted, host: HostFacts, profile: Profile, log: TrapLog
    ) -> None:
        self.position: int | None = None
        """The index of the action that is waited at; None before the first and after the last."""
        self.leaves: list[tuple[Action, Future]] = []
        """What is waited for there: the action, or what stands inside the compound."""
        self.timers: list[tuple[int, Future]] = []
        """The timers of user code, each with its action's index."""
        self._context = context
        self._started = started
        self._host = host
        self._profile = profile
        self._log = log
        self._actions_left = host.max_orchestration_actions
        self._has_long_timer = False
        self._schema = V3
        execution = started.orchestration_instance
        self._requests = EntityRequests(
            execution.instance_id, execution.execution_id or "", host.entity_reorder_window, log
        )

    async def follow(self, actions: Sequence[Action], schema: int) -> None:
        """Reach the actions in order, each after the one before has settled, succeeded or not.

        Raises:
            HostRefusal: an action the platform refuses aloud; the orchestration fails.
        """
        self._schema = schema
        for index, action in enumerate(actions):
            self.position = self._log.action = index
            self.leaves = []
            await self._reach(action)
        self.position = self._log.action = None

    async def follow_steps(self, steps: Sequence[Sequence[Action]]) -> None:
        """Follow an answer in schema V1: each step is reached when one thing of the step before has settled.

        Raises:
            HostRefusal: an action the platform refuses aloud; the orchestration fails.
        """
        self._schema = V1
        for actions in steps:
            reached = [(action, self._reach(action)) for action in actions]
            awaited = [future for action, future in reached if action["actionType"] not in NEVER_AWAITED]
            if awaited:
                await when_any(awaited)

    def _reach(self, action: Action) -> Future:
        reach = _REACH.get(action["actionType"])
        if reach is None:
            raise HostRefusal(
                f"Received an unexpected action type from the out-of-proc function: '${action['actionType']}'."
            )
        future = reach(self, action)
        if action["actionType"] not in COMPOUND:
            self.leaves.append((action, future))
        return future

    def _call_activity(self, action: Action) -> Future:
        if not (self._is_known(self._host.activities, action["functionName"]) and self._may_act()):
            return _NEVER_STARTED
        return self._context.schedule_activity(action["functionName"], _activity_input(action))

    def _call_activity_with_retry(self, action: Action) -> Future:
        options = RetryOptions.from_action(action)
        if not (
            self._can_retry(options)
            and self._is_known(self._host.activities, action["functionName"])
            and self._may_act()
        ):
            return _NEVER_STARTED
        name, input_text = action["functionName"], _activity_input(action)
        return start(retry(self._context, options, lambda: self._context.schedule_activity(name, input_text)))

    def _call_sub_orchestrator(self, action: Action) -> Future:
        if not (
            self._is_known(self._host.orchestrators, action["functionName"])
            and self._may_be_child(action)
            and self._may_act()
        ):
            return _NEVER_STARTED
        return self._start_child(action)

    def _call_sub_orchestrator_with_retry(self, action: Action) -> Future:
        options = RetryOptions.from_action(action)
        if not (
            self._can_retry(options)
            and self._is_known(self._host.orchestrators, action["functionName"])
            and self._may_be_child(action)
            and self._may_act()
        ):
            return _NEVER_STARTED
        return start(retry(self._context, options, lambda: self._start_child(action)))

    def _start_child(self, action: Action) -> Future:
        input_text = action.get("input")
        return self._context.start_sub_orchestration(
            action["functionName"],
            action.get("instanceId"),
            None if input_text is None else dump_stored(input_text),
        )

    def _continue_as_new(self, action: Action) -> Future:
        input_text = action.get("input")
        self._context.continue_as_new(None if input_text is None else dump_stored(input_text))
        return Future.settled(True)

    def _create_timer(self, action: Action) -> Future:
        fire_at = parse_ticks(action["fireAt"])
        span = fire_at - self._context.clock
        if span > self._host.maximum_short_timer:
            return self._create_long_timer(fire_at, canceled=bool(action.get("isCanceled")))
        if not self._may_act():
            return _NEVER_STARTED
        asked_for = in_microseconds(fire_at) - in_microseconds(self._context.clock)
        if 0 < asked_for < _SHORTEST_RELIABLE_SPAN and not self._has_long_timer:  # a long one may end in tiny legs
            self._log.note(TrapKind.SHORT_TIMER, "A timer of less than 2 seconds may fire at once.")
        timer = self._context.set_timer(fire_at, canceled=bool(action.get("isCanceled")))
        self.timers.append((self.position or 0, timer))
        return timer

    def _create_long_timer(self, fire_at: Ticks, *, canceled: bool) -> Future:
        # SDK 1.x splits long timers itself; this is for a timer that is long only by the host's clock.
        if self._schema < V3:
            raise HostRefusal(
                f"The Azure Storage provider supports a maximum of {self._host.maximum_short_timer / PER_DAY:g} days "
                "for time-based delays (Parameter 'fireAt')"
            )
        if not canceled:
            return start(self._wait_in_legs(fire_at))
        if not self._may_act():
            return _NEVER_STARTED
        return self._context.set_timer(Ticks(self._context.clock + self._host.long_timer_interval), canceled=True)

    async def _wait_in_legs(self, fire_at: Ticks) -> bool:
        while self._context.clock < fire_at and self._may_act():
            await self._context.set_timer(min(fire_at, Ticks(self._context.clock + self._host.long_timer_interval)))
        return True

    def _wait_for_external_event(self, action: Action) -> Future:
        return self._context.external_events.wait(action["externalEventName"])

    def _when_all(self, action: Action) -> Future:
        children = action["compoundActions"]
        self._has_long_timer |= len(children) == 1 and children[0]["actionType"] == ActionType.CREATE_TIMER
        return when_all([self._reach(child) for child in children])

    def _when_any(self, action: Action) -> Future:
        children = [self._reach(child) for child in action["compoundActions"]]
        if not children:
            raise HostRefusal("The tasks argument contains no tasks. (Parameter 'tasks')")
        return when_any(children)

    def _call_http(self, action: Action) -> Future:
        if not self._may_act():
            return _NEVER_STARTED
        return self._context.schedule_activity(HTTP_ACTIVITY, http_activity_input(action["httpRequest"]))

    def _call_entity(self, action: Action) -> Future:
        entity = EntityId.parse(action["instanceId"])
        if not self._is_known(self._host.entities, entity.name):
            return _NEVER_STARTED
        request = self._request(entity, action)
        if not self._may_act():
            return _NEVER_STARTED
        self._context.send_event(entity.instance_id, request.event_name, request.text)
        return self._context.external_events.wait(request.id)

    def _signal_entity(self, action: Action) -> Future:
        return self._send_signal(action, due=None)

    def _signal_entity_later(self, action: Action) -> Future:
        fire_at = parse_ticks(action["fireAt"])
        # The provider cannot hold a message for longer; the entity's side sends it on.
        longest = self._host.maximum_short_timer
        too_late = fire_at - self._context.clock > longest
        due = Ticks(self._context.clock + self._host.long_timer_interval) if too_late else fire_at
        return self._send_signal(action, due=due)

    def _send_signal(self, action: Action, *, due: Ticks | None) -> Future:
        # A signal is synchronous on the platform, so what is swallowed elsewhere fails the orchestration here.
        entity = EntityId.parse(action["instanceId"])
        if self._host.entities.find(entity.name) is None:
            sentence = self._host.entities.unknown_sentence(entity.name)
            self._log.note(TrapKind.UNKNOWN_FUNCTION, f"{sentence} The orchestration fails.")
            raise HostRefusal(sentence)
        request = self._request(entity, action, is_signal=True)
        if not self._actions_left:
            raise HostRefusal(
                f"Maximum amount of orchestration actions ({self._host.max_orchestration_actions}) has been reached. "
                "This value can be configured in host.json file as MaxOrchestrationActions."
            )
        self._actions_left -= 1
        name = request.event_name if due is None else scheduled_request_event(due)
        self._context.send_event(entity.instance_id, name, request.text, due)
        return Future.settled(True)

    def _request(self, entity: EntityId, action: Action, *, is_signal: bool = False) -> RequestMessage:
        fire_at, input_text = action.get("fireAt"), action.get("input")
        return self._requests.make(
            entity,
            action["operation"],
            None if input_text is None else dump_stored(input_text),
            self._context.clock,
            is_signal=is_signal,
            due=None if fire_at is None else Moment.parse(fire_at),
        )

    def _is_known(self, names: FunctionNames, name: str) -> bool:
        if names.find(name) is not None:
            return True
        sentence = names.unknown_sentence(name)
        outcome = "The orchestration fails." if self._profile.fails_unknown_functions else _NEVER_STARTS
        self._log.note(TrapKind.UNKNOWN_FUNCTION, f"{sentence} {outcome}")
        if self._profile.fails_unknown_functions:
            raise HostRefusal(sentence)
        return False

    def _may_be_child(self, action: Action) -> bool:
        child = action.get("instanceId")
        if not child:
            return True
        parent = self._started.parent_instance
        ancestors = [self._started.orchestration_instance.instance_id]
        if parent is not None:
            ancestors.append(parent.orchestration_instance.instance_id)
        if child.startswith("@") or caseless(child) in [caseless(ancestor) for ancestor in ancestors]:
            self._log.note(
                TrapKind.CHILD_ID,
                f"The sub-orchestration id '{child}' is the orchestration's own, its parent's, or starts with '@'. "
                + _NEVER_STARTS,
            )
            return False
        return True

    def _can_retry(self, options: RetryOptions) -> bool:
        if options.max_attempts <= 0 or options.interval > self._host.maximum_short_timer:
            self._log.note(
                TrapKind.RETRY_OPTIONS,
                "A call with retry needs at least one attempt and an interval of at most 6 days. " + _NEVER_STARTS,
            )
            return False
        if options.max_attempts > 1 and in_microseconds(options.interval) < _SHORTEST_RELIABLE_SPAN:
            self._log.note(TrapKind.SHORT_TIMER, "A retry interval of less than 2 seconds may pass at once.")
        return True

    def _may_act(self) -> bool:
        if self._actions_left == 0:
            self._log.note(
                TrapKind.ACTION_LIMIT,
                f"The limit of {self._host.max_orchestration_actions} actions is reached. {_NEVER_STARTS}",
            )
            return False
        self._actions_left -= 1
        return True


def _activity_input(action: Action) -> str:
    return dump_stored([action.get("input")])


_REACH: dict[int, Callable[[Walk, Action], Future]] = {
    ActionType.CALL_ACTIVITY: Walk._call_activity,
    ActionType.CALL_ACTIVITY_WITH_RETRY: Walk._call_activity_with_retry,
    ActionType.CALL_SUB_ORCHESTRATOR: Walk._call_sub_orchestrator,
    ActionType.CALL_SUB_ORCHESTRATOR_WITH_RETRY: Walk._call_sub_orchestrator_with_retry,
    ActionType.CONTINUE_AS_NEW: Walk._continue_as_new,
    ActionType.CREATE_TIMER: Walk._create_timer,
    ActionType.WAIT_FOR_EXTERNAL_EVENT: Walk._wait_for_external_event,
    ActionType.CALL_ENTITY: Walk._call_entity,
    ActionType.CALL_HTTP: Walk._call_http,
    ActionType.SIGNAL_ENTITY: Walk._signal_entity,
    ActionType.SIGNAL_ENTITY_LATER: Walk._signal_entity_later,
    ActionType.WHEN_ANY: Walk._when_any,
    ActionType.WHEN_ALL: Walk._when_all,
}
