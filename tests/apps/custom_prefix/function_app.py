import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="here")
def here(req: func.HttpRequest) -> str:
    return "here"


@app.route(route="late")
def late(req: func.HttpRequest) -> str:
    return "late"


@app.route(route="hidden")
def hidden(req: func.HttpRequest) -> str:
    return "hidden"
