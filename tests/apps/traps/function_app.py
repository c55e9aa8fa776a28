from datetime import timedelta

import azure.durable_functions as df

from durable_status import clear_custom_status, set_custom_status

app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def misspelt(context):
    yield context.call_activity("greet", "you")
    return (yield context.call_activity("gret", "you"))  # here: unknown function


@app.orchestration_trigger(context_name="context")
def leaves_timer_open(context):
    timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    yield context.task_any([context.call_activity("greet", "you"), timer])  # here: open timer
    return "done"


@app.orchestration_trigger(context_name="context")
def gives_up_at_once(context):
    yield context.call_activity_with_retry("greet", df.RetryOptions(5_000, 0), "you")  # here: retry options


@app.orchestration_trigger(context_name="context")
def says_too_much(context):
    context.set_custom_status("x" * 20_000)  # here: status too large
    yield context.call_activity("greet", "you")


@app.orchestration_trigger(context_name="context")  # here: status lost
def says_it_once(context):
    if not context.is_replaying:
        context.set_custom_status("begun")
    yield context.call_activity("greet", "you")
    yield context.call_activity("greet", "you again")


@app.orchestration_trigger(context_name="context")
def says_nothing_done(context):
    context.set_custom_status("begun")
    yield context.call_activity("greet", "you")
    context.set_custom_status(0)  # here: falsy status
    yield context.call_activity("greet", "you again")


@app.orchestration_trigger(context_name="context")
def clears(context):
    set_custom_status(context, "begun")
    yield context.call_activity("greet", "you")
    clear_custom_status(context)
    yield context.call_activity("greet", "you again")
    context.set_custom_status(None)


@app.orchestration_trigger(context_name="context")
def waits_in_a_loop(context):
    due = context.current_utc_datetime + timedelta(days=10)
    event = context.wait_for_external_event("go")
    while context.current_utc_datetime < due:
        timer = context.create_timer(min(due, context.current_utc_datetime + timedelta(days=5)))
        if (yield context.task_any([timer, event])) is event:
            timer.cancel()
            break
    return (yield context.call_activity("greet", "you"))


@app.orchestration_trigger(context_name="context")
def goes_on_by_yield(context):
    if context.get_input() is None:
        yield context.call_activity("greet", "you")
        yield context.continue_as_new(1)
    return (yield context.call_activity("greet", "you again"))


@app.orchestration_trigger(context_name="context")
def waits_late(context):
    yield context.wait_for_external_event("first")
    yield context.wait_for_external_event("go")
    yield context.wait_for_external_event("go")  # here: early event


@app.orchestration_trigger(context_name="context")
def forgets_to_yield(context):
    context.call_activity("greet", "nobody")  # here: unawaited task
    yield context.call_activity("greet", "you")


@app.orchestration_trigger(context_name="context")
def lists_twice(context):
    task = context.call_activity("greet", "you")
    yield context.task_all([task, task])  # here: task listed twice
    yield context.call_activity("greet", "you again")


@app.orchestration_trigger(context_name="context")
def hurries(context):
    yield context.create_timer(context.current_utc_datetime + timedelta(milliseconds=1))  # here: short timer


@app.orchestration_trigger(context_name="context")
def retries_in_a_hurry(context):
    yield context.call_activity_with_retry("greet", df.RetryOptions(1_000, 2), "you")  # here: short timer


@app.orchestration_trigger(context_name="context")
def waits_long(context):
    timer = context.create_timer(context.current_utc_datetime + timedelta(days=10))
    yield context.task_any([timer, context.wait_for_external_event("go")])  # here: long timer in task any


@app.orchestration_trigger(context_name="context")
def spells_keys_twice(context):
    yield context.call_entity(df.EntityId("Shelf", "K"), "get")
    yield context.call_entity(df.EntityId("Shelf", "k"), "get")  # here: entity key case


@app.orchestration_trigger(context_name="context")
def only_signals(context):
    context.signal_entity(df.EntityId("Shelf", "K"), "put", 1)
    return (yield context.call_activity("greet", "you"))


@app.orchestration_trigger(context_name="context")
def breaks(context):
    yield context.call_activity("break_down", None)


@app.entity_trigger(context_name="context")
def Shelf(context):
    context.set_result("empty")


@app.activity_trigger(input_name="name")
def greet(name):
    return name


@app.activity_trigger(input_name="nothing")
def break_down(nothing):
    raise RuntimeError("no more")


@app.orchestration_trigger(context_name="context")
def reads_its_input(context):
    yield context.call_activity("greet", context.get_input()[0])  # here: native input


@app.entity_trigger(context_name="context")
def adds(context):
    context.set_state(context.get_input())
