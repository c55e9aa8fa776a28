"""Fan-outs of every shape: what is waited for, what is open besides, how the calls end."""

from datetime import timedelta

import azure.durable_functions as df

app = df.DFApp()


class Box:
    def __init__(self, n):
        self.n = n

    def to_json(self):
        return {"n": self.n}

    @staticmethod
    def from_json(data):
        return Box(data["n"])


def squares(context, count):
    return [context.call_activity("Square", n) for n in range(count)]


@app.orchestration_trigger(context_name="context")
def All(context):
    context.set_custom_status("fanned out")
    results = yield context.task_all(squares(context, context.get_input()))
    context.set_custom_status({"sum": sum(results)})
    return (yield context.call_activity("Square", len(results)))


@app.orchestration_trigger(context_name="context")
def Children(context):
    return (yield context.task_all([context.call_sub_orchestrator("Child", n) for n in range(context.get_input())]))


@app.orchestration_trigger(context_name="context")
def Child(context):
    first = yield context.call_activity("Square", context.get_input())
    return (yield context.task_all(squares(context, 3))) + [first]


@app.orchestration_trigger(context_name="context")
def Mixed(context):
    tasks = squares(context, context.get_input()) + [context.call_sub_orchestrator("Child", 1)]
    return (yield context.task_all(tasks))


@app.orchestration_trigger(context_name="context")
def AfterOthers(context):
    timer = context.create_timer(context.current_utc_datetime + timedelta(minutes=5))
    winner = yield context.task_any([timer, context.call_activity("Square", 1)])
    if winner is not timer:
        timer.cancel()
    try:
        yield context.call_activity("Fails", 1)
    except Exception:
        context.set_custom_status("caught")
    return (yield context.task_all(squares(context, context.get_input())))


@app.orchestration_trigger(context_name="context")
def OneFails(context):
    tasks = squares(context, context.get_input())
    try:
        yield context.task_all([*tasks, context.call_activity("Fails", 0), context.call_activity("Square", 9)])
    except Exception:
        context.set_custom_status("failed")
    return (yield context.call_activity("Square", 3))


@app.orchestration_trigger(context_name="context")
def WithAnEvent(context):
    event = context.wait_for_external_event("go")
    yield context.task_all([event, *squares(context, context.get_input())])
    return "gone"


@app.orchestration_trigger(context_name="context")
def WithATimer(context):
    timer = context.create_timer(context.current_utc_datetime + timedelta(minutes=5))
    return (yield context.task_all([*squares(context, context.get_input()), timer]))


@app.orchestration_trigger(context_name="context")
def WithRetries(context):
    retries = df.RetryOptions(5_000, 2)
    calls = [context.call_activity_with_retry("Square", retries, n) for n in range(context.get_input())]
    return (yield context.task_all(calls))


@app.orchestration_trigger(context_name="context")
def Nested(context):
    halves = [context.task_all(squares(context, context.get_input())) for _ in range(2)]
    return (yield context.task_all(halves))


@app.orchestration_trigger(context_name="context")
def AnyInAll(context):
    first = context.task_any(squares(context, context.get_input()))
    yield context.task_all([first, context.call_activity("Square", 7), context.call_activity("Square", 8)])
    return first.result.result


@app.orchestration_trigger(context_name="context")
def OldAndNew(context):
    tasks = squares(context, context.get_input())
    yield context.task_any(tasks)
    return (yield context.task_all([*tasks, context.call_activity("Square", 7)]))


@app.orchestration_trigger(context_name="context")
def Twice(context):
    tasks = squares(context, context.get_input())
    return (yield context.task_all([tasks[0], *tasks]))


@app.orchestration_trigger(context_name="context")
def Objects(context):
    boxes = yield context.task_all([context.call_activity("MakeBox", n) for n in range(context.get_input())])
    return [box.n for box in boxes]


@app.orchestration_trigger(context_name="context")
def Again(context):
    left = context.get_input()
    yield context.task_all(squares(context, left))
    if left > 2:
        context.continue_as_new(left - 1)
        return
    return left


@app.orchestration_trigger(context_name="context")
def ShownOnce(context):
    if not context.is_replaying:
        context.set_custom_status("fanned out")
    yield context.task_all(squares(context, context.get_input()))


@app.activity_trigger(input_name="n")
def Square(n):
    return n * n


@app.activity_trigger(input_name="n")
def MakeBox(n):
    return Box(n)


@app.activity_trigger(input_name="n")
def Fails(n):
    raise ValueError(n)
