"""Typed statuses, and progress from below: a fan-out, sub-orchestrations, an activity that reports."""

import azure.durable_functions as df

from durable_status import (
    Progress,
    RecentItems,
    clear_custom_status,
    set_custom_status,
    wait_all,
    wait_with_reports,
)
from durable_status.client.durable_client import DurableClient
from durable_status.client.reporter import Reporter
from tests.typed_values import READ_BACK, REFUSED

app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def SetValue(context):
    name = context.get_input()
    set_custom_status(context, READ_BACK[name][0] if name in READ_BACK else REFUSED[name])
    yield context.wait_for_external_event("go")


@app.orchestration_trigger(context_name="context")
def SetAndClear(context):
    set_custom_status(context, "here")
    yield context.wait_for_external_event("go")
    clear_custom_status(context)
    yield context.wait_for_external_event("end")


@app.orchestration_trigger(context_name="context")
def SetAndGoOn(context):
    if context.get_input() == 0:
        set_custom_status(context, "first generation")
        yield context.wait_for_external_event("go")
        context.continue_as_new(1)
        return
    yield context.wait_for_external_event("again")
    yield context.wait_for_external_event("end")


@app.orchestration_trigger(context_name="context")
def FanOut(context):
    asked = context.get_input()
    progress = Progress.begin(context.current_utc_datetime, "fan-out", asked["tasks"])

    def report(done, total):
        set_custom_status(context, progress.advance(context.current_utc_datetime, done))

    if asked["kind"] == "activities":
        tasks = [context.call_activity("Double", number) for number in range(asked["tasks"])]
    else:
        tasks = [context.call_sub_orchestrator("Half", number) for number in range(asked["tasks"])]
    results = yield from wait_all(context, tasks, report, updates=asked["updates"])
    return [results, (yield context.call_activity("Double", 100))]


@app.orchestration_trigger(context_name="context")
def RetriedFanOut(context):
    retries = df.RetryOptions(1_000, 2)
    yield from wait_all(context, [context.call_activity_with_retry("Double", retries, 1)], print)


@app.orchestration_trigger(context_name="context")
def Half(context):
    return (yield context.call_activity("Double", context.get_input())) / 4


@app.activity_trigger(input_name="number")
def Double(number):
    if number == 13:
        raise ValueError("thirteen")
    return number * 2


@app.orchestration_trigger(context_name="context")
def Packing(context):
    packed = RecentItems()

    def report(article):
        nonlocal packed
        packed = packed.add(article, keep=2)
        set_custom_status(context, packed)

    order = {"instanceId": context.instance_id, "articles": ["lamp", "desk", "chair"]}
    count = yield from wait_with_reports(context, context.call_activity("Pack", order), "Packed", report, limit=5)
    return [count, (yield context.call_activity("Double", 100))]


@app.orchestration_trigger(context_name="context")
def PackingTwice(context):
    """Packs, continues as new straight after it, packs again; the output is what the second generation was told."""
    number, told = context.get_input(), []
    order = {"instanceId": context.instance_id, "articles": [f"{number}-{article}" for article in ("lamp", "desk")]}
    yield from wait_with_reports(context, context.call_activity("Pack", order), "Packed", told.append, limit=5)
    if number == 1:
        context.continue_as_new(2)
        return None
    return told


@app.activity_trigger(input_name="order")
@app.durable_client_input(client_name="client")
async def Pack(order: dict, client):
    reporter = Reporter(DurableClient(client), order["instanceId"], "Packed", limit=5, pause=0)
    for article in order["articles"]:
        await reporter.report(article)
    return len(order["articles"])
