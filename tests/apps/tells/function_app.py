"""Functions that log, and fail."""

import logging

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.activity_trigger(input_name="x")
def echo(x):
    logging.info("user info of echo")
    logging.getLogger("own").debug("user debug of echo")
    raise ValueError(x)


@app.orchestration_trigger(context_name="context")
def orch(context):
    yield context.call_activity("echo", "x")


@app.route()
async def loud(req: func.HttpRequest) -> str:
    logging.debug("user debug of loud")
    logging.error("user error of loud")
    raise ValueError("loud")
