"""Orchestrations for the harness: orders of activities, events and timers, and the mistakes they invite."""

from datetime import timedelta

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp()


@app.activity_trigger(input_name="n")
def Square(n: int) -> int:
    return n * n


@app.activity_trigger(input_name="item")
def Prepare(item: str) -> int:
    return len(item)


@app.orchestration_trigger(context_name="context")
def FanOut(context: df.DurableOrchestrationContext):
    """Shows each result as it comes."""
    done = []
    open_tasks = [context.call_activity("Square", n) for n in range(context.get_input())]
    while open_tasks:
        winner = yield context.task_any(open_tasks)
        open_tasks.remove(winner)
        done.append(winner.result)
        context.set_custom_status({"done": done})
    return done


@app.orchestration_trigger(context_name="context")
def TwoApprovals(context: df.DurableOrchestrationContext):
    """Waits for two approvals; an early one is handed out twice by the SDK (python#507)."""
    yield context.call_activity("Prepare", "form")
    first = yield context.wait_for_external_event("Approve")
    second = yield context.wait_for_external_event("Approve")
    return [first, second]


@app.orchestration_trigger(context_name="context")
def OneApproval(context: df.DurableOrchestrationContext):
    """An approval within a minute, or none."""
    size = yield context.call_activity("Prepare", "form")
    context.set_custom_status({"size": size})
    approval = context.wait_for_external_event("Approve")
    deadline = context.create_timer(context.current_utc_datetime + timedelta(seconds=60))
    winner = yield context.task_any([approval, deadline])
    if winner == approval:
        deadline.cancel()
        return approval.result
    return None


@app.orchestration_trigger(context_name="context")
def Retried(context: df.DurableOrchestrationContext):
    """Up to three attempts, five seconds apart."""
    return (yield context.call_activity_with_retry("Prepare", df.RetryOptions(5_000, 3), "form"))


@app.orchestration_trigger(context_name="context")
def Family(context: df.DurableOrchestrationContext):
    """A child per number; the parent adds up what they return."""
    values = yield context.task_all([context.call_sub_orchestrator("FanOut", n) for n in (1, 2)])
    context.set_custom_status({"values": values})
    return values


@app.orchestration_trigger(context_name="context")
def Delegates(context: df.DurableOrchestrationContext):
    return (yield context.call_sub_orchestrator("OneApproval"))


@app.orchestration_trigger(context_name="context")
def Counting(context: df.DurableOrchestrationContext):
    """Counts down by continuing as new; the status of a generation that sets none is carried once."""
    n = context.get_input()
    context.set_custom_status({"left": n})
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    if n == 0:
        return "done"
    context.continue_as_new(n - 1)
    return None


@app.orchestration_trigger(context_name="context")
def UsesCounter(context: df.DurableOrchestrationContext):
    counter = df.EntityId("Counter", "c")
    context.signal_entity(counter, "add", 3)
    return (yield context.call_entity(counter, "add", 2))


@app.entity_trigger(context_name="context")
def Counter(context: df.DurableEntityContext):
    total = context.get_state(lambda: 0) + context.get_input()
    context.set_state(total)
    context.set_result(total)


@app.orchestration_trigger(context_name="context")
def Fetches(context: df.DurableOrchestrationContext):
    answer = yield context.call_http("GET", "https://prices.example/book")
    return [answer["statusCode"], answer["content"]]


_memo = {}


@app.orchestration_trigger(context_name="context")
def Memoized(context: df.DurableOrchestrationContext):
    """Wrong: a new process does not have the memo."""
    if "form" not in _memo:
        _memo["form"] = yield context.call_activity("Prepare", "form")
    yield context.create_timer(context.current_utc_datetime + timedelta(seconds=1))
    return _memo["form"]


@app.orchestration_trigger(context_name="context")
def Hurried(context: df.DurableOrchestrationContext):
    """Sets two statuses before the first yield, and one of them behind is_replaying."""
    context.set_custom_status("first")
    if not context.is_replaying:
        context.set_custom_status("second")
    yield context.call_activity("Prepare", "form")
    return None


@app.orchestration_trigger(context_name="context")
def SetsOnce(context: df.DurableOrchestrationContext):
    """Its second generation sets no status."""
    n = context.get_input()
    if n:
        context.set_custom_status({"left": n})
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    if n:
        context.continue_as_new(0)
    return None


@app.orchestration_trigger(context_name="context")
def TwoTimers(context: df.DurableOrchestrationContext):
    now = context.current_utc_datetime
    yield context.task_all([context.create_timer(now + timedelta(minutes=n)) for n in (2, 1)])
    return None


@app.orchestration_trigger(context_name="context")
def Misspells(context: df.DurableOrchestrationContext):
    """Wrong: there is no such activity."""
    return (yield context.call_activity("Sqare", 2))


@app.route(route="start/{name}", methods=["POST"])
@app.durable_client_input(client_name="client")
async def start(req: func.HttpRequest, client) -> func.HttpResponse:
    instance_id = await client.start_new(req.route_params["name"], client_input=req.get_json())
    return client.create_check_status_response(req, instance_id)
