"""Calls of the SDK's client over HTTP: what each returns or raises."""

import json
from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_failures = {"left": 0}


@app.route(route="call/{method}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def call(req: func.HttpRequest, client: df.DurableOrchestrationClient):
    try:
        returned = await getattr(client, req.route_params["method"])(*req.get_json())
        if hasattr(returned, "instances_deleted"):
            returned = returned.instances_deleted
        elif isinstance(returned, list):
            returned = [status.instance_id for status in returned]
        elif hasattr(returned, "runtime_status"):
            name = returned.runtime_status and returned.runtime_status.name
            returned = {"exists": bool(returned), "status": name, "output": returned.output}
        outcome = {"returned": returned}
    except Exception as error:
        outcome = {"raised": f"{type(error).__name__}: {error}"}
    return func.HttpResponse(json.dumps(outcome), mimetype="application/json")


@app.route(route="check/{id}")
@app.durable_client_input(client_name="client")
async def check(req: func.HttpRequest, client: df.DurableOrchestrationClient):
    return client.create_check_status_response(req, req.route_params["id"])


@app.route(route="payload/{id}")
@app.durable_client_input(client_name="client")
async def payload(req: func.HttpRequest, client: df.DurableOrchestrationClient):
    return func.HttpResponse(json.dumps(client.create_http_management_payload(req.route_params["id"])))


@app.route(route="wait/{id}")
@app.durable_client_input(client_name="client")
async def wait(req: func.HttpRequest, client: df.DurableOrchestrationClient):
    return await client.wait_for_completion_or_create_check_status_response(
        req, req.route_params["id"], int(req.params.get("timeout", "300")), int(req.params.get("interval", "10"))
    )


@app.orchestration_trigger(context_name="context")
def Returns(context):
    return context.get_input()


@app.orchestration_trigger(context_name="context")
def Waits(context):
    return (yield context.wait_for_external_event("go"))


@app.orchestration_trigger(context_name="context")
def Fails(context):
    yield context.call_activity("Echo", 1)
    raise ValueError("bad luck")


@app.orchestration_trigger(context_name="context")
def Calls(context):
    return (yield context.call_activity("Echo", {"x": 1}))


@app.orchestration_trigger(context_name="context")
def CallsFlaky(context):
    return (yield context.call_activity("Flaky", 1))


@app.orchestration_trigger(context_name="context")
def RetriesFlaky(context):
    return (yield context.call_activity_with_retry("Flaky", df.RetryOptions(1, 2), 1))


@app.orchestration_trigger(context_name="context")
def CatchesFlaky(context):
    try:
        yield context.call_activity("Flaky", 1)
    except Exception:
        pass
    yield context.call_activity("Echo", 1)
    yield context.call_activity("Flaky", 2)


@app.orchestration_trigger(context_name="context")
def Parent(context):
    name = context.get_input()
    return (yield context.call_sub_orchestrator(name, None, f"{context.instance_id}-child"))


@app.orchestration_trigger(context_name="context")
def CarriesOn(context):
    if context.get_input() == "first":
        yield context.call_activity("Echo", 1)
        yield context.call_activity("Echo", 2)
        yield context.call_activity("Echo", 3)
        context.continue_as_new("second")
        return
    yield context.call_activity("Flaky", 1)


@app.orchestration_trigger(context_name="context")
def Sleeps(context):
    yield context.create_timer(context.current_utc_datetime + timedelta(days=1))


@app.activity_trigger(input_name="x")
def Echo(x):
    return x


@app.route(route="failures/{count}", methods=["POST"])
def failures(req: func.HttpRequest):
    _failures["left"] = int(req.route_params["count"])
    return "ok"


@app.activity_trigger(input_name="x")
def Flaky(x):
    if _failures["left"]:
        _failures["left"] -= 1
        raise ValueError("not yet")
    return "done"
