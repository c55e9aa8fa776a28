import azure.durable_functions as df

app = df.DFApp()


@app.orchestration_trigger(context_name="context")
def misspelt(context):
    yield context.call_activity("greet", "you")
    return (yield context.call_activity("gret", "you"))


@app.activity_trigger(input_name="name")
def greet(name):
    return name
