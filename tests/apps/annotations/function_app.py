"""Annotations and binding names that the platform takes."""

import json
import typing
from collections import OrderedDict

import azure.durable_functions as df
import azure.functions as func

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
Item = typing.TypeVar("Item")


class Box(typing.Generic[Item]):
    pass


@app.activity_trigger(input_name="row")
def with_dict(row: typing.Dict[str, str]):
    return row["a"]


@app.activity_trigger(input_name="rows_")
def with_list(rows_: typing.List[int]):
    return sum(rows_)


@app.activity_trigger(input_name="the_row")
def with_mapping(the_row: typing.Mapping[str, typing.Any]):
    return len(the_row)


@app.activity_trigger(input_name="_box")
def with_own(_box: Box[int]):
    return _box


@app.activity_trigger(input_name="_")
def with_annotated(_: typing.Annotated[typing.Sequence[int], "x"]) -> list[int]:
    return list(_)


@app.activity_trigger(input_name="X1_y2")
def with_class(X1_y2: OrderedDict):
    return sorted(X1_y2)


@app.orchestration_trigger(context_name="context")
def all_of_them(context: df.DurableOrchestrationContext):
    dictionary = yield context.call_activity("with_dict", {"a": "x"})
    listed = yield context.call_activity("with_list", [1, 2])
    mapping = yield context.call_activity("with_mapping", {"a": 1})
    own = yield context.call_activity("with_own", 5)
    annotated = yield context.call_activity("with_annotated", [3])
    plain = yield context.call_activity("with_class", {"b": 1, "a": 2})
    return [dictionary, listed, mapping, own, annotated, plain]


@app.route(route="old")
@app.generic_input_binding(arg_name="starter", type="orchestrationClient")
def old_client(req: func.HttpRequest, starter: str):
    return func.HttpResponse(sorted(json.loads(starter))[0])


@app.route(route="none", methods=[])
def no_method(req: func.HttpRequest):
    return func.HttpResponse("never")


@app.route(route="go", trigger_arg_name="http_request", binding_arg_name="http_answer")
@app.durable_client_input(client_name="my_client")
async def go(http_request: func.HttpRequest, my_client, http_answer: func.Out[func.HttpResponse]) -> None:
    http_answer.set(func.HttpResponse(await my_client.start_new("all_of_them")))
