"""Statuses of any size: published, read by a function of the app, in a loop, and over continue-as-new."""

import json

import azure.durable_functions as df
import azure.functions as func

from durable_status import publish_status, set_custom_status
from durable_status.client.durable_client import DurableClient
from durable_status.payloads.blueprint import offload_blueprint

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(offload_blueprint())


@app.orchestration_trigger(context_name="context")
def Publish(context):
    """Publishes its input, waits, and ends."""
    set_custom_status(context, "before")
    yield from publish_status(context, context.get_input())
    yield context.wait_for_external_event("go")
    return "done"


@app.orchestration_trigger(context_name="context")
def PublishMany(context):
    """Publishes as many large statuses as it is told, one after the other; the last one is small if it is to be."""
    asked = context.get_input()
    for number in range(asked["times"]):
        yield from publish_status(context, {"number": number, "text": "x" * asked["size"]})
    if asked.get("ends small"):
        yield from publish_status(context, "small")
    yield context.wait_for_external_event("go")


@app.orchestration_trigger(context_name="context")
def PublishAndGoOn(context):
    """Three generations: the first two publish, the third shows what it was left."""
    number = context.get_input()
    if number < 2:
        yield from publish_status(context, {"number": number, "text": "y" * 20_000})
        yield context.wait_for_external_event("go")
        context.continue_as_new(number + 1)
        return
    yield context.wait_for_external_event("go")


@app.orchestration_trigger(context_name="context")
def PublishIfPossible(context):
    """Goes on without the status if it cannot be stored."""
    set_custom_status(context, "before")
    try:
        yield from publish_status(context, "x" * 20_000)
    except Exception as error:
        return f"went on: {error}"
    return "published"


@app.orchestration_trigger(context_name="context")
def Parent(context):
    """A child of a child, whose id is odd, publishes."""
    yield context.call_sub_orchestrator("Publish", "z" * 10_000, context.get_input())


@app.route(route="read/{id}")
@app.durable_client_input(client_name="client")
async def Read(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
    status = await DurableClient(client).get_status(req.route_params["id"], str)
    return func.HttpResponse(json.dumps(status.custom_status))
