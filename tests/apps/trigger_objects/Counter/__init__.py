import azure.durable_functions as df
import azure.functions as func


def entity(context):
    context.set_state(context.get_state(lambda: 0) + int(context.get_input()))
    context.set_result(1)


handle = df.Entity.create(entity)


def main(ctx: func.EntityContext) -> str:
    assert type(ctx) is func.EntityContext, type(ctx)
    return handle(ctx.body)
