"""Functions that a local host has trouble with: other bindings, and calls that never end."""

import asyncio
import threading

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_released = threading.Event()


@app.queue_trigger(arg_name="message", queue_name="in", connection="AzureWebJobsStorage")
def reads_a_queue(message: func.QueueMessage) -> None:
    pass


@app.route(route="put")
@app.queue_output(arg_name="message", queue_name="out", connection="AzureWebJobsStorage")
def puts_into_a_queue(req: func.HttpRequest, message: func.Out[str]) -> func.HttpResponse:
    message.set("x")
    return func.HttpResponse("put")


@app.activity_trigger(input_name="text")
@app.queue_output(arg_name="message", queue_name="out", connection="AzureWebJobsStorage")
def sends(text: str, message: func.Out[str]) -> str:
    message.set(text)
    return "sent"


@app.orchestration_trigger(context_name="context")
def send(context):
    return (yield context.call_activity("sends", context.get_input()))


@app.orchestration_trigger(context_name="context")
def wait(context):
    yield context.call_activity("never_ends", None)


@app.activity_trigger(input_name="nothing")
async def never_ends(nothing) -> None:
    await asyncio.Event().wait()


@app.route(route="never")
async def never(req: func.HttpRequest) -> func.HttpResponse:
    await asyncio.Event().wait()
    return func.HttpResponse("never")


@app.route(route="busy")
def busy(req: func.HttpRequest) -> func.HttpResponse:
    _released.wait()
    return func.HttpResponse("too late")


@app.route(route="release")
async def release(req: func.HttpRequest) -> func.HttpResponse:
    _released.set()
    return func.HttpResponse("released")
