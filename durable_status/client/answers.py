"""Reads what the host answers, of both lines of the extension, 2.13 and 3.x, into a value or an error of ours."""

from __future__ import annotations

import json
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from durable_status.client.steps import Response
from durable_status.errors import HostError, InstanceNotFoundError, InstanceStateError
from durable_status.harmless_text import masked

# 2.13 answers 500 where 3.x answers 409 or 412 (extension-3x.md); what it says tells them from a defect.
_STATE_SENTENCES = (
    "already exists",
    "Cannot suspend",
    "Cannot resume",
    "only supported on failed",
)
_STATE_CODES = frozenset({HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.PRECONDITION_FAILED})


def parsed(response: Response) -> Any:
    """The body as JSON.

    Raises:
        HostError: it is not JSON.
    """
    try:
        return json.loads(response.text)
    except (ValueError, RecursionError) as error:
        raise HostError(
            "The host's answer is not JSON. Is this the address of the management API?", status_code=response.status
        ) from error


def accepted(response: Response, instance_id: str, expected: Collection[int]) -> Response:
    """The response, if it has one of the `expected` codes.

    Raises:
        InstanceNotFoundError, InstanceStateError, HostError: it says something else.
    """
    if response.status in expected:
        return response
    if response.status == HTTPStatus.NOT_FOUND:
        raise InstanceNotFoundError(instance_id)
    said = sentence(response)
    if response.status in _STATE_CODES or any(sentence in said for sentence in _STATE_SENTENCES):
        raise InstanceStateError(
            f"The instance {instance_id!r} is not in a state for this: {said or 'it has ended'}.",
            instance_id=instance_id,
        )
    raise unexpected(response)


def unexpected(response: Response) -> HostError:
    """The error for an answer outside the contract."""
    said = sentence(response)
    if response.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        said = "it wants the system key durabletask_extension, and did not get the right one"
    return HostError(
        f"The host answered {response.status}{': ' + said if said else ''}.",
        status_code=response.status,
    )


def sentence(response: Response) -> str:
    """What the body says is wrong, without a stack trace."""
    try:
        body = json.loads(response.text)
    except ValueError:
        body = None
    if isinstance(body, dict):
        body = body.get("ExceptionMessage") or body.get("Message")
    return masked(body).strip().rstrip(".") if isinstance(body, str) else ""
