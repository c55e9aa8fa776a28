import logging

import azure.durable_functions as df
import azure.functions as func

bp = df.Blueprint()


@bp.route(route="send")
@bp.durable_client_input(client_name="client")
async def send(req: func.HttpRequest, client):
    instance_id = await client.start_new("pack_and_send", client_input=req.params.get("to"))
    logging.info("Started %s", instance_id)
    return client.create_check_status_response(req, instance_id)


@bp.orchestration_trigger(context_name="context")
def pack_and_send(context: df.DurableOrchestrationContext):
    parcel = yield context.call_activity("pack", context.get_input())
    return (yield context.call_activity("hand_over", parcel))


@bp.activity_trigger(input_name="receiver")
def pack(receiver: str) -> dict:
    return {"to": receiver, "tape": 2}


@bp.activity_trigger(input_name="parcel")
async def hand_over(parcel: dict) -> str:
    return f"parcel to {parcel['to']} with {parcel['tape']} strips of tape"
