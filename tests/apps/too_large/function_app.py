"""S7: a status that is too large is found at the call, also after the first episode."""

import azure.durable_functions as df

from durable_status import set_custom_status

app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def Grow(context):
    yield context.call_activity("Echo", 1)
    set_custom_status(context, "x" * 10_000)
    yield context.call_activity("Echo", 2)


@app.activity_trigger(input_name="x")
def Echo(x):
    return x
