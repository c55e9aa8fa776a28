"""Orchestrations for the harness: orders of activities, events and timers, and the mistakes they invite."""

from datetime import timedelta

import azure.durable_functions as df

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
