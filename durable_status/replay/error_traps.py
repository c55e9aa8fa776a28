"""Traps that an orchestrator's failure shows: by its text, and by where in the SDK it was raised.

Many a text may come from user code as well as from the SDK, and of those of the SDK several mean different things by
where they come from; the traceback, which the worker reports along with the text, tells them apart.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from durable_status.replay.failures import WorkerFailure, state_in
from durable_status.replay.traps import TrapKind, TrapLog

_NO_JSON = (
    r"does not expose a `to_json`|is not JSON serializable|Circular reference detected|keys must be str"
    r"|maximum recursion depth exceeded while encoding"
)
_CALLS = (
    r"call_activity(_with_retry)?|call_sub_orchestrator(_with_retry)?|call_entity|signal_entity|call_http"
    r"|continue_as_new"
)
_WRITES_OUTPUT = "get_orchestrator_state_str"
_RECURSION = "maximum recursion depth exceeded"
_FUNCTION = re.compile(r'^  File ".*", line \d+, in (.+)$', re.MULTILINE)
_NEXT_EXCEPTION = re.compile(
    r"^(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):$",
    re.MULTILINE,
)
_MOST_FRAMES = 100  # of an error that is not user code's own recursion


@dataclass(frozen=True, slots=True)
class _Sign:
    """A kind of trap, by the text of the error and by a function that it was raised in, by itself or further inside."""

    kind: TrapKind
    text: str = ""
    within: str = ""

    def is_seen(self, text: str, functions: list[str]) -> bool:
        has_text = re.search(self.text, text) is not None
        return has_text and (not self.within or any(re.fullmatch(self.within, name) for name in functions))


_OF_OUTPUTS = (
    _Sign(TrapKind.RETURNED_TASK, r"Object of type (Atomic|Timer|WhenAll|WhenAny|RetryAble|LongTimer)Task is"),
    _Sign(TrapKind.RETURNED_TASK, r"Object of type generator is"),
    _Sign(TrapKind.NOT_A_GENERATOR, r"Object of type (coroutine|async_generator) is"),
    _Sign(TrapKind.OUTPUT_NOT_JSON),
)
_OF_ERRORS = (
    _Sign(TrapKind.STOP_ITERATION, r"^generator raised StopIteration"),
    _Sign(TrapKind.ARGUMENT_NOT_JSON, _NO_JSON, _CALLS),
    _Sign(TrapKind.TASK_LISTED_TWICE, r"does not have pending sub-task with ID", "task_all|task_any"),
    _Sign(TrapKind.NO_LIST_OF_TASKS, r"object", "task_all|task_any"),
    _Sign(TrapKind.NAIVE_TIME, r"^can't (compare|subtract) offset-naive and offset-aware datetimes"),
    _Sign(TrapKind.TIME_SPAN, within="create_timer"),
)
_OF_RAW_FAILURES = (
    _Sign(TrapKind.WARNING_RAISED, r"^(User|Deprecation)Warning: (Potential duplicate Task|azure\.functions)"),
    _Sign(TrapKind.YIELDED_NO_TASK, r"has no attribute '_is_scheduled'"),
    _Sign(TrapKind.NESTED_TASK_ALL, r"does not have pending sub-task with ID"),
    _Sign(TrapKind.STATUS_NOT_JSON, within="to_json_string"),
    _Sign(TrapKind.RECURSION, f"^RecursionError: {_RECURSION}", "resume_user_code"),
    _Sign(TrapKind.NON_DETERMINISM, r"has no attribute 'keys'|^KeyError: 'result'", "from_dict"),  # of a response
    _Sign(TrapKind.RESULT_UNREADABLE, within="set_task_value"),
    _Sign(TrapKind.WRONG_PARAMETERS, r"^TypeError: .*\(\) (takes|missing) .* positional argument"),
)

# What the Functions host takes for the beginning of a credential and cuts up to the next quote.
_CREDENTIAL = re.compile(
    r"Token=|DefaultEndpointsProtocol=http|AccountKey=|SharedAccessKey=|Data Source=|Server=|Password=|pwd=|key="
    r"|(?:\?|&|&amp;)(?:sig|code)=",
    re.IGNORECASE,
)


def find_error_traps(error: str, failure: WorkerFailure, log: TrapLog) -> None:
    """Note what is behind the `error` of an orchestrator whose failure carries its state."""
    functions = _functions(failure)
    if _WRITES_OUTPUT in functions:
        kind = _kind(_OF_OUTPUTS, error, functions)
    else:
        kind = _kind_of_error(error, failure, functions)
    if kind is not None:
        log.note(kind, f"It fails with: {_first_line(error)}.")
    found = _CREDENTIAL.search(failure.message)
    if found is not None:
        log.note(
            TrapKind.CREDENTIAL_TEXT,
            f"Its failure holds '{found[0]}'. A real Functions host takes that for a credential, cuts the text there, "
            "and the instance ends with another error than its own.",
        )


def find_raw_failure_traps(failure: WorkerFailure, log: TrapLog) -> None:
    """Note why the host finds no state in a failure: its actions are not replayed and its custom status is lost."""
    functions = _functions(failure)
    error = _error_when_done(failure)
    if error is not None and _WRITES_OUTPUT in functions:
        find_error_traps(error, failure, log)
        return
    if "\nStack:" in failure.message and state_in(failure) is not None:
        log.note(
            TrapKind.STACK_IN_ERROR,
            "Its error has a line that begins with 'Stack:'; the host looks no further and finds no state.",
        )
        return
    if error is not None:
        kind = TrapKind.RAISED_WHEN_DONE
    elif failure.unwritten_action is not None:
        kind = TrapKind.ARGUMENT_NOT_JSON
    else:
        kind = _kind(_OF_RAW_FAILURES, failure.message, functions) or TrapKind.RAW_FAILURE
    log.note(
        kind,
        f"Its failure comes without the orchestration's state: {_first_line(failure.message)}.",
        action=failure.unwritten_action,
    )


def _kind_of_error(error: str, failure: WorkerFailure, functions: list[str]) -> TrapKind | None:
    kind = _kind(_OF_ERRORS, error, functions)
    if kind is None and error.startswith(_RECURSION) and not _recurses_itself(failure, functions):
        return TrapKind.RECURSION
    return kind


def _recurses_itself(failure: WorkerFailure, functions: list[str]) -> bool:
    """Whether it is user code that calls itself; the SDK's own recursion is around the call, not in its traceback."""
    return "[Previous line repeated" in failure.stack or len(functions) > _MOST_FRAMES


def _kind(signs: tuple[_Sign, ...], text: str, functions: list[str]) -> TrapKind | None:
    return next((sign.kind for sign in signs if sign.is_seen(text, functions)), None)


def _functions(failure: WorkerFailure) -> list[str]:
    """The functions that the error was raised in, outermost first."""
    tracebacks = _NEXT_EXCEPTION.split(failure.stack)
    is_wrapped = len(tracebacks) > 1 and state_in(failure) is not None  # by the SDK, to carry the state
    return _FUNCTION.findall(tracebacks[-2 if is_wrapped else -1])


def _error_when_done(failure: WorkerFailure) -> str | None:
    """The error in a state that says that the code is done, which 3.x does not take for the state of a failure."""
    try:
        state = json.loads(state_in(failure) or "null")
    except ValueError:
        return None
    if isinstance(state, dict) and state.get("isDone") is True and isinstance(state.get("error"), str):
        return str(state["error"])
    return None


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip(" .")
