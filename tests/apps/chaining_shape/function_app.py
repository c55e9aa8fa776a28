"""An app that knows nothing of this project: one file, a DFApp under another name, any function startable by its name."""

import azure.durable_functions as df
import azure.functions as func

bakery = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@bakery.route(route="orders/{functionName}")
@bakery.durable_client_input(client_name="client")
async def take_order(req: func.HttpRequest, client):
    instance_id = await client.start_new(req.route_params.get("functionName"))
    return client.create_check_status_response(req, instance_id)


@bakery.orchestration_trigger(context_name="context")
def bake(context: df.DurableOrchestrationContext):
    dough = yield context.call_activity("knead", "flour")
    return (yield context.call_activity("heat", dough))


@bakery.activity_trigger(input_name="grain")
def knead(grain: str) -> str:
    return f"dough of {grain}"


@bakery.activity_trigger(input_name="dough")
def heat(dough: str) -> str:
    return f"bread of {dough}"
