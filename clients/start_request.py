"""Checks what a caller of a starter sends, before anything reaches the task hub."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any, NoReturn

import azure.functions as func

from orchestrators import (
    city_recommender_contract,
    hello_sequence_contract,
    set_status_test_contract,
    ticket_reservation_contract,
)

STARTABLE = (
    hello_sequence_contract.ORCHESTRATION,
    city_recommender_contract.ORCHESTRATION,
    ticket_reservation_contract.ORCHESTRATION,
    set_status_test_contract.ORCHESTRATION,
)
"""The orchestrations that may be started from outside."""

_LARGEST_BODY = 1_048_576  # bytes
_LONGEST_ID = 256
_NOT_IN_AN_ID = "/\\?#%+"


class Refusal(Exception):
    """The request is answered with an HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status

    def response(self) -> func.HttpResponse:
        """The answer: ``{"error": "..."}``."""
        return func.HttpResponse(json.dumps({"error": str(self)}), status_code=self.status, mimetype="application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """What to start. Without an instance id the platform makes one."""

    orchestration: str
    input: Any
    instance_id: str | None


def read_start_request(request: func.HttpRequest) -> StartRequest:
    """Read the name from the route, the input from the body and the id from the query.

    The name matches in any case, as on the platform. A body is JSON whatever its content type says.

    Raises:
        Refusal: one of them cannot be accepted.
    """
    return StartRequest(
        orchestration=_orchestration(request.route_params.get("functionName", "")),
        input=_input(request.get_body()),
        instance_id=_instance_id(request.params.get("instanceId")),
    )


def parse_json(text: str | bytes) -> Any:
    """Parse strict JSON, without the NaN and Infinity that Python would take.

    Raises:
        ValueError: it is not JSON, or too deep.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _orchestration(name: str) -> str:
    for orchestration in STARTABLE:
        if orchestration.casefold() == name.casefold():
            return orchestration
    raise Refusal(404, f"There is no orchestration {name!r} to start; there are {', '.join(STARTABLE)}.")


def _input(body: bytes) -> Any:
    if len(body) > _LARGEST_BODY:
        raise Refusal(413, f"The body has {len(body):,} bytes; at most {_LARGEST_BODY:,} are accepted.")
    if not body.strip():
        return None
    try:
        return parse_json(body)
    except ValueError as error:
        raise Refusal(400, f"The body is not JSON: {error}.") from error


def _instance_id(text: str | None) -> str | None:
    """Check an id strictly: the SDK pastes it, unescaped, into the URL of a privileged request.

    A plus sign is refused, too: extension 3.x reads it as a blank there and starts an instance of another id.
    """
    if text is None:
        return None
    bad = (
        not 1 <= len(text) <= _LONGEST_ID
        or text in (".", "..")
        or text.startswith("@")
        or any(character in _NOT_IN_AN_ID or unicodedata.category(character)[0] in "ZC" for character in text)
    )
    if bad:
        raise Refusal(
            400,
            f"An instance id has 1 to {_LONGEST_ID} characters, no blank, no control character, none of "
            f"{' '.join(_NOT_IN_AN_ID)}, no @ at the start, and is not . or ..",
        )
    return text
