"""HTTP functions that tell what they see, and answer in every way."""

import json
import threading

import azure.functions as func

app = func.FunctionApp(http_auth_level="ADMIN")
bp = func.Blueprint(http_auth_level="ANONYMOUS")


@app.route(route="seen/{name}", auth_level="anonymous")
def seen(req: func.HttpRequest) -> func.HttpResponse:
    try:
        value = req.get_json()
    except ValueError:
        value = "no JSON"
    told = {
        "url": req.url,
        "method": req.method,
        "route": dict(req.route_params),
        "params": dict(req.params),
        "length": len(req.get_body()),
        "json": value,
        "x-twice": req.headers.get("X-Twice"),
        "thread": threading.current_thread().name,
    }
    return func.HttpResponse(json.dumps(told), mimetype="application/json")


@app.route(route="loop", auth_level="anonymous")
async def loop(req: func.HttpRequest) -> str:
    return threading.current_thread().name


@app.route(route="answer/{kind}", auth_level="anonymous")
def answer(req: func.HttpRequest):
    match req.route_params["kind"]:
        case "none":
            return None
        case "dict":
            return {"a": 1}
        case "tuple":
            return "text", 200
        case "html":
            return func.HttpResponse("<p>", mimetype="text/html")
        case "binary":
            return func.HttpResponse(b"\x00", mimetype="image/png")
        case "header":
            return func.HttpResponse("{}", mimetype="text/html", headers={"Content-Type": "application/problem+json"})
        case "body":
            return func.HttpResponse({"a": 1})
        case kind:
            return func.HttpResponse(kind)


@app.route(route="Answer/{Kind}", methods=["POST"])
def late(req: func.HttpRequest) -> str:
    return "late"


@app.route(route="inherits")
def inherits(req: func.HttpRequest) -> str:
    return "inherits"


@bp.route(route="lent")
def lent(req: func.HttpRequest) -> str:
    return "lent"


app.register_functions(bp)
