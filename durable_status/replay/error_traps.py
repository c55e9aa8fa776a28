"""Traps that an orchestrator's failure shows by its text."""

from __future__ import annotations

import re

from durable_status.replay.failures import WorkerFailure
from durable_status.replay.traps import TrapKind, TrapLog

_OF_ERRORS = (
    (r"Object of type \w*Task is not JSON serializable", TrapKind.RETURNED_TASK),
    (r"Object of type (coroutine|async_generator) is not JSON serializable", TrapKind.NOT_A_GENERATOR),
    (r"Object of type \w+ is not JSON serializable", TrapKind.OUTPUT_NOT_JSON),
    (r"generator raised StopIteration", TrapKind.STOP_ITERATION),
    (r"maximum recursion depth exceeded", TrapKind.RECURSION),
    (r"can't (compare|subtract) offset-naive and offset-aware datetimes", TrapKind.NAIVE_TIME),
    (r"'.' not supported between instances of 'datetime\.timedelta' and", TrapKind.TIME_SPAN),
)
"""By what the error begins with; errors of activities and children begin with their function's name."""

_OF_RAW_FAILURES = (
    (r"has no attribute '_is_scheduled'", TrapKind.YIELDED_NO_TASK),
    (r"does not have pending sub-task with ID", TrapKind.NESTED_TASK_ALL),
    (r"does not expose a `to_json`", TrapKind.STATUS_NOT_JSON),
    (r"is not JSON serializable", TrapKind.STATUS_NOT_JSON),
)

# What the Functions host takes for the beginning of a credential and cuts up to the next quote.
_CREDENTIAL = re.compile(
    r"Token=|DefaultEndpointsProtocol=http|AccountKey=|SharedAccessKey=|Data Source=|Server=|Password=|pwd=|key="
    r"|(?:\?|&|&amp;)(?:sig|code)=",
    re.IGNORECASE,
)


def find_error_traps(error: str, failure: WorkerFailure, log: TrapLog) -> None:
    """Note what is behind the `error` of an orchestrator whose failure carries its state."""
    for pattern, kind in _OF_ERRORS:
        if re.match(pattern, error):
            log.note(kind, f"It fails with: {_first_line(error)}.")
            break
    found = _CREDENTIAL.search(failure.message)
    if found is not None:
        log.note(
            TrapKind.CREDENTIAL_TEXT,
            f"Its failure holds '{found[0]}'. A real Functions host takes that for a credential, cuts the text there, "
            "and the instance ends with another error than its own.",
        )


def find_raw_failure_traps(failure: WorkerFailure, log: TrapLog) -> None:
    """Note why a failure carries no state: its actions are not replayed and its custom status is lost."""
    if "\nStack:" in failure.message:
        log.note(
            TrapKind.STACK_IN_ERROR,
            "Its error has a line that begins with 'Stack:'; the host looks no further and finds no state.",
        )
        return
    kinds = (kind for pattern, kind in _OF_RAW_FAILURES if re.search(pattern, failure.message))
    log.note(
        next(kinds, TrapKind.RAW_FAILURE),
        f"Its failure comes without the orchestration's state: {_first_line(failure.message)}.",
    )


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip(" .")
