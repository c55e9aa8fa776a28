import azure.durable_functions as df


def chain(context: df.DurableOrchestrationContext):
    first = yield context.call_activity("Hello", "Oslo")
    second = yield context.call_activity("Hello", "Lima")
    return [first, second]


run = df.Orchestrator.create(chain)
