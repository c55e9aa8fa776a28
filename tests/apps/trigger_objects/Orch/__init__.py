import azure.durable_functions as df
import azure.functions as func


def steps(context):
    context.set_custom_status("counting")
    yield context.call_entity(df.EntityId("Counter", "k"), "add", 1)
    where = yield context.call_activity("Where", 1)
    return [context.get_input(), where]


handle = df.Orchestrator.create(steps)


def main(ctx: func.OrchestrationContext, context: func.Context) -> str:
    assert type(ctx) is func.OrchestrationContext, type(ctx)
    assert context.function_directory.endswith("Orch"), context.function_directory
    return handle(ctx.body)
