"""Orchestrators that fail in the SDK, not in their own code; with an input they do so after an await."""

import asyncio
import json
from datetime import date, datetime, timedelta

import azure.durable_functions as df

app = df.DFApp()


class Box:
    """Can be written as the SDK writes objects, and not read again."""

    @staticmethod
    def to_json(box):
        return {"size": 1}


class Leaking:
    @staticmethod
    def to_json(box):
        raise KeyError("size")


class MyTask:
    """No task of the SDK."""


def some_await(context):
    if context.get_input():
        yield context.call_activity("echo", 1)


def helper(context):
    yield context.call_activity("echo", 2)
    return "helped"


async def coroutine():
    return 1


def deep():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


def circular():
    value = []
    value.append(value)
    return value


# Results.


@app.orchestration_trigger(context_name="context")
def returns_object(context):
    yield from some_await(context)
    return Box()


@app.orchestration_trigger(context_name="context")
def returns_what_is_called_a_task(context):
    yield from some_await(context)
    return MyTask()


@app.orchestration_trigger(context_name="context")
def returns_circle(context):
    yield from some_await(context)
    return circular()


@app.orchestration_trigger(context_name="context")
def returns_tuple_keys(context):
    yield from some_await(context)
    return {(1, 2): 3}


@app.orchestration_trigger(context_name="context")
def returns_depth(context):
    yield from some_await(context)
    return deep()


@app.orchestration_trigger(context_name="context")
def returns_task(context):
    yield from some_await(context)
    return context.call_activity("echo", 2)


@app.orchestration_trigger(context_name="context")
def returns_task_without_yield(context):
    return context.call_activity("echo", 2)


@app.orchestration_trigger(context_name="context")
def returns_tasks(context):
    yield from some_await(context)
    return {"all": [context.task_all([context.call_activity("echo", 2)])]}


@app.orchestration_trigger(context_name="context")
def returns_helper(context):
    yield from some_await(context)
    return helper(context)


@app.orchestration_trigger(context_name="context")
def returns_coroutine(context):
    yield from some_await(context)
    return coroutine()


@app.orchestration_trigger(context_name="context")
async def is_async(context):
    return await context.call_activity("echo", 1)


@app.orchestration_trigger(context_name="context")
async def is_async_generator(context):
    yield context.call_activity("echo", 1)


# Custom statuses.


@app.orchestration_trigger(context_name="context")
def shows_set(context):
    yield from some_await(context)
    context.set_custom_status({1, 2})  # here: status not json
    yield context.call_activity("echo", 2)


@app.orchestration_trigger(context_name="context")
def shows_date_at_end(context):
    yield from some_await(context)
    context.set_custom_status({"at": context.current_utc_datetime})  # here: status not json


@app.orchestration_trigger(context_name="context")
def shows_circle(context):
    yield from some_await(context)
    context.set_custom_status(circular())  # here: status not json
    yield context.call_activity("echo", 2)


@app.orchestration_trigger(context_name="context")
def shows_depth(context):
    yield from some_await(context)
    context.set_custom_status(deep())  # here: status not json
    yield context.call_activity("echo", 2)


@app.orchestration_trigger(context_name="context")
def shows_tuple_keys(context):
    yield from some_await(context)
    context.set_custom_status({(1, 2): 3})  # here: status not json
    yield context.call_activity("echo", 2)


@app.orchestration_trigger(context_name="context")
def shows_leak(context):
    yield from some_await(context)
    context.set_custom_status(Leaking())  # here: status not json
    yield context.call_activity("echo", 2)


@app.orchestration_trigger(context_name="context")
def shows_set_and_raises(context):
    yield from some_await(context)
    context.set_custom_status({1, 2})  # here: status not json
    raise ValueError("over")


# Arguments of calls.


@app.orchestration_trigger(context_name="context")
def sends_header_objects(context):
    yield from some_await(context)
    yield context.call_http("GET", "http://localhost", headers={"x-id": context.new_guid()})  # here: argument not json


@app.orchestration_trigger(context_name="context")
def names_child_by_guid(context):
    yield from some_await(context)
    yield context.call_sub_orchestrator("fine", 1, context.new_guid())  # here: argument not json


@app.orchestration_trigger(context_name="context")
def waits_for_object(context):
    context.set_custom_status("fine")
    yield from some_await(context)
    yield context.wait_for_external_event(object())  # here: argument not json


@app.orchestration_trigger(context_name="context")
def gives_set(context):
    yield from some_await(context)
    yield context.call_activity("echo", {1, 2})  # here: argument not json


@app.orchestration_trigger(context_name="context")
def gives_task(context):
    yield from some_await(context)
    yield context.call_activity("echo", context.call_activity("echo", 1))  # here: argument not json


@app.orchestration_trigger(context_name="context")
def goes_on_with_set(context):
    yield from some_await(context)
    context.continue_as_new({1, 2})  # here: argument not json


@app.orchestration_trigger(context_name="context")
def signals_set(context):
    yield from some_await(context)
    context.signal_entity(df.EntityId("Shelf", "k"), "put", {1, 2})  # here: argument not json


# Yields.


@app.orchestration_trigger(context_name="context")
def yields_list(context):
    yield from some_await(context)
    yield [context.call_activity("echo", 2)]  # here: yielded no task


@app.orchestration_trigger(context_name="context")
def yields_number(context):
    yield from some_await(context)
    yield 5  # here: yielded no task


@app.orchestration_trigger(context_name="context")
def yields_helper(context):
    yield from some_await(context)
    yield helper(context)  # here: yielded no task


