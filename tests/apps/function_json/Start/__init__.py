import azure.durable_functions as df
import azure.functions as func
from shared.greetings import greet


async def main(req: func.HttpRequest, starter: str) -> func.HttpResponse:
    client = df.DurableOrchestrationClient(starter)
    instance_id = await client.start_new(req.route_params["name"])
    response = client.create_check_status_response(req, instance_id)
    response.headers["X-Greeting"] = greet("you")
    return response
