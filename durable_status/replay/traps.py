"""Traps: what an orchestrator asks for and the platform takes otherwise, mostly in silence (replay.md §6).

In `Mode.FAITHFUL` an episode does what the host does and carries its traps as warnings; in `Mode.STRICT` the first trap
is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Mode(Enum):
    """What a trap is."""

    FAITHFUL = "faithful"
    """A warning: the episode is as on the platform."""
    STRICT = "strict"
    """An error: `TrapError`."""


class TrapKind(Enum):
    """Which trap; the value is its cure."""

    UNKNOWN_FUNCTION = (
        "Correct the name, or mend the function if the host has said at its start that it is not run; "
        "a function object stands for its Python name, not for the name it is given."
    )
    CHILD_ID = "Choose another id for the sub-orchestration."
    SHARED_CHILD_ID = "Give children that run at the same time different ids."
    RETRY_OPTIONS = "Correct the RetryOptions."
    ACTION_LIMIT = "Continue as new earlier, or raise maxOrchestrationActions in host.json."
    FAIL_FAST = "Put what must not wait into a sub-orchestration, or give the siblings a way to end early."
    ID_SHIFT = "Put the call with retry into a sub-orchestration, or do without retry inside task_all."
    REUSED_TASK = (
        "Pass only tasks to task_any and task_all that no earlier one has had, or cancel the losing timer at once."
    )
    TASK_LISTED_TWICE = "List each task once."
    OPEN_TIMER = "Cancel the timer as soon as task_any has another winner."
    LATE_CANCEL = "Cancel the losing timer right after its task_any, before anything else."
    RETRY_IN_TASK_ANY = "Put the call with retry into a sub-orchestration."
    LONG_TIMER_IN_TASK_ANY = "Wait in a loop of timers of five days at most, and cancel the one that loses at once."
    SHORT_TIMER = "Use at least 2 seconds; timers fire up to one second early."
    EVENT_CASE = "Raise the event under exactly the name that is waited for."
    EVENT_NAME = "Give the event a name without slash and plus, which is neither one dot nor two."
    EARLY_EVENT = "Wait for the event before it can come, or give each event a name of its own."
    LOST_EVENT = "Wait for the events that are due before continue_as_new."
    EVENT_COMES_BACK = "Schedule something, a short timer will do, between the cancelled timer and continue_as_new."
    ENTITY_KEY_CASE = "Spell the key of an entity in one way."
    NATIVE_INPUT = "Start it with a client or durable-status start-new; over HTTP send that text, or an object."
    UNAWAITED_TASK = "Yield it, or put it into a task_all or task_any that is yielded."
    NOTHING_AWAITED = "Yield only tasks of the context; not None, and nothing that has no task behind it."
    YIELDED_NO_TASK = (
        "Yield tasks only; several go through task_all or task_any, and a helper that yields through yield from."
    )
    YIELDED_SIGNAL = "Do not yield signal_entity, nor list it in task_all or task_any: the call alone sends the signal."
    NO_LIST_OF_TASKS = "Give task_all and task_any a list of tasks, and nothing else."
    ARGUMENT_NOT_JSON = (
        "Give calls and continue_as_new plain JSON, or objects with to_json and from_json; names, ids and headers are "
        "texts, and a task is yielded first."
    )
    RESULT_UNREADABLE = (
        "Return plain JSON from activities, sub-orchestrations and entities; a class with to_json needs a from_json, "
        "too, and has to be imported where the orchestrator is."
    )
    WRONG_PARAMETERS = "Give the orchestrator one parameter, its context."
    RETURNED_TASK = "Yield the task and return its value; what a helper yields goes through yield from."
    OUTPUT_NOT_JSON = "Return plain JSON: dict, list, str, int, float, bool or None."
    STATUS_NOT_JSON = "Put plain JSON into the custom status; times as text."
    STATUS_TOO_LARGE = "Keep the custom status below 16 KB; put the rest where the client can fetch it."
    STATUS_LOST = (
        "Set the custom status in every replay, outside of is_replaying, and in every generation; None clears it."
    )
    FALSY_STATUS = 'Put it into an object, such as {"done": 0}; None clears the custom status.'
    NOT_A_GENERATOR = "Write the orchestrator as a def with yield, not as an async def; what awaits is an activity's."
    RAW_FAILURE = "Let the orchestrator raise an Exception, from a function that yields."
    WARNING_RAISED = "Let the SDK's warnings pass: do not make errors of those of the module azure."
    RAISED_WHEN_DONE = "Raise before continue_as_new, not after it."
    STOP_ITERATION = "Return from the orchestrator; do not raise StopIteration."
    RECURSION = "Yield each task once; wait for many with one task_all."
    NESTED_TASK_ALL = "Do not put a task_all that can fail into another task_all or task_any."
    NAIVE_TIME = "Compute times from context.current_utc_datetime, which has a time zone."
    TIME_SPAN = "Give create_timer a time: context.current_utc_datetime + timedelta(...)."
    DATES_REWRITTEN = (
        "Write times in the custom status in UTC with Z and without trailing zeros, or as numbers; put a word before "
        "one that is all of an error's text."
    )
    STACK_IN_ERROR = 'Keep a line that begins with "Stack:" out of error messages.'
    CREDENTIAL_TEXT = "Keep such text out of inputs and errors; rename the variable or the parameter."
    MASKED_ERROR = "Mend the error behind it first."
    NON_DETERMINISM = (
        "Make every replay take the same path: no clock, chance, environment or I/O; let instances of older code end "
        "before code is changed."
    )

    @property
    def title(self) -> str:
        """The trap's name for people."""
        return self.name.lower().replace("_", " ")

    @property
    def subject(self) -> str | None:
        """What it is about, if that is no action: the custom "status", or the "end" that the code has come to."""
        if self in _OF_STATUS:
            return "status"
        return "end" if self is TrapKind.NOTHING_AWAITED else None


_OF_STATUS = (TrapKind.STATUS_TOO_LARGE, TrapKind.STATUS_NOT_JSON, TrapKind.FALSY_STATUS, TrapKind.DATES_REWRITTEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """One trap that an episode has run into."""

    kind: TrapKind
    orchestrator: str
    sentence: str
    """What happens."""
    action: int | None = None
    """The index, in the answer's action list, of the action that it is about."""

    @property
    def cure(self) -> str:
        """What to do about it."""
        return self.kind.value

    def __str__(self) -> str:
        return f"Orchestrator '{self.orchestrator}': {self.sentence} {self.cure} ({self.kind.title})"


class TrapError(Exception):
    """In strict mode: the episode has run into `trap`."""

    def __init__(self, trap: Trap) -> None:
        super().__init__(str(trap))
        self.trap = trap


class TrapLog:
    """Collects the traps of one replay, each once, in the order they were met."""

    def __init__(self, orchestrator: str) -> None:
        self.orchestrator = orchestrator
        self._traps: dict[Trap, None] = {}
        self.action: int | None = None
        """The action that the host is at."""

    @property
    def traps(self) -> tuple[Trap, ...]:
        """What was met."""
        return tuple(self._traps)

    def has(self, *kinds: TrapKind) -> bool:
        """Whether a trap of one of `kinds` was met."""
        return any(trap.kind in kinds for trap in self._traps)

    def note(self, kind: TrapKind, sentence: str, *, action: int | None = None) -> None:
        """Note a trap; without `action` it is about the one that the host is at."""
        trap = Trap(
            kind=kind,
            orchestrator=self.orchestrator,
            sentence=sentence,
            action=self.action if action is None else action,
        )
        self._traps[trap] = None