@app.orchestration_trigger(context_name="context")
def yields_coroutine(context):
    yield from some_await(context)
    yield coroutine()  # here: yielded no task


@app.orchestration_trigger(context_name="context")
def yields_sleep(context):
    yield from some_await(context)
    yield asyncio.sleep(1)  # here: yielded no task


@app.orchestration_trigger(context_name="context")
def yields_function(context):
    yield from some_await(context)
    yield echo  # here: yielded no task


@app.orchestration_trigger(context_name="context")
def gives_all_numbers(context):
    yield from some_await(context)
    yield context.task_all([1, 2])  # here: no list of tasks


@app.orchestration_trigger(context_name="context")
def gives_all_one_task(context):
    yield from some_await(context)
    yield context.task_all(context.call_activity("echo", 2))  # here: no list of tasks


@app.orchestration_trigger(context_name="context")
def gives_any_generator(context):
    yield from some_await(context)
    yield context.task_any(context.call_activity("echo", n) for n in range(2))  # here: no list of tasks


@app.orchestration_trigger(context_name="context")
def gives_all_dict(context):
    yield from some_await(context)
    yield context.task_all({"a": context.call_activity("echo", 2)})  # here: no list of tasks


@app.orchestration_trigger(context_name="context")
def lists_a_finished_task_twice(context):
    yield from some_await(context)
    task = context.call_activity("echo", 2)
    yield task
    yield context.task_all([task, task])  # here: task listed twice


@app.orchestration_trigger(context_name="context")
def yields_signal(context):
    yield from some_await(context)
    yield context.signal_entity(df.EntityId("Shelf", "k"), "put", 1)  # here: yielded signal


@app.orchestration_trigger(context_name="context")
def lists_signal(context):
    yield from some_await(context)
    signal = context.signal_entity(df.EntityId("Shelf", "k"), "put", 1)
    yield context.task_all([signal, context.call_activity("echo", 2)])  # here: yielded signal


@app.orchestration_trigger(context_name="context")
def yields_none(context):
    yield from some_await(context)
    yield None  # here: nothing awaited


@app.orchestration_trigger(context_name="context")
def waits_for_path(context):
    yield from some_await(context)
    yield context.wait_for_external_event("approvals/ann")  # here: event name


@app.orchestration_trigger(context_name="context")
def waits_for_path_or_another(context):
    yield from some_await(context)
    waits = [context.wait_for_external_event(name) for name in ("fine", "approvals/ann")]
    yield context.task_any(waits)  # here: event name


@app.orchestration_trigger(context_name="context")
def yields_again(context):
    yield from some_await(context)
    task = context.call_activity("echo", 2)
    for _ in range(3_000):
        yield task  # here: recursion


# Times.


@app.orchestration_trigger(context_name="context")
def timer_of_span(context):
    yield from some_await(context)
    yield context.create_timer(timedelta(hours=1))  # here: time span


@app.orchestration_trigger(context_name="context")
def timer_of_number(context):
    yield from some_await(context)
    yield context.create_timer(60)  # here: time span


@app.orchestration_trigger(context_name="context")
def timer_of_text(context):
    yield from some_await(context)
    yield context.create_timer("2030-01-01T00:00:00Z")  # here: time span


@app.orchestration_trigger(context_name="context")
def timer_of_day(context):
    yield from some_await(context)
    yield context.create_timer(date(2030, 1, 1))  # here: time span


@app.orchestration_trigger(context_name="context")
def timer_of_naive_time(context):
    yield from some_await(context)
    yield context.create_timer(datetime(2030, 1, 1))  # here: naive time


# Results of others.


@app.orchestration_trigger(context_name="context")
def reads_box(context):
    yield from some_await(context)
    yield context.call_activity("make_box", None)  # here: result unreadable


@app.orchestration_trigger(context_name="context")
def reads_box_of_many(context):
    yield from some_await(context)
    both = [context.call_activity("echo", 1), context.call_activity("make_box", None)]
    yield context.task_all(both)  # here: result unreadable


# Functions that are none.


@app.orchestration_trigger(context_name="context")
def takes_nothing():
    yield


@app.orchestration_trigger(context_name="context")
def takes_two(context, more):
    yield


@app.orchestration_trigger(context_name="context")
def raises_without_yield(context):
    raise ValueError("raw")  # here: raw failure


@app.orchestration_trigger(context_name="context")
def exits(context):
    yield from some_await(context)
    raise SystemExit(3)  # here: raw failure


@app.orchestration_trigger(context_name="context")
def raises_after_going_on(context):
    yield from some_await(context)
    context.continue_as_new(False)
    raise ValueError("late")  # here: raised when done


@app.orchestration_trigger(context_name="context")
def stops_iteration(context):
    yield from some_await(context)
    raise StopIteration  # here: stop iteration


# Failures of their own, for which no trap is to blame.


@app.orchestration_trigger(context_name="context")
def dumps_set_itself(context):
    yield from some_await(context)
    json.dumps({1, 2})  # here: own failure


@app.orchestration_trigger(context_name="context")
def recurses_itself(context):
    yield from some_await(context)

    def down(n):
        return down(n + 1)

    down(0)


@app.orchestration_trigger(context_name="context")
def compares_spans_itself(context):
    yield from some_await(context)
    return timedelta(1) < 5  # here: own failure


@app.orchestration_trigger(context_name="context")
def fine(context):
    yield from some_await(context)
    return "fine"


@app.activity_trigger(input_name="x")
def echo(x):
    return x


@app.activity_trigger(input_name="nothing")
def make_box(nothing):
    return Box()


@app.entity_trigger(context_name="context")
def Shelf(context):
    context.set_result("empty")
