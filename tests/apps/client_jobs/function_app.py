"""An app whose one HTTP function does with the durable client what a test asks of it."""

import azure.durable_functions as df
import azure.functions as func

from tests.client_jobs import run_next_job

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="job")
@app.durable_client_input(client_name="client")
async def job(req: func.HttpRequest, client) -> func.HttpResponse:
    await run_next_job(client, req)
    return func.HttpResponse("done")


@app.orchestration_trigger(context_name="context")
def Wait(context):
    context.set_custom_status("waiting")
    return (yield context.wait_for_external_event("go"))


@app.orchestration_trigger(context_name="context")
def Echo(context):
    return (yield context.call_activity("Return", context.get_input()))


@app.orchestration_trigger(context_name="context")
def Fail(context):
    yield context.call_activity("Return", 1)
    raise ValueError("bad luck")


@app.activity_trigger(input_name="value")
def Return(value):
    return value
