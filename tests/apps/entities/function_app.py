"""Entities, and orchestrations that use them and call_http."""

import json
import threading

import azure.durable_functions as df

app = df.DFApp()

_failed_batches: dict = {}


@app.entity_trigger(context_name="context")
def Counter(context):
    total = context.get_state(lambda: 0)
    match context.operation_name:
        case "add":
            total += context.get_input()
            context.set_state(total)
        case "append":
            context.set_state([*context.get_state(list), context.get_input()])
            return
        case "fail":
            raise ValueError("not today")
        case "delete":
            context.destruct_on_exit()
            return
    context.set_result(total)


@app.entity_trigger(context_name="context", entity_name="Fragile")
def breaks_some_batches(context):
    """Operation `add` leaves a state that cannot be written, as often as its input says, then counts its runs."""
    failures = _failed_batches.get(context.entity_key, 0)
    if failures < context.get_input():
        _failed_batches[context.entity_key] = failures + 1
        context.set_state(object())
    else:
        context.set_state(context.get_state(lambda: 0) + 1)
        context.set_result("done")


@app.orchestration_trigger(context_name="context")
def Tally(context):
    entity = df.EntityId("Counter", context.get_input())
    yield context.call_entity(entity, "add", 2)
    context.signal_entity(entity, "add", 3)
    return (yield context.call_entity(entity, "get"))


@app.orchestration_trigger(context_name="context")
def SignalMany(context):
    entity = df.EntityId("Counter", context.get_input())
    for number in range(10):
        context.signal_entity(entity, "append", number)
    return (yield context.call_entity(entity, "get"))


@app.orchestration_trigger(context_name="context")
def CatchFailure(context):
    try:
        yield context.call_entity(df.EntityId("Counter", context.get_input()), "fail")
    except Exception as error:
        return str(error)


@app.orchestration_trigger(context_name="context")
def CallFragile(context):
    given = context.get_input()
    return (yield context.call_entity(df.EntityId("Fragile", given["key"]), "add", given["failures"]))


@app.orchestration_trigger(context_name="context")
def TwoCases(context):
    for key in ("K", "k"):
        yield context.call_entity(df.EntityId("Counter", key), "get")


@app.orchestration_trigger(context_name="context")
def Fetch(context):
    return (yield context.call_http(**context.get_input()))


@app.orchestration_trigger(context_name="context")
def FetchAndCatch(context):
    try:
        yield context.call_http(**context.get_input())
    except Exception as error:
        message, _, details = str(error).partition(" \n ")
        return [message, details]


@app.function_name("ask")
@app.route(route="ask/{key}")
@app.durable_client_input(client_name="client")
async def ask(req, client):
    """What the SDK's client says of a counter; with `?add=` it signals first."""
    entity = df.EntityId("Counter", req.route_params["key"])
    added = req.params.get("add")
    if added is not None:
        await client.signal_entity(entity, "add", json.loads(added))
    state = await client.read_entity_state(entity)
    return json.dumps({"exists": state.entity_exists, "state": state.entity_state})


@app.function_name("signal")
@app.route(route="signal/{name}/{key}")
@app.durable_client_input(client_name="client")
async def signal(req, client):
    try:
        returned = await client.signal_entity(df.EntityId(req.route_params["name"], req.route_params["key"]), "add", 1)
    except Exception as error:
        return str(error)
    return json.dumps(returned)


_meeting = threading.Barrier(2)


@app.entity_trigger(context_name="context")
def Meeting(context):
    """Whether another entity's operation runs at the same time; the input is how long to wait for it."""
    try:
        _meeting.wait(context.get_input())
        context.set_state("met")
    except threading.BrokenBarrierError:
        _meeting.reset()
        context.set_state("alone")
