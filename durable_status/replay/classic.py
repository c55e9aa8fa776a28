"""The protocol of azure-functions-durable 1.x: JSON history in, action list out, then the host's own replay of it.

One replay has two halves. Python runs the whole generator over the whole history and answers with everything it ever
yielded. Then the host feeds the same history to its walk over that answer; what the walk decides and the history does
not hold yet is new. Python decides what and in which order, the host decides when.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from durable_status.failure import Failure
from durable_status.replay.action_members import check_actions
from durable_status.replay.action_traps import find_action_traps
from durable_status.replay.answer import (
    V1,
    Answer,
    HostRefusal,
    check_status_size,
    read_answer,
    read_failed_state,
    refuse_returned_error,
)
from durable_status.replay.decisions import Decision
from durable_status.replay.determinism import NonDeterminismError
from durable_status.replay.error_traps import find_error_traps, find_raw_failure_traps
from durable_status.replay.events import Event, ExecutionStarted, OrchestrationStatus, OrchestratorStarted
from durable_status.replay.failures import WorkerFailure, cut_state, dotnet_exception, unlabelled_failure
from durable_status.replay.futures import start
from durable_status.replay.host_context import HostContext
from durable_status.replay.host_facts import HostFacts
from durable_status.replay.input_traps import find_input_trap
from durable_status.replay.profile import Profile
from durable_status.replay.standstill import find_standstill_traps
from durable_status.replay.traps import Trap, TrapKind, TrapLog
from durable_status.replay.trigger import trigger_text
from durable_status.replay.walk import Walk

Orchestrator = Callable[[str], str]
"""The SDK's handle of an orchestrator function: trigger JSON in, answer JSON out. It may raise `WorkerFailure`, or
`HostRefusal` when there is no such function."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What one replay led to: new decisions in the order of their ids, the status of the run, the events as played."""

    decisions: tuple[Decision, ...]
    custom_status: str | None
    new_events: tuple[Event, ...]
    open_tasks: int
    traps: tuple[Trap, ...]


def replay(
    history: Sequence[Event],
    new_events: Sequence[Event],
    *,
    started: ExecutionStarted,
    orchestrator: Orchestrator,
    host: HostFacts,
    profile: Profile,
) -> Replay:
    """Call `orchestrator` once on everything and replay its answer; new events that took effect come back as played."""
    log = TrapLog(started.name)
    context = HostContext(started.orchestration_instance.execution_id or "", log)
    run = _Run(Walk(context, started, host, profile, log), context, log, profile, started.input)
    trigger = trigger_text((*history, *new_events), started, is_replaying=bool(history), host=host, profile=profile)
    played = list(new_events)

    def feed(event: Event) -> None:
        if isinstance(event, OrchestratorStarted):
            context.clock = event.timestamp
        elif isinstance(event, ExecutionStarted):
            start(run.follow(orchestrator, trigger))
        else:
            context.feed(event)

    try:
        for event in history:
            feed(event)
        for index, event in enumerate(new_events):
            feed(event)
            if not isinstance(event, OrchestratorStarted):
                played[index] = event.played()
    except NonDeterminismError as difference:
        run.note_non_determinism(difference)
        context.complete(OrchestrationStatus.FAILED, str(difference), _unhandled(_NON_DETERMINISM_CLASS, difference))
    else:
        run.note_standstill()
        if run.end is not None and context.open_tasks == 0:
            context.complete(run.end.status, run.end.result, run.end.details)
    return Replay(
        decisions=context.decisions,
        custom_status=run.custom_status,
        new_events=tuple(played),
        open_tasks=context.open_tasks,
        traps=log.traps,
    )


_NON_DETERMINISM_CLASS = "DurableTask.Core.Exceptions.NonDeterministicOrchestrationException"


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    status: OrchestrationStatus
    result: str | None
    details: str | None = None


