"""The HTTP starters: one that answers at once, and S2's that answers when a custom status is reached."""

from __future__ import annotations

import json
import logging
import math

import azure.durable_functions as df
import azure.functions as func

from clients.start_request import BadRequestError, StartRequest, read_start_request
from clients.waiting import shows, wait_for_custom_status

logger = logging.getLogger(__name__)

_DEFAULT_TIMEOUT_SECONDS = 30.0
_LONGEST_TIMEOUT_SECONDS = 230.0  # the platform's load balancer gives up on an answer then

blueprint = df.Blueprint()


@blueprint.route(route="orchestrators/{functionName}", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def start_orchestration(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Start an instance; answers 202 with the URLs to watch and steer it."""
    try:
        instance_id = await _start(client, read_start_request(req))
    except BadRequestError as refused:
        return refused.response()
    return client.create_check_status_response(req, instance_id)


@blueprint.route(route="orchestrators/{functionName}/wait", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def start_and_wait(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Start an instance and answer when its custom status is the one in the query.

    200 with the status document when it is reached, 202 with the URLs when ``timeout`` seconds are over, 500 with the
    status document when the instance has ended without it.
    """
    try:
        wanted, timeout = _wanted_status(req), _timeout(req)
        instance_id = await _start(client, read_start_request(req))
    except BadRequestError as refused:
        return refused.response()
    document = await wait_for_custom_status(client, instance_id, wanted, timeout)
    if document is None:
        return client.create_check_status_response(req, instance_id)
    return func.HttpResponse(
        json.dumps(document, ensure_ascii=False),
        status_code=200 if shows(document["customStatus"], wanted) else 500,
        mimetype="application/json",
    )


async def _start(client: df.DurableOrchestrationClient, wanted: StartRequest) -> str:
    try:
        instance_id = await client.start_new(
            wanted.orchestration, instance_id=wanted.instance_id, client_input=wanted.input
        )
    except Exception as error:  # the SDK raises nothing more telling
        if "already exists" in str(error):
            raise BadRequestError(
                409, f"The instance {wanted.instance_id!r} has not ended; wait for it or choose another id."
            ) from error
        logger.exception("An instance of %s could not be started", wanted.orchestration)
        raise BadRequestError(500, f"An instance of {wanted.orchestration} could not be started.") from error
    return str(instance_id)


def _wanted_status(req: func.HttpRequest) -> str:
    wanted: str | None = req.params.get("status")
    if not wanted:
        raise BadRequestError(400, "Say which custom status to wait for, as in ?status=London.")
    return wanted


def _timeout(req: func.HttpRequest) -> float:
    text = req.params.get("timeout", str(_DEFAULT_TIMEOUT_SECONDS))
    try:
        timeout = float(text)
    except ValueError:
        timeout = math.nan
    if not 0 <= timeout <= _LONGEST_TIMEOUT_SECONDS:
        raise BadRequestError(
            400, f"timeout is a number of seconds from 0 to {_LONGEST_TIMEOUT_SECONDS:.0f}, not {text!r}."
        )
    return timeout
