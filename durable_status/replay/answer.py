"""The SDK's answer: the complete list of actions of an orchestration so far, and how the code ended.

Normal answers are parsed as JSON with dates left alone; the state of a failing orchestrator is parsed with date
detection (`dotnet_dates`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from durable_status.replay.actions import Action
from durable_status.replay.dotnet_dates import date_as_plain_text, rewrite_dates
from durable_status.stored_json import dump_stored, utf16_size

V1, V2, V3 = 0, 1, 2
"""Replay schemas: V1 (before SDK 1.1) has a list of actions per yield, V2 one list, V3 long timers."""

_NULL_REFERENCE = "Object reference not set to an instance of an object."
_STATUS_LIMIT_IN_KB = 16


class HostRefusal(Exception):
    """The host refuses what the orchestrator answers or asks for; the text is the platform's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one call of the SDK says. `output` and `custom_status` are JSON text as the host stores it."""

    schema: int
    action_lists: Sequence[Sequence[Action]] | None
    is_done: bool
    output: str | None
    error: str | None
    custom_status: str | None

    @property
    def actions(self) -> Sequence[Action]:
        """From V2 on: the actions in the order of their first yield.

        Raises:
            HostRefusal: there is not exactly one list.
        """
        if self.action_lists is None:
            raise HostRefusal(_NULL_REFERENCE)
        if len(self.action_lists) != 1:
            raise HostRefusal(
                f"With OOProc schema V{self.schema + 1}, expected actions array to be of length 1 in outer layer "
                f"but got size: {len(self.action_lists)}"
            )
        return self.action_lists[0]

    @property
    def steps(self) -> Sequence[Sequence[Action]]:
        """In V1: what each yield brought.

        Raises:
            HostRefusal: there are no lists.
        """
        if self.action_lists is None:
            raise HostRefusal(
                "Value cannot be null. "
                "(Parameter 'Out-of-proc orchestrator schema must have a non-null actions property.')"
            )
        return self.action_lists


def read_answer(text: str) -> Answer | None:
    """Read a normal answer; None for a JSON null, which completes the orchestration without output.

    Raises:
        HostRefusal: the answer is not an object, or what it says of itself cannot be read.
    """
    members = _parse(text)
    if members is None:
        return None
    return _answer(members)


def read_failed_state(text: str) -> Answer:
    """Read the state that a failing orchestrator carries in its error.

    Raises:
        HostRefusal: the state is not an object, or what it says of itself cannot be read.
    """
    members = _parse(text)
    if members is None:
        raise HostRefusal("Out of proc orchestrators must return a valid JSON schema")
    dated = {key: value if key == "actions" else rewrite_dates(value) for key, value in members.items()}
    if isinstance(members.get("error"), str):
        dated["error"] = date_as_plain_text(members["error"])
    return _answer(dated)


def refuse_returned_error() -> None:
    """What an answer that is returned, not raised, with an error in it leads to.

    The host looks for the stack of the exception that it takes for granted, and there is none.

    Raises:
        HostRefusal: always.
    """
    raise HostRefusal(_NULL_REFERENCE)


def check_status_size(status: str) -> None:
    """Apply the platform's limit to a custom status (JSON text).

    Raises:
        HostRefusal: the text has 17,408 bytes of UTF-16 or more (the division is whole, hence not 16,384).
    """
    kilobytes = utf16_size(status) // 1024
    if kilobytes > _STATUS_LIMIT_IN_KB:
        raise HostRefusal(
            f"The UTF-16 size of the JSON-serialized payload must not exceed {_STATUS_LIMIT_IN_KB} KB. "
            f"The current payload size is {kilobytes:,} KB."
        )


def _parse(text: str) -> dict[str, Any] | None:
    try:
        value: Any = json.loads(text)
    except ValueError:
        value = text
    if isinstance(value, dict) and "\\ud" in text.lower():  # may hold half a surrogate pair, which no storage takes
        value = json.loads(dump_stored(value))
    if value is None or isinstance(value, dict):
        return value
    raise HostRefusal("Out of proc orchestrators must return a valid JSON schema")


def _answer(members: Mapping[str, Any]) -> Answer:
    output, status, error = members.get("output"), members.get("customStatus"), members.get("error")
    schema = members.get("schemaVersion", V1)
    if not isinstance(schema, int):
        raise HostRefusal("It cannot be read: the answer's 'schemaVersion' is no number.")
    if not isinstance(error, str | None):
        raise HostRefusal("It cannot be read: the answer's 'error' is no text.")
    return Answer(
        schema=schema,
        action_lists=members.get("actions"),
        is_done=bool(members.get("isDone")),
        output=None if output is None else dump_stored(output),
        error=error or None,
        custom_status=None if status is None else dump_stored(status),
    )
