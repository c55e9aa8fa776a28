"""An app that knows nothing of this project: a plain FunctionApp, a blueprint in a module of its own."""

import json

import azure.functions as func
from parcels import bp

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(bp)


@app.route(route="weigh/{grams:int?}", methods=["GET", "POST"])
def weigh(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"{req.method} {req.route_params.get('grams', 'nothing')} {req.params.get('unit', 'g')}")


@app.route(route="echo")
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    headers = {"X-Function": context.function_name, "X-Header": req.headers.get("X-Custom", "")}
    return func.HttpResponse(req.get_body(), mimetype="application/octet-stream", headers=headers, status_code=201)


@app.route(route="headers")
def headers(req: func.HttpRequest) -> func.HttpResponse:
    names = sorted(name for name in req.headers if name in ("accept", "x-custom", "X-Custom"))
    return func.HttpResponse(json.dumps({"names": names, "X-CUSTOM": req.headers["X-CUSTOM"]}))


@app.route(route="text")
def text(req: func.HttpRequest) -> str:
    return req.get_body().decode()


@app.route(route="broken")
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("secret")


@app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
def hourly(timer: func.TimerRequest) -> None:
    pass
