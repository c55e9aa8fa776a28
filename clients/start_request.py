"""Checks what a caller of a starter sends, before anything reaches the task hub."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from typing import Any

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


class BadRequestError(Exception):
    """The request is refused with an HTTP status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status

    def response(self) -> func.HttpResponse:
        """The refusal as an answer."""
        return error_response(self.status, str(self))


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
        BadRequestError: one of them cannot be accepted.
    """
    return StartRequest(
        orchestration=_orchestration(request.route_params.get("functionName", "")),
        input=_input(request.get_body()),
        instance_id=_instance_id(request.params.get("instanceId")),
    )


def error_response(status: int, sentence: str) -> func.HttpResponse:
    """An error as JSON: ``{"error": "..."}``."""
    return func.HttpResponse(json.dumps({"error": sentence}), status_code=status, mimetype="application/json")


def _orchestration(name: str) -> str:
    for orchestration in STARTABLE:
        if orchestration.casefold() == name.casefold():
            return orchestration
    raise BadRequestError(404, f"There is no orchestration {name!r} to start; there are {', '.join(STARTABLE)}.")


def _input(body: bytes) -> Any:
    if len(body) > _LARGEST_BODY:
        raise BadRequestError(413, f"The body has {len(body):,} bytes; at most {_LARGEST_BODY:,} are accepted.")
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise BadRequestError(400, f"The body is not JSON: {error}.") from error
    except RecursionError as error:
        raise BadRequestError(400, "The body is nested too deeply.") from error


def _instance_id(text: str | None) -> str | None:
    """Check an id strictly: the SDK pastes it, unescaped, into the URL of a privileged request."""
    if text is None:
        return None
    bad = (
        len(text) > _LONGEST_ID
        or text in (".", "..")
        or text.startswith("@")
        or any(character in "/\\?#%" or unicodedata.category(character)[0] in "ZC" for character in text)
    )
    if bad or not text:
        raise BadRequestError(
            400,
            f"An instance id has 1 to {_LONGEST_ID} characters, no blank, no control character, none of / \\ ? # %, "
            "no @ at the start, and is not . or ..",
        )
    return text
