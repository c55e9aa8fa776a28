"""The functions that the HTTP recordings speak of."""

from datetime import timedelta

import azure.durable_functions as df

app = df.DFApp()

_attempts: dict = {}


@app.orchestration_trigger(context_name="context")
def Greet(context):
    return f"Hello {context.get_input()}!"


@app.orchestration_trigger(context_name="context")
def EchoInput(context):
    return context.get_input()


@app.orchestration_trigger(context_name="context")
def NoYield(context):
    return {"plain": True}


@app.orchestration_trigger(context_name="context")
def WaitGo(context):
    context.set_custom_status({"waiting": "go"})
    value = yield context.wait_for_external_event("go")
    return {"got": value}


@app.orchestration_trigger(context_name="context")
def StatusThenWait(context):
    context.set_custom_status(context.get_input())
    return (yield context.wait_for_external_event("go"))


@app.orchestration_trigger(context_name="context")
def FailNow(context):
    context.set_custom_status("about to fail")
    yield context.call_activity("Echo", 1)
    raise ValueError("bad luck")


@app.orchestration_trigger(context_name="context")
def FailingUncaught(context):
    yield context.call_activity("Boom", "x")


@app.orchestration_trigger(context_name="context")
def FlakyOnce(context):
    return (yield context.call_activity("Flaky", context.get_input()))


@app.orchestration_trigger(context_name="context")
def BigStatusFirst(context):
    context.set_custom_status("x" * context.get_input())
    yield context.call_activity("Echo", 1)
    return "done"


@app.orchestration_trigger(context_name="context")
def ContinueWithEvents(context):
    n = context.get_input() or 0
    if n < 2:
        yield context.wait_for_external_event("go")
        context.continue_as_new(n + 1)
    return n


@app.orchestration_trigger(context_name="context")
def Child(context):
    yield context.call_activity("Echo", 1)
    return context.get_input()["n"] * 2


@app.orchestration_trigger(context_name="context")
def Rich(context):
    context.set_custom_status({"step": 1})
    first = yield context.call_activity("Echo", {"x": 1})
    second = yield context.call_sub_orchestrator("Child", {"n": 2}, f"{context.instance_id}-sub")
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
    try:
        yield context.call_activity("Boom", "x")
    except Exception:
        pass
    third = yield context.wait_for_external_event("go")
    return [first, second, third]


@app.activity_trigger(input_name="x")
def Flaky(x):
    attempt = _attempts[x["key"]] = _attempts.get(x["key"], 0) + 1
    if attempt <= x["fails"]:
        raise ValueError(f"attempt {attempt} fails")
    return attempt


@app.activity_trigger(input_name="x")
def Echo(x):
    return x


@app.activity_trigger(input_name="x")
def Boom(x):
    raise ValueError(f"boom {x}")


@app.entity_trigger(context_name="context")
def Counter(context):
    total = context.get_state(lambda: 0)
    if context.operation_name == "add":
        total += context.get_input()
        context.set_state(total)
    context.set_result(total)


@app.entity_trigger(context_name="context")
def Box(context):
    operation = context.operation_name
    if operation == "set":
        context.set_state(context.get_input())
    elif operation == "delete":
        context.destruct_on_exit()
    elif operation == "get":
        context.set_result(context.get_state())
