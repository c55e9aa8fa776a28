import azure.durable_functions as df


def steps(context):
    return (yield context.call_activity("Where", 1))


handle = df.Orchestrator.create(steps)


async def main(trigger):
    return handle(trigger.body)
