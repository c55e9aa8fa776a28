"""The trap of inputs that were sent natively: SDK 1.x reads JSON text in a JSON text, as its own client sends it."""

from __future__ import annotations

import json

from durable_status.replay.failures import WorkerFailure
from durable_status.replay.traps import TrapKind, TrapLog
from durable_status.stored_json import Json
from durable_status.stored_text import read_stored

_READS_INPUT = "in get_input\n"  # in a traceback
_LONGEST_EXAMPLE = 60
_KINDS = {
    bool: "a truth value",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
    str: "a text that is no JSON",
}


def find_input_trap(error: str, failure: WorkerFailure, input_text: str | None, log: TrapLog) -> bool:
    """Note whether `error`, the one of `failure`, is what ``get_input()`` raises for the stored input `input_text`."""
    value = read_stored(input_text)
    if value is None or isinstance(value, dict):  # an object is taken as it is
        return False
    if failure.stack and _READS_INPUT not in failure.stack:
        return False
    cause = _raised_for(value)
    if cause is None or not error.endswith(cause):  # without a state, the class of the exception stands before it
        return False
    log.note(TrapKind.NATIVE_INPUT, f"It fails with: {cause}. {_sentence(value)}")
    return True


def operation_input_trap(error: str, input_text: str | None) -> str | None:
    """Why an entity's operation fails with `error`, if it is because of its stored input `input_text`."""
    value = read_stored(input_text)
    if error != _raised_for(value):
        return None
    if value is None:
        return "It was sent without an input, and get_input() fails then; call it only where there is one."
    return _sentence(value)


def _raised_for(value: Json) -> str | None:
    """What the SDK raises for an input that was sent as `value`; None if it can read it."""
    try:
        json.loads(value)  # type: ignore[arg-type]  # as the SDK does, whatever it is
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def _sentence(value: Json) -> str:
    text = json.dumps(json.dumps(value))
    example = f": {text}" if len(text) <= _LONGEST_EXAMPLE else ""
    return (
        f"Its input was sent as {_KINDS[type(value)]}, and get_input() takes JSON text in a JSON text, "
        f"as the SDK's client sends it{example}."
    )
