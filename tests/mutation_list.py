"""Single rules of the engine and how to break each: a text of the code and what to put in its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change to a file of `durable_status/replay`; `old` occurs there once."""

    rule: str
    file: str
    old: str
    new: str


MUTATIONS = (
    # Ids.
    Mutation(
        "Ids begin at 0",
        "host_context.py",
        "self._next_id = 0",
        "self._next_id = 1",
    ),
    Mutation(
        "A timer takes an id of its own",
        "host_context.py",
        "decision = SetTimer(id=self._take_id(), fire_at=fire_at)",
        "decision = SetTimer(id=self._next_id, fire_at=fire_at)",
    ),
    Mutation(
        "A message to an entity takes an id",
        "host_context.py",
        "SendEvent(id=self._take_id(),",
        "SendEvent(id=-self._take_id(),",
    ),
    Mutation(
        "A child without an id gets the execution's, a colon and the task's",
        "host_context.py",
        'f"{self._execution_id}:{task_id}"',
        'f"{self._execution_id}:{task_id + 1}"',
    ),
    Mutation(
        "Ending takes the next id",
        "host_context.py",
        "decision_id = self._take_id()",
        "decision_id = self._next_id - 1",
    ),
    # The walk.
    Mutation(
        "An action is reached after the one before has settled",
        "walk.py",
        "await self._reach(action)",
        "self._reach(action)",
    ),
    Mutation(
        "What is cancelled settles at once",
        "host_context.py",
        "if not canceled:\n",
        "if True:\n",
    ),
    Mutation(
        "A cancelled timer is set all the same",
        "host_context.py",
        "        self._decisions[decision.id] = decision\n        return Future.settled(False)",
        "        return Future.settled(False)",
    ),
    Mutation(
        "task_all waits for every child",
        "walk.py",
        "return when_all([self._reach(child)",
        "return when_any([self._reach(child)",
    ),
    Mutation(
        "task_any goes on with the first child",
        "walk.py",
        "return when_any(children)",
        "return when_all(children)",
    ),
    Mutation(
        "An unknown activity takes no id",
        "walk.py",
        "if names.find(name) is not None:",
        "if True:",
    ),
    Mutation(
        "Names are compared in any case",
        "names.py",
        "return name.upper()",
        "return name",
    ),
    # Retries.
    Mutation(
        "After the last failed attempt there is one more timer",
        "retries.py",
        "        delay = options.interval if attempts_left else 0\n",
        "        if not attempts_left:\n            break\n        delay = options.interval\n",
    ),
    Mutation(
        "The last timer of a retried call is due at once",
        "retries.py",
        "options.interval if attempts_left else 0",
        "options.interval",
    ),
    Mutation(
        "There are as many attempts as asked for",
        "retries.py",
        "range(options.max_attempts - 1, -1, -1)",
        "range(options.max_attempts, -1, -1)",
    ),
    Mutation(
        "A retry is due at the clock of the failure plus the interval",
        "retries.py",
        "Ticks(context.clock + delay)",
        "Ticks(context.clock + 2 * delay)",
    ),
    Mutation(
        "The clock has seven digits",
        "ticks.py",
        'return Ticks(seconds + int((fraction or "").ljust(7, "0")))',
        'return Ticks(seconds + int((fraction or "").ljust(7, "0")) // 10 * 10)',
    ),
    # External events.
    Mutation(
        "Names of events match in any case",
        "external_events.py",
        "    def raise_event(self, name: str) -> None:\n"
        '        """Serve the latest waiter, or keep the event for the next."""\n'
        "        key = caseless(name)",
        "    def raise_event(self, name: str) -> None:\n"
        '        """Serve the latest waiter, or keep the event for the next."""\n'
        "        key = name",
    ),
    Mutation(
        "An early event is kept",
        "external_events.py",
        "self._early[key].append(name)",
        "pass",
    ),
    Mutation(
        "An early event serves one waiter only",
        "external_events.py",
        "self._serve(self._early[key].popleft())",
        "self._serve(self._early[key][0])",
    ),
    # Continuing as new.
    Mutation(
        "Events after continue_as_new are carried over",
        "host_context.py",
        "            self._carried_events.append(replace(event, is_played=True, text=None))",
        "            pass",
    ),
    Mutation(
        "A carried event counts as played",
        "host_context.py",
        "replace(event, is_played=True, text=None)",
        "event",
    ),
    Mutation(
        "A new generation begins with an OrchestratorCompleted",
        "episode.py",
        "return (begun, *self.carried_events, OrchestratorCompleted(timestamp=now))",
        "return (begun, *self.carried_events)",
    ),
    Mutation(
        "The last status goes on into the next generation",
        "episode.py",
        "        status = instance.carried_status\n",
        "        status = None\n",
    ),
    Mutation(
        "A carried status counts once",
        "episode.py",
        "if status is None and not history:",
        "if status is None and not messages:",
    ),
    Mutation(
        "Continuing as new waits for open tasks",
        "classic.py",
        "if run.end is not None and context.open_tasks == 0:",
        "if run.end is not None:",
    ),
    # Ending.
    Mutation(
        "A failure beats continue_as_new",
        "host_context.py",
        "if status is OrchestrationStatus.COMPLETED and self._carried_events is not None:",
        "if self._carried_events is not None:",
    ),
    Mutation(
        "A termination ends the execution",
        "host_context.py",
        "self.complete(OrchestrationStatus.TERMINATED, event.input)",
        "pass",
    ),
    Mutation(
        "A failure has the orchestrator's name before it",
        "classic.py",
        "self._failed = f\"Orchestrator function '{log.orchestrator}' failed: \"",
        'self._failed = "Orchestrator function failed: "',
    ),
    Mutation(
        "A parent learns what failed in its child",
        "classic.py",
        'self._fail(f"{self._failed}{answer.error}", f"Message: {answer.error}, StackTrace: ")',
        'self._fail(f"{self._failed}{answer.error}", "Message: , StackTrace: ")',
    ),
    Mutation(
        "A parent learns a child's result",
        "episode.py",
        "task_scheduled_id=parent.task_schedule_id, result=decision.result, instance_id=child",
        "task_scheduled_id=parent.task_schedule_id, result=None, instance_id=child",
    ),
    Mutation(
        "A child knows its parent's task",
        "episode.py",
        "task_schedule_id=decision.id,",
        "task_schedule_id=0,",
    ),
    # Custom status.
    Mutation(
        "A status of no run is null, not an empty text",
        "classic.py",
        "self.custom_status: str | None = None",
        'self.custom_status: str | None = ""',
    ),
    Mutation(
        "A status counts from 17,408 bytes as too large",
        "answer.py",
        "if kilobytes > _STATUS_LIMIT_IN_KB:",
        "if kilobytes > _STATUS_LIMIT_IN_KB + 1000:",
    ),
    Mutation(
        "The size of a status is counted before any action is replayed",
        "classic.py",
        "            self._check_status_size(answer.custom_status)\n",
        "",
    ),
    Mutation(
        "The state of a failing orchestrator is read with date detection",
        "answer.py",
        'value if key == "actions" else rewrite_dates(value)',
        "value",
    ),
    # Failures.
    Mutation(
        "The first Stack: of the whole text ends a failure's message",
        "failures.py",
        "rpc_text[start : rpc_text.index(_STACK_LABEL)]",
        "rpc_text[start : rpc_text.rindex(_STACK_LABEL)]",
    ),
    Mutation(
        "Without its state a failure's actions are not replayed",
        "classic.py",
        'self._fail(f"{self._failed}{text}", details)\n            return',
        "return",
    ),
    # Non-determinism.
    Mutation(
        "An activity of another name is non-deterministic",
        "determinism.py",
        "    if not _same_name(event.name, decision.name):\n        raise NonDeterminismError(\n"
        '            f"{recorded} orchestration replay instead scheduled an activity task',
        "    if False:\n        raise NonDeterminismError(\n"
        '            f"{recorded} orchestration replay instead scheduled an activity task',
    ),
    Mutation(
        "An activity that is not scheduled any more is non-deterministic",
        "determinism.py",
        "an activity task with sequence ID",
        "an activity task with sequence number",
    ),
    Mutation(
        "Events of an episode that turns out non-deterministic stay unplayed",
        "classic.py",
        "played = list(new_events)",
        "played = [new_events[0], *(event.played() for event in new_events[1:])]",
    ),
    # Suspension.
    Mutation(
        "What happens during a suspension waits for the resume",
        "host_context.py",
        "                self._fed_while_suspended.append(event)\n            return",
        "                pass",
    ),
    Mutation(
        "What was decided before a suspension is withheld",
        "host_context.py",
        "        self._decisions.clear()\n",
        "",
    ),
    Mutation(
        "A suspended instance shows the reason as its output",
        "episode.py",
        "case ExecutionSuspended(reason=text) | ExecutionResumed(reason=text):",
        "case ExecutionResumed(reason=text):",
    ),
    # Entities and call_http.
    Mutation(
        "The id of a request is made of the clock with seven digits",
        "entity_requests.py",
        "{format_ticks_in_full(clock)}",
        "{format_ticks_in_full(Ticks(clock // 10 * 10))}",
    ),
    Mutation(
        "Calls and signals share the counter of request ids",
        "entity_requests.py",
        "self._made += 1",
        "self._made += not is_signal",
    ),
    Mutation(
        "A request names the one before it",
        "entity_requests.py",
        "return replace(request, timestamp=later, predecessor=predecessor)",
        "return replace(request, timestamp=later)",
    ),
    Mutation(
        "Two requests to one entity at one time are a tick apart",
        "entity_requests.py",
        "Moment(Ticks(predecessor.ticks + 1), is_utc=False)",
        "Moment(predecessor.ticks, is_utc=False)",
    ),
    Mutation(
        "A call of an entity waits for its response",
        "walk.py",
        "return self._context.external_events.wait(request.id)",
        "return Future.settled(True)",
    ),
    Mutation(
        "A signal to an unknown entity fails the orchestration",
        "walk.py",
        'f"{sentence} The orchestration fails.")\n            raise HostRefusal(sentence)',
        'f"{sentence} The orchestration fails.")\n            return _NEVER_STARTED',
    ),
    Mutation(
        "call_http is an activity of the host's own",
        "http_requests.py",
        'HTTP_ACTIVITY = "BuiltIn::HttpActivity"',
        'HTTP_ACTIVITY = "HttpActivity"',
    ),
    # The trigger.
    Mutation(
        "The trigger says whether the first episode is over",
        "classic.py",
        "is_replaying=bool(history)",
        "is_replaying=False",
    ),
    Mutation(
        "The input is handed out as JSON",
        "trigger.py",
        "dump_stored(read_stored(started.input))",
        "dump_stored(started.input)",
    ),
    Mutation(
        "The trigger names the newest replay schema",
        "trigger.py",
        "str(profile.upper_schema_version)",
        "str(_UPPER_SCHEMA_VERSION)",
    ),
)