class _Run:
    """What the host runs in place of user code: call Python, keep its status, follow its actions, end as it says."""

    def __init__(
        self, walk: Walk, context: HostContext, log: TrapLog, profile: Profile, input_text: str | None
    ) -> None:
        self.custom_status: str | None = None
        self.end: _End | None = None
        self._walk = walk
        self._context = context
        self._log = log
        self._answer: Answer | None = None
        self._failed = f"Orchestrator function '{log.orchestrator}' failed: "
        self._profile = profile
        self._input_text = input_text

    async def follow(self, orchestrator: Orchestrator, trigger: str) -> bool:
        try:
            answer_text = orchestrator(trigger)
        except WorkerFailure as failure:
            await self._follow_failure(failure)
        except HostRefusal as refusal:  # no such function: Python was not asked
            self._log.note(TrapKind.UNKNOWN_FUNCTION, str(refusal))
            self._refuse(refusal)
        except Exception as error:
            await self._follow_failure(WorkerFailure(f"{type(error).__name__}: {error}"))
        else:
            await self._follow_answer(answer_text)
        return True

    async def _follow_answer(self, text: str) -> None:
        try:
            answer = read_answer(text)
            if answer is None:
                self.end = _End(status=OrchestrationStatus.COMPLETED, result=None)
            else:
                await self._follow_actions(answer)
                if answer.error is not None:
                    refuse_returned_error()
                if answer.is_done:
                    self._complete(answer)
        except HostRefusal as refusal:
            self._refuse(refusal)

    async def _follow_failure(self, failure: WorkerFailure) -> None:
        state = cut_state(failure, self._profile)
        if state is None:
            # The SDK itself broke: nothing is known of the actions, so none is replayed.
            if not find_input_trap(failure.message, failure, self._input_text, self._log):
                find_raw_failure_traps(failure, self._log)
            text, details = unlabelled_failure(failure)
            self._fail(f"{self._failed}{text}", details)
            return
        try:
            answer = read_failed_state(state)
            find_input_trap(answer.error or "", failure, self._input_text, self._log)
            find_error_traps(answer.error or "", failure, self._log)
            self._note_rewritten_dates(state, answer)
            await self._follow_actions(answer)
            if answer.error is not None:
                self._fail(f"{self._failed}{answer.error}", f"Message: {answer.error}, StackTrace: ")
            elif answer.is_done:
                self._complete(answer)
        except HostRefusal as refusal:
            # Without the usual prefix, and the orchestrator's own error is lost.
            self._fail(str(refusal), _unhandled("System.ArgumentException", refusal))

    async def _follow_actions(self, answer: Answer) -> None:
        check_actions(answer.action_lists)
        if answer.custom_status is not None:
            self._check_status_size(answer.custom_status)
            self.custom_status = answer.custom_status
        if answer.schema == V1:
            await self._walk.follow_steps(answer.steps)
            return
        if not V1 < answer.schema <= self._profile.upper_schema_version:
            raise HostRefusal(
                f'The OOProc schema of of version "{answer.schema}" is unsupported by this durable-extension version.'
            )
        find_action_traps(answer.actions, self._log, self._profile)
        self._answer = answer
        await self._walk.follow(answer.actions, answer.schema)

    def _complete(self, answer: Answer) -> None:
        self.end = _End(status=OrchestrationStatus.COMPLETED, result=answer.output)

    def note_standstill(self) -> None:
        """Note the traps of where the host and Python have come to."""
        has_refused = self.end is not None and self._walk.position is not None
        if self._answer is not None and not has_refused:
            find_standstill_traps(self._walk, self._answer, self._context, self._log)

    def note_non_determinism(self, difference: NonDeterminismError) -> None:
        """Note that the replay differs, and the error behind it if there is one: the platform only logs that."""
        if self.end is not None and self.end.status is OrchestrationStatus.FAILED:
            behind = Failure.from_output(self.end.result).reason.rstrip(" .")
            sentence = f"It is reported as non-deterministic; the error behind it: {behind}."
            self._log.note(TrapKind.MASKED_ERROR, sentence)
        else:
            self._log.note(TrapKind.NON_DETERMINISM, str(difference))

    def _check_status_size(self, status: str) -> None:
        try:
            check_status_size(status)
        except HostRefusal as refusal:
            self._log.note(TrapKind.STATUS_TOO_LARGE, f"Its custom status is refused: {refusal}")
            raise

    def _note_rewritten_dates(self, state: str, answer: Answer) -> None:
        # Without a label in it, so this is what a run that does not fail would have stored.
        plain = read_answer(state)
        if plain is None:
            return
        for was, becomes in ((plain.custom_status, answer.custom_status), (plain.error, answer.error)):
            if was != becomes:
                self._log.note(
                    TrapKind.DATES_REWRITTEN, f"In a failing episode the host rewrites dates: {was} becomes {becomes}."
                )

    def _refuse(self, refusal: HostRefusal) -> None:
        self._fail(f"{self._failed}{refusal}", dotnet_exception("System.ArgumentException", str(refusal)))

    def _fail(self, reason: str, details: str) -> None:
        self.end = _End(status=OrchestrationStatus.FAILED, result=reason, details=details)


def _unhandled(dotnet_class: str, error: object) -> str:
    return f"Unhandled exception while executing orchestration: {dotnet_class}: {error}"
