import azure.durable_functions as df
import azure.functions as func

blueprint = df.Blueprint()


def told(context):
    return func.HttpResponse(f"{context.function_name} {context.function_directory}")


@blueprint.route(route="far")
def far(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return told(context)


@blueprint.route(route="client")
@blueprint.durable_client_input(client_name="client")
async def with_client(req: func.HttpRequest, client, context: func.Context) -> func.HttpResponse:
    if context.thread_local_storage.invocation_id != context.invocation_id:
        return func.HttpResponse("another call")
    return told(context)


@blueprint.activity_trigger(input_name="text")
def where(text: str, context) -> str:
    return context.function_directory
