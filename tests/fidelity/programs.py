"""Random orchestrators: a small language, its interpreter as a real orchestrator, and strategies that write programs.

A program is JSON, so it travels as the input of one orchestrator, `program`. Statements run one after the other; what
they see is collected and returned.

- ``{"status": value}`` sets the custom status; ``{"raise": text}`` raises; ``{"try": [statements]}`` catches;
- ``{"do": task}`` yields a task; ``{"open": name, "task": task}`` makes one without yielding it, ``{"do": {"open":
  name}}`` yields it later; ``{"signal": key}`` signals the entity;
- tasks: ``activity`` (its input; "fail" fails), ``retry`` (attempts), ``timer`` (seconds), ``event`` (name), ``child``
  (statements), ``entity`` (key), ``all`` and ``any`` (tasks; the timers that lose an ``any`` are cancelled).

``{"body": [...], "again": n}`` continues as new n times.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
from azure.durable_functions.models.Task import TimerTask
from hypothesis import strategies as st

Statement = dict[str, Any]

FAILING_INPUT = "fail"
EVENT_NAMES = ("go", "stop")
ENTITY_KEYS = ("a", "b")


def program(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
    """Run the program in the input."""
    given = context.get_input()
    seen: list[Any] = []
    yield from _run(context, given["body"], seen, {})
    if given.get("again"):
        context.continue_as_new({**given, "again": given["again"] - 1})
        return None
    return seen


def _run(context: Any, body: list[Statement], seen: list[Any], opened: dict[str, Any]) -> Generator[Any, Any, None]:
    for statement in body:
        match statement:
            case {"status": value}:
                context.set_custom_status(value)
            case {"raise": text}:
                raise ValueError(text)
            case {"try": inner}:
                try:
                    yield from _run(context, inner, seen, opened)
                except Exception:
                    seen.append("caught")
            case {"open": name, "task": task}:
                opened[name] = _task(context, task, opened)
            case {"signal": key}:
                context.signal_entity(df.EntityId("Counter", key), "add", 1)
            case {"do": {"any": tasks}}:
                yield from _first(context, tasks, seen, opened)
            case {"do": task}:
                seen.append((yield _task(context, task, opened)))


def _first(context: Any, tasks: list[Any], seen: list[Any], opened: dict[str, Any]) -> Generator[Any, Any, None]:
    children = [_task(context, task, opened) for task in tasks]
    winner = yield context.task_any(children)
    seen.append(next(index for index, child in enumerate(children) if child is winner))
    for child in children:
        if isinstance(child, TimerTask) and not child.is_completed and not child.is_cancelled:
            child.cancel()


def _task(context: Any, task: Any, opened: dict[str, Any]) -> Any:
    match task:
        case {"activity": value}:
            return context.call_activity("Echo", value)
        case {"retry": attempts, "activity": value}:
            return context.call_activity_with_retry("Echo", df.RetryOptions(5_000, attempts), value)
        case {"retry": attempts}:
            return context.call_activity_with_retry("Echo", df.RetryOptions(5_000, attempts), FAILING_INPUT)
        case {"timer": seconds}:
            return context.create_timer(context.current_utc_datetime + timedelta(seconds=seconds))
        case {"event": name}:
            return context.wait_for_external_event(name)
        case {"child": body}:
            return context.call_sub_orchestrator("Program", {"body": body})
        case {"entity": key}:
            return context.call_entity(df.EntityId("Counter", key), "add", 1)
        case {"all": tasks}:
            return context.task_all([_task(context, item, opened) for item in tasks])
        case {"any": tasks}:
            return context.task_any([_task(context, item, opened) for item in tasks])
        case {"open": name}:
            return opened.get(name) or context.call_activity("Echo", name)
    raise AssertionError(f"no such task: {task}")


def counter(context: df.DurableEntityContext) -> None:
    """An entity that adds up what it is given and answers with the sum."""
    total = context.get_state(lambda: 0) + context.get_input()
    context.set_state(total)
    context.set_result(total)


_VALUES = st.sampled_from([0, 7, "x", "", None, {"k": [1.5, True]}, "é", FAILING_INPUT])
_ACTIVITY = st.builds(lambda value: {"activity": value}, _VALUES)
_RETRY = st.builds(lambda attempts: {"retry": attempts}, st.integers(1, 3))
_RETRY_OF_SUCCESS = st.builds(lambda attempts: {"retry": attempts, "activity": 1}, st.integers(1, 2))
_TIMER = st.builds(lambda seconds: {"timer": seconds}, st.integers(1, 90))
_EVENT = st.builds(lambda name: {"event": name}, st.sampled_from(EVENT_NAMES))
_ENTITY = st.builds(lambda key: {"entity": key}, st.sampled_from(ENTITY_KEYS))


def tasks(*, retries_in_any: bool, entities: bool) -> st.SearchStrategy[Any]:
    """Single tasks and nested compounds of them."""
    plain = [_ACTIVITY, _TIMER, _EVENT]
    single = st.one_of(*plain, _RETRY, _RETRY_OF_SUCCESS, *([_ENTITY] if entities else []))
    raced = single if retries_in_any else st.one_of(*plain)

    def compound(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.one_of(
            st.builds(lambda items: {"all": items}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda items: {"any": items}, st.lists(st.one_of(raced, inner), min_size=1, max_size=3)),
        )

    return st.one_of(single, st.recursive(raced, compound, max_leaves=4))


def bodies(
    task: st.SearchStrategy[Any], *, depth: int, children: bool, entities: bool
) -> st.SearchStrategy[list[Statement]]:
    """Lists of statements; children and try blocks have bodies of their own."""
    simple = [
        st.builds(lambda value: {"status": value}, _VALUES),
        *[st.builds(lambda item: {"do": item}, task)] * 4,
        st.builds(lambda name, item: {"open": name, "task": item}, st.sampled_from("pq"), task),
        st.builds(lambda name: {"do": {"open": name}}, st.sampled_from("pq")),
        *([st.builds(lambda key: {"signal": key}, st.sampled_from(ENTITY_KEYS))] if entities else []),
    ]
    if depth:
        inner = bodies(task, depth=depth - 1, children=children, entities=entities)
        simple += [
            st.builds(lambda body: {"try": body}, inner),
            st.builds(lambda body: {"try": [*body, {"raise": "on purpose"}]}, inner),
        ]
    if depth and children:
        simple += [
            st.builds(lambda body: {"do": {"child": body}}, inner),
            st.builds(lambda body, item: {"do": {"all": [{"child": body}, item]}}, inner, task),
        ]
    return st.lists(st.one_of(*simple), min_size=1, max_size=5)


def programs(*, alone: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Whole programs; with `alone` of one instance that neither starts children nor talks to entities.

    Those have no retries in a race either: one that loses shifts ids with the batching (replay.md §6, trap 21).
    """
    task = tasks(retries_in_any=not alone, entities=not alone)
    body = bodies(task, depth=2, children=not alone, entities=not alone)
    ends = st.sampled_from([[], [], [], [{"raise": "on purpose"}]])
    return st.builds(
        lambda first, last, times: {"body": [*first, *last], "again": times}, body, ends, st.integers(0, 2)
    )
