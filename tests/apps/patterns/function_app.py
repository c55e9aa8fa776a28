"""One orchestration of each usual kind, and a timer that starts one."""

from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_failures = {"unsteady": 2}


@app.route(route="start/{name}")
@app.durable_client_input(client_name="first")
@app.durable_client_input(client_name="second")
async def start(req: func.HttpRequest, first, second) -> func.HttpResponse:
    instance_id = await first.start_new(req.route_params["name"], client_input=req.params.get("input"))
    status = await second.get_status(instance_id)
    return func.HttpResponse(status.instance_id)


@app.timer_trigger(schedule="%NIGHTLY%", arg_name="timer", run_on_startup=False)
@app.durable_client_input(client_name="client")
async def nightly(timer: func.TimerRequest, client) -> None:
    await client.start_new("total", f"nightly-{str(timer.past_due).lower()}", [4, 5])


@app.orchestration_trigger(context_name="context")
def approval(context: df.DurableOrchestrationContext):
    deadline = context.create_timer(context.current_utc_datetime + timedelta(minutes=5))
    approved = context.wait_for_external_event("Approved")
    winner = yield context.task_any([approved, deadline])
    if winner == deadline:
        return "too late"
    deadline.cancel()
    return f"approved by {approved.result}"


@app.orchestration_trigger(context_name="context")
def monitor(context: df.DurableOrchestrationContext):
    seen = context.get_input() or 0
    context.set_custom_status({"seen": seen})
    if seen == 3:
        return "seen enough"
    yield context.create_timer(context.current_utc_datetime + timedelta(minutes=1))
    context.continue_as_new(seen + 1)


@app.orchestration_trigger(context_name="context")
def parent(context: df.DurableOrchestrationContext):
    retry = df.RetryOptions(first_retry_interval_in_milliseconds=1, max_number_of_attempts=3)
    steady = yield context.call_sub_orchestrator_with_retry("unsteady", retry, "child")
    return {"child": steady}


@app.orchestration_trigger(context_name="context")
def unsteady(context: df.DurableOrchestrationContext):
    return (yield context.call_activity("fail_twice", context.get_input()))


@app.activity_trigger(input_name="name")
def fail_twice(name: str) -> str:
    if _failures["unsteady"]:
        _failures["unsteady"] -= 1
        raise RuntimeError("not yet")
    return f"{name} is steady"


@app.orchestration_trigger(context_name="context")
def total(context: df.DurableOrchestrationContext):
    numbers = context.get_input() or [1, 2, 3]
    squares = yield context.task_all([context.call_activity("square", number) for number in numbers])
    return sum(squares)


@app.activity_trigger(input_name="number")
async def square(number: int, context: func.Context) -> int:
    assert context.function_name == "square"
    return number * number
