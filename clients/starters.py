"""The HTTP starters: one that answers at once, and S2's that answers when a custom status is reached."""

from __future__ import annotations

import logging
import math
from urllib.parse import quote

import azure.durable_functions as df
import azure.functions as func

from clients.start_request import Refusal, StartRequest, read_start_request
from clients.waiting import WantedStatus, wait_for_custom_status
from durable_status import HostError, InstanceStateError
from durable_status.client.durable_client import DurableClient
from durable_status.stored_json import dump_stored

logger = logging.getLogger(__name__)

_DEFAULT_TIMEOUT_SECONDS = 30.0
_LONGEST_TIMEOUT_SECONDS = 230.0  # the platform's load balancer gives up on an answer then
_URL_CHARACTERS = ":/?#[]@!$&'()*+,;=%"

blueprint = df.Blueprint()


@blueprint.route(route="orchestrators/{functionName}", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
async def start_orchestration(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    """Start an instance; answers 202 with the URLs to watch and steer it."""
    try:
        instance_id = await _start(client, read_start_request(req))
    except Refusal as refused:
        return refused.response()
    return _accepted(client, req, instance_id)


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
    except Refusal as refused:
        return refused.response()
    status = await wait_for_custom_status(DurableClient(client), instance_id, wanted, timeout)
    if status is None:
        return _accepted(client, req, instance_id)
    return func.HttpResponse(
        dump_stored(status.to_document()),
        status_code=200 if wanted.is_shown_by(status.custom_status_json) else 500,
        mimetype="application/json",
    )


async def _start(client: df.DurableOrchestrationClient, wanted: StartRequest) -> str:
    try:
        return await DurableClient(client).start_new(wanted.orchestration, wanted.input, instance_id=wanted.instance_id)
    except InstanceStateError as error:
        raise Refusal(
            409, f"The instance {wanted.instance_id!r} has not ended; wait for it or choose another id."
        ) from error
    except HostError as error:
        logger.exception("An instance of %s could not be started.", wanted.orchestration)
        raise Refusal(
            500, f"The platform did not start an instance of {wanted.orchestration}; the log of the app says why."
        ) from error


def _accepted(client: df.DurableOrchestrationClient, req: func.HttpRequest, instance_id: str) -> func.HttpResponse:
    """The SDK's answer to a start. It leaves the id unescaped in Location, and a header takes ASCII only."""
    response = client.create_check_status_response(req, instance_id)
    response.headers["Location"] = quote(response.headers["Location"], safe=_URL_CHARACTERS)
    return response


def _wanted_status(req: func.HttpRequest) -> WantedStatus:
    text = req.params.get("status")
    if not text:
        raise Refusal(400, "Say which custom status to wait for, as in ?status=London.")
    return WantedStatus.create(text)


def _timeout(req: func.HttpRequest) -> float:
    text = req.params.get("timeout", str(_DEFAULT_TIMEOUT_SECONDS))
    try:
        timeout = float(text)
    except ValueError:
        timeout = math.nan
    if not 0 <= timeout <= _LONGEST_TIMEOUT_SECONDS:
        raise Refusal(400, f"timeout is a number of seconds from 0 to {_LONGEST_TIMEOUT_SECONDS:.0f}, not {text!r}.")
    return timeout
