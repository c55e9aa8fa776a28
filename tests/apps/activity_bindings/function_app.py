"""Activities with every binding they may have: durable clients, outputs, the invocation context."""

import asyncio

import azure.durable_functions as df
import azure.functions as func

from durable_status import set_custom_status, wait_with_reports
from durable_status.client.durable_client import DurableClient

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.orchestration_trigger(context_name="context")
def Calls(context):
    name, given = context.get_input()
    return (yield context.call_activity(name, given))


@app.orchestration_trigger(context_name="context")
def Hears(context):
    heard = []

    def hear(said):
        heard.append(said)
        set_custom_status(context, heard)

    task = context.call_activity("Tells", context.instance_id)
    told = yield from wait_with_reports(context, task, "Said", hear, limit=3)
    return [heard, told]


@app.orchestration_trigger(context_name="context")
def Listens(context):
    task = context.call_activity("Tells", context.instance_id)
    first, second = context.wait_for_external_event("Said.0"), context.wait_for_external_event("Said.1")
    done = yield context.task_all([task, first, second])
    set_custom_status(context, done)
    return done


@app.orchestration_trigger(context_name="context")
def Waits(context):
    return (yield context.wait_for_external_event("go"))


@app.activity_trigger(input_name="instance")
@app.durable_client_input(client_name="client")
async def Tells(instance, client):
    mine = DurableClient(client)
    for number in range(2):
        await mine.raise_event(instance, f"Said.{number}", number)
        await asyncio.sleep(30)
    return (await client.get_status(instance)).custom_status


@app.activity_trigger(input_name="name")
@app.durable_client_input(client_name="client")
async def StartsOne(name, client):
    started = await client.start_new("Waits", name)
    return [started, (await client.get_status(name)).runtime_status.value]


@app.activity_trigger(input_name="name")
@app.durable_client_input(client_name="client")
async def StartsNone(name, client):
    client.start_new("Waits", name)  # here
    return name


@app.activity_trigger(input_name="name")
@app.durable_client_input(client_name="client")
async def StartsInATask(name, client):
    asyncio.create_task(client.start_new("Waits", name))
    return name


@app.activity_trigger(input_name="text")
@app.queue_output(arg_name="message", queue_name="out", connection="AzureWebJobsStorage")
def PutsOut(text, message: func.Out[str]):
    message.set(text)
    return message.get()


@app.activity_trigger(input_name="text")
@app.durable_client_input(client_name="client")
@app.queue_output(arg_name="message", queue_name="out", connection="AzureWebJobsStorage")
async def HasAll(text, client, message: func.Out[str], context: func.Context):
    message.set(text)
    return [text, type(client).__name__, message.get(), context.function_name]


@app.activity_trigger(input_name="text")
@app.blob_input(arg_name="blob", path="a/b", connection="AzureWebJobsStorage")
def ReadsABlob(text, blob: func.InputStream):
    return blob.read()


@app.route(route="start/{name}")
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client):
    instance_id = client.start_new("Waits", req.route_params["name"])  # here
    return client.create_check_status_response(req, instance_id)


@app.route(route="later")
@app.durable_client_input(client_name="client")
async def later(req: func.HttpRequest, client):
    DurableClient(client).start_new("Waits", instance_id="later")  # here
    return func.HttpResponse("started")
