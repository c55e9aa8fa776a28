"""Functions that tell what they are given beside their trigger."""

import threading

import azure.durable_functions as df
import azure.functions as func

from parts.far import blueprint, told

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(blueprint)
seen: list[str] = []
called = threading.Event()


@app.route(route="near")
def near(req: func.HttpRequest, context: func.Context) -> str:
    return told(context)


@app.route(route="thread")
def thread(req: func.HttpRequest, context: func.Context) -> str:
    """The worker's thread knows the call, and a thread of the app's own once it is told."""
    here = context.thread_local_storage.invocation_id == context.invocation_id
    there = []

    def run() -> None:
        context.thread_local_storage.invocation_id = context.invocation_id
        there.append(context.thread_local_storage.invocation_id == context.invocation_id)

    worker = threading.Thread(target=run)
    worker.start()
    worker.join()
    return func.HttpResponse(f"{here} {there}")


@app.route(route="trace")
def trace(req: func.HttpRequest, context) -> str:
    seen, retry = context.trace_context, context.retry_context
    return func.HttpResponse(
        repr(
            [
                [seen.trace_parent, seen.trace_state, seen.attributes],
                [seen.Traceparent, seen.Tracestate, seen.Attributes],
                [retry.retry_count, retry.max_retry_count, retry.exception.message],
                isinstance(context.thread_local_storage, threading.local),
                type(context).__name__,
            ]
        )
    )


@app.timer_trigger(arg_name="text", schedule="0 0 0 1 1 *", use_monitor=False)
def as_text(text: str) -> None:
    """A timer's trigger is a text for who asks for one."""
    seen.append(text)
    called.set()


@app.route(route="seen")
def what_was_seen(req: func.HttpRequest) -> str:
    called.wait()
    return func.HttpResponse("".join(seen))
