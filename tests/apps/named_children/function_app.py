"""An orchestration whose child and whose entity are called as its input says, which no client has to allow."""

import azure.durable_functions as df

app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def Use(context: df.DurableOrchestrationContext):
    name = context.get_input()
    answer = yield context.call_sub_orchestrator("Repeat", "r", name)
    total = yield context.call_entity(df.EntityId("Counter", name), "add", 2)
    return [len(answer), total]


@app.orchestration_trigger(context_name="context")
def Repeat(context: df.DurableOrchestrationContext):
    return context.get_input() * 70_000


@app.entity_trigger(context_name="context")
def Counter(context: df.DurableEntityContext):
    total = context.get_state(lambda: 0) + context.get_input()
    context.set_state(total)
    context.set_result(total)
