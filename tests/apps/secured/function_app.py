import azure.durable_functions as df
import azure.functions as func

app = df.DFApp()


@app.route(route="open", auth_level=func.AuthLevel.ANONYMOUS)
def open_to_all(req: func.HttpRequest) -> str:
    return "open"


@app.route(route="keyed")
def keyed(req: func.HttpRequest) -> str:
    return "keyed"


@app.route(route="other")
def other(req: func.HttpRequest) -> str:
    return "other"


@app.route(route="chief", auth_level=func.AuthLevel.ADMIN)
def chief(req: func.HttpRequest) -> str:
    return "chief"


@app.orchestration_trigger(context_name="context")
def nothing(context):
    return None
