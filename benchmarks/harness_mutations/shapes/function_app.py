"""Five orchestrations of different shapes, as they should be; the benchmark seeds one bug at a time into this text."""

from datetime import timedelta

import azure.durable_functions as df

app = df.DFApp()
RETRY = df.RetryOptions(5_000, 3)


@app.orchestration_trigger(context_name="context")
def Reserve(context: df.DurableOrchestrationContext):
    """An offer that can be confirmed within a minute."""
    user = context.get_input()
    context.set_custom_status({"stage": "pricing"})
    price = yield context.call_activity("Price", user)
    context.set_custom_status({"stage": "offer", "price": price})
    confirmed = context.wait_for_external_event("Confirmed")
    deadline = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
    winner = yield context.task_any([confirmed, deadline])
    if winner == confirmed:
        deadline.cancel()
        context.set_custom_status({"stage": "confirmed"})
        return True
    context.set_custom_status({"stage": "too late"})
    return False


@app.orchestration_trigger(context_name="context")
def Convert(context: df.DurableOrchestrationContext):
    """Converts files side by side and shows how many are done."""
    files = context.get_input()
    pending = [context.call_activity("ConvertOne", file) for file in files]
    done = []
    while pending:
        winner = yield context.task_any(pending)
        pending.remove(winner)
        done.append(winner.result)
        context.set_custom_status({"done": len(done), "of": len(files)})
    return sorted(done)


@app.orchestration_trigger(context_name="context")
def Pay(context: df.DurableOrchestrationContext):
    """Reserves, charges with retries, and releases when that fails for good."""
    order = context.get_input()
    yield context.call_activity("Hold", order)
    context.set_custom_status({"stage": "charging"})
    try:
        receipt = yield context.call_activity_with_retry("Charge", RETRY, order)
    except Exception:
        context.set_custom_status({"stage": "releasing"})
        yield context.call_activity("Release", order)
        return "released"
    context.set_custom_status({"stage": "paid"})
    return receipt


@app.orchestration_trigger(context_name="context")
def Watch(context: df.DurableOrchestrationContext):
    """Measures every five minutes, at most four times; a generation per measurement."""
    state = context.get_input()
    level = yield context.call_activity("Measure", state["sensor"])
    context.set_custom_status({"level": level, "round": state["round"]})
    if level > 90:
        yield context.call_activity("Alarm", state["sensor"])
        return "alarm"
    if state["round"] == 3:
        return "quiet"
    yield context.create_timer(context.current_utc_datetime + timedelta(minutes=5))
    context.continue_as_new({"sensor": state["sensor"], "round": state["round"] + 1})
    return None


@app.orchestration_trigger(context_name="context")
def Approve(context: df.DurableOrchestrationContext):
    """Two approvals in their order, then two printed copies."""
    document = context.get_input()
    first = yield context.wait_for_external_event("First")
    context.set_custom_status({"approved by": [first]})
    second = yield context.wait_for_external_event("Second")
    context.set_custom_status({"approved by": [first, second]})
    copies = yield context.task_all(
        [context.call_sub_orchestrator("Print", {"document": document, "copy": copy}) for copy in (1, 2)]
    )
    return {"approved by": [first, second], "copies": copies}


@app.orchestration_trigger(context_name="context")
def Print(context: df.DurableOrchestrationContext):
    """Prints one copy."""
    job = context.get_input()
    return (yield context.call_activity("PrintPage", job))


@app.activity_trigger(input_name="user")
def Price(user: str) -> int:
    return 10 * len(user)


@app.activity_trigger(input_name="file")
def ConvertOne(file: str) -> str:
    return file.upper()


@app.activity_trigger(input_name="order")
def Hold(order: str) -> None:
    return None


@app.activity_trigger(input_name="order")
def Charge(order: str) -> str:
    return f"receipt for {order}"


@app.activity_trigger(input_name="order")
def Release(order: str) -> None:
    return None


@app.activity_trigger(input_name="sensor")
def Measure(sensor: str) -> int:
    return 50


@app.activity_trigger(input_name="sensor")
def Alarm(sensor: str) -> None:
    return None


@app.activity_trigger(input_name="job")
def PrintPage(job: dict) -> str:
    return f"{job['document']} {job['copy']}"
