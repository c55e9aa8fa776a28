"""Functions of each kind, one of which local.settings.json switches off."""

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
retries = df.RetryOptions(2_000, 2)


@app.activity_trigger(input_name="x")
def off(x):
    return x


@app.activity_trigger(input_name="x", activity="Renamed")
def off_by_its_own_name(x):
    return x


@app.entity_trigger(context_name="context")
def OffEntity(context):
    context.set_state(1)


@app.orchestration_trigger(context_name="context")
def off_orchestrator(context):
    yield context.call_activity("off", 1)


@app.route(route="off")
def off_page(req: func.HttpRequest) -> str:
    return func.HttpResponse("on")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
def off_timer(timer: func.TimerRequest) -> None:
    raise ValueError("a timer that is switched off was called")


def _told(context, name):
    try:
        return (yield context.call_activity(name, 1))
    except Exception as error:
        return str(error)


@app.orchestration_trigger(context_name="context")
def catches(context):
    return [(yield from _told(context, "OFF")), (yield from _told(context, "Renamed"))]


@app.orchestration_trigger(context_name="context")
def calls_entity(context):
    try:
        return (yield context.call_entity(df.EntityId("OffEntity", "k"), "add"))
    except Exception as error:
        return [type(error.args[0]).__name__, error.args[0]["Message"], str(error)[:1]]


@app.orchestration_trigger(context_name="context")
def signals(context):
    context.signal_entity(df.EntityId("OffEntity", "k"), "add", 1)
    return "signalled"
    yield


@app.orchestration_trigger(context_name="context")
def calls_child(context):
    yield context.call_sub_orchestrator("off_orchestrator")
