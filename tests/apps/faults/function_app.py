"""One orchestration of every kind whose outcome shows whether something was lost or done twice."""

from datetime import timedelta

import azure.durable_functions as df

app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def chain(context: df.DurableOrchestrationContext):
    number = context.get_input()
    for _ in range(3):
        number = yield context.call_activity("add_one", number)
        context.set_custom_status({"number": number})
    return number


@app.orchestration_trigger(context_name="context")
def fan_out(context: df.DurableOrchestrationContext):
    first = context.get_input()
    numbers = yield context.task_all([context.call_activity("add_one", first + offset) for offset in range(8)])
    context.set_custom_status({"numbers": len(numbers)})
    return sum(numbers)


@app.orchestration_trigger(context_name="context")
def nap(context: df.DurableOrchestrationContext):
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=2))
    context.set_custom_status("awake")
    return (yield context.call_activity("add_one", context.get_input()))


@app.orchestration_trigger(context_name="context")
def family(context: df.DurableOrchestrationContext):
    number = context.get_input()
    children = [
        context.call_sub_orchestrator("child", number + offset, f"{context.instance_id}-{offset}") for offset in (1, 2)
    ]
    context.set_custom_status("has children")
    return sum((yield context.task_all(children)))


@app.orchestration_trigger(context_name="context")
def child(context: df.DurableOrchestrationContext):
    context.set_custom_status("is a child")
    return (yield context.call_activity("add_one", context.get_input()))


@app.orchestration_trigger(context_name="context")
def listener(context: df.DurableOrchestrationContext):
    context.set_custom_status("listening")
    number, _attempt = yield context.wait_for_external_event("go")
    return (yield context.call_activity("add_one", number))


@app.orchestration_trigger(context_name="context")
def countdown(context: df.DurableOrchestrationContext):
    left, number = context.get_input()
    number = yield context.call_activity("add_one", number)
    context.set_custom_status({"left": left})
    if left:
        context.continue_as_new([left - 1, number])
        return None
    return number


@app.orchestration_trigger(context_name="context")
def tally(context: df.DurableOrchestrationContext):
    entity = df.EntityId("Counter", context.instance_id)
    yield context.call_entity(entity, "add", 1)
    context.signal_entity(entity, "add", 10)
    context.set_custom_status("signalled")
    return (yield context.call_entity(entity, "add", 100))


@app.orchestration_trigger(context_name="context")
def large(context: df.DurableOrchestrationContext):
    text = yield context.call_activity("repeat", context.get_input())
    context.set_custom_status({"characters": len(text)})
    return text


@app.orchestration_trigger(context_name="context")
def stumble(context: df.DurableOrchestrationContext):
    try:
        yield context.call_activity("fail", context.get_input())
    except Exception:
        context.set_custom_status("stumbled")
    return (yield context.call_activity("add_one", context.get_input()))


@app.entity_trigger(context_name="context")
def Counter(context):
    total = context.get_state(lambda: 0) + context.get_input()
    context.set_state(total)
    context.set_result(total)


@app.activity_trigger(input_name="number")
def add_one(number: int) -> int:
    return number + 1


@app.activity_trigger(input_name="number")
def fail(number: int) -> int:
    raise ValueError(f"{number} is no good")


@app.activity_trigger(input_name="times")
def repeat(times: int) -> str:
    return "0123456789" * times
