"""The orchestrations that were recorded on the real extension, written from their description."""

from datetime import timedelta

import azure.durable_functions as df

app = df.DFApp()


@app.activity_trigger(input_name="city")
def E1_SayHello(city: str) -> str:
    return f"Hello {city}!"


@app.activity_trigger(input_name="x")
def Echo(x):
    return x


@app.activity_trigger(input_name="x")
def Boom(x):
    raise ValueError(f"boom {x}")


@app.activity_trigger(input_name="text")
def Length(text: str) -> int:
    return len(text)


@app.activity_trigger(input_name="n")
def Big(n: int) -> str:
    return "r" * n


@app.orchestration_trigger(context_name="context")
def Hello(context: df.DurableOrchestrationContext):
    greetings = []
    for city in ("Tokyo", "Seattle", "London"):
        greetings.append((yield context.call_activity("E1_SayHello", city)))
        context.set_custom_status(city)
    return greetings


@app.orchestration_trigger(context_name="context")
def StatusThenWait(context: df.DurableOrchestrationContext):
    context.set_custom_status(context.get_input())
    return (yield context.wait_for_external_event("go"))


@app.orchestration_trigger(context_name="context")
def NoStatus(context: df.DurableOrchestrationContext):
    yield context.call_activity("Echo", 1)
    return (yield context.wait_for_external_event("go"))


@app.orchestration_trigger(context_name="context")
def StatusSize(context: df.DurableOrchestrationContext):
    context.set_custom_status("x" * int(context.get_input()))
    return (yield context.wait_for_external_event("go"))


@app.orchestration_trigger(context_name="context")
def Countdown(context: df.DurableOrchestrationContext):
    n = int(context.get_input())
    for number in range(3) if n == 2 else range(1):
        yield context.call_activity("Echo", number)
    context.set_custom_status({"generation": n})
    if n > 0:
        context.continue_as_new(n - 1)
        return None
    yield context.wait_for_external_event("go")
    return "ended"


@app.orchestration_trigger(context_name="context")
def LengthOf(context: df.DurableOrchestrationContext):
    return len(context.get_input())


@app.orchestration_trigger(context_name="context")
def LargeResult(context: df.DurableOrchestrationContext):
    return (yield context.call_activity("Big", int(context.get_input())))


@app.orchestration_trigger(context_name="context")
def LargeActivityInput(context: df.DurableOrchestrationContext):
    return (yield context.call_activity("Length", "i" * int(context.get_input())))


@app.orchestration_trigger(context_name="context")
def Timer3(context: df.DurableOrchestrationContext):
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=3))
    return "fired"


@app.orchestration_trigger(context_name="context")
def CancelledTimer(context: df.DurableOrchestrationContext):
    timer = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
    echo = context.call_activity("Echo", 1)
    yield context.task_any([timer, echo])
    timer.cancel()
    return "done"


@app.orchestration_trigger(context_name="context")
def CallEntity(context: df.DurableOrchestrationContext):
    counter = df.EntityId("Counter", "one")
    yield context.call_entity(counter, "add", 2)
    context.signal_entity(counter, "add", 3)
    return (yield context.call_entity(counter, "get"))


@app.entity_trigger(context_name="context")
def Counter(context: df.DurableEntityContext):
    state = context.get_state(lambda: 0)
    if context.operation_name == "add":
        state += context.get_input()
        context.set_state(state)
    context.set_result(state)


@app.orchestration_trigger(context_name="context")
def Parent(context: df.DurableOrchestrationContext):
    value = yield context.call_sub_orchestrator("Child", {"n": 2})
    return {"child": value}


@app.orchestration_trigger(context_name="context")
def Child(context: df.DurableOrchestrationContext):
    context.set_custom_status({"child": True})
    n = context.get_input()["n"]
    yield context.call_activity("Echo", n)
    return n * 2


@app.orchestration_trigger(context_name="context")
def StatusAndFail(context: df.DurableOrchestrationContext):
    context.set_custom_status("before")
    yield context.call_activity("Echo", 1)
    context.set_custom_status("just before")
    raise ValueError("bad luck")


@app.orchestration_trigger(context_name="context")
def FailingUncaught(context: df.DurableOrchestrationContext):
    return (yield context.call_activity("Boom", "x"))


@app.orchestration_trigger(context_name="context")
def ParentOfFailure(context: df.DurableOrchestrationContext):
    try:
        yield context.call_sub_orchestrator("FailingUncaught")
    except Exception as error:
        return str(error)
