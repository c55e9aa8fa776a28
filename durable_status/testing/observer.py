"""Drives the SDK's own handle and notes what user code does in each call: statuses, tasks, yields, forbidden calls.

The orchestrator is called at the host wire, JSON text in and out. The user's function stays as it is; what is observed
is observed from its two edges: the context it is given, and what it yields.
"""

from __future__ import annotations

import functools
import importlib
import reprlib
import sys
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import GeneratorType
from typing import Any, Self

from durable_status.app.action_lines import (
    ActionLines,
    Place,
    noting_lines,
    place_of_call,
    place_of_definition,
    place_of_generator,
    place_text,
    placed,
)
from durable_status.app.functions import AppFunction
from durable_status.app.python_worker import (
    call_in_thread,
    close_coroutines,
    exception_texts,
    trigger_arguments,
    unwritten_action,
)
from durable_status.app.sdk import speed_up_sdk
from durable_status.replay.failures import WorkerFailure
from durable_status.testing.errors import Finding, HarnessError
from durable_status.testing.guard import watching

_CALLS = (
    "call_activity",
    "call_activity_with_retry",
    "call_sub_orchestrator",
    "call_sub_orchestrator_with_retry",
    "call_entity",
    "call_http",
)
_WAIT = "wait_for_external_event"
_EXECUTOR = ("azure.durable_functions.models.TaskOrchestrationExecutor", "TaskOrchestrationExecutor")

INVOCATION_ID = "00000000-0000-0000-0000-000000000000"
"""Of every call: tests are repeatable."""

_Observed = Callable[[Callable[[Any], Any]], Any]
_observed_by: ContextVar[_Observed | None] = ContextVar("_observed_by", default=None)


@dataclass(frozen=True, slots=True)
class Call:
    """A task that user code made, and by which method."""

    method: str
    target: str
    """The name of what is called; for an event its name."""
    task: Any
    place: Place | None


@dataclass(slots=True)
class Observation:
    """What one call of the orchestrator did."""

    answer: str | None = None
    """The SDK's answer; None when it raised."""
    statuses: list[Any] = field(default_factory=list)
    """What `set_custom_status` was called with, in order."""
    calls: list[Call] = field(default_factory=list)
    waits: list[Call] = field(default_factory=list)
    """The external events that were waited for."""
    findings: list[Finding] = field(default_factory=list)
    failure: WorkerFailure | None = None
    """Why it raised."""
    lines: ActionLines = field(default_factory=ActionLines)

    def report(self, finding: Finding) -> None:
        """Note a broken rule, once."""
        if finding not in self.findings:
            self.findings.append(finding)


class ObservedOrchestrator:
    """The SDK's handle of one orchestrator function; `last` says what its latest call did."""

    def __init__(self, handle: Callable[[Any], str], place: str | None, *, guarded: bool = True) -> None:
        """Take what answers a trigger by running an orchestrator in the SDK, and where that one is defined."""
        speed_up_sdk()
        _hook_sdk()
        self.place = place
        """Where it is defined, if that is known."""
        self._handle = handle
        self._guarded = guarded
        self.last = Observation()
        self.trigger: Any = None

    @classmethod
    def of_code(cls, function: Any, *, guarded: bool = True) -> Self:
        """Take a decorated function, the SDK's handle of one, or a plain orchestrator function."""
        handle = _handle(function)
        return cls(handle, place_of_definition(handle), guarded=guarded)

    @classmethod
    def of_app(cls, function: AppFunction, *, guarded: bool = True) -> Self:
        """Take a function of an app, which is given the trigger as the worker gives it."""

        def handle(trigger: str) -> str:
            answer: str = call_in_thread(function, trigger_arguments(function, trigger, INVOCATION_ID), INVOCATION_ID)
            return answer

        return cls(handle, place_of_definition(function.call), guarded=guarded)

    def __call__(self, trigger: Any) -> str:
        """One call at the host wire: `trigger` is JSON text, or an object with it as `body`."""
        self.last = observation = Observation()
        self.trigger = trigger
        try:
            with _observing(self._observed), warnings.catch_warnings():
                # Where warnings are errors, as in many test suites, the SDK would behave otherwise (replay.md §6.16).
                warnings.filterwarnings("ignore", module=r"azure\.")
                with noting_lines() as observation.lines:
                    answer = self._handle(trigger)
        except (Exception, SystemExit) as error:
            close_coroutines(error)
            observation.lines.note_failure(error)
            observation.failure = worker_failure(error)
            raise observation.failure from error
        observation.answer = answer
        return answer

    def answers_the_same(self) -> bool:
        """Put the latest trigger again, and compare; `last` stays what it was."""
        first, guarded = self.last, self._guarded
        self._guarded = False  # has been watched the first time
        try:
            again: str | None = self(self.trigger)
        except WorkerFailure:
            again = None
        self.last, self._guarded = first, guarded
        return again == first.answer

    def _observed(self, user_function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def observed(context: Any) -> Any:
            observation = self.last
            _attach(context, observation)
            with self._watching(context):
                result = user_function(context)
            return self._drive(result, context) if isinstance(result, GeneratorType) else result

        return observed

    def _drive(self, user_code: Generator[Any, Any, Any], context: Any) -> Generator[Any, Any, Any]:
        """Stand between the SDK and the user's generator; nothing that passes is changed."""
        resume: Callable[[Any], Any] = user_code.send
        value: Any = None
        while True:
            with self._watching(context):
                try:
                    task = resume(value)
                except StopIteration as stop:
                    return stop.value
            if task is not None or not context.will_continue_as_new:  # after which nothing is waited for
                _check_yield(task, user_code, self.last)
            try:
                resume, value = user_code.send, (yield task)
            except GeneratorExit:
                user_code.close()
                raise
            except Exception as error:
                resume, value = user_code.throw, error

    def _watching(self, context: Any) -> AbstractContextManager[None]:
        """Watch what runs for the first time; a replay does again what has been watched."""
        return watching(self.last.report) if self._guarded and not context.is_replaying else nullcontext()


def worker_failure(error: BaseException) -> WorkerFailure:
    """What the Python worker reports of an exception."""
    return WorkerFailure(*exception_texts(error), unwritten_action=unwritten_action(error))


def _handle(function: Any) -> Any:
    """The SDK's handle of whatever stands for an orchestrator in user code."""
    built = getattr(getattr(function, "_function", None), "_func", function)  # of a decorated function
    if hasattr(built, "orchestrator_function"):
        return built
    if not callable(built):
        raise HarnessError(f"{function!r} is no orchestrator; pass the decorated function or the generator function.")
    if "create.<locals>" in getattr(built, "__qualname__", ""):
        return built
    from azure.durable_functions import Orchestrator as SdkOrchestrator

    return SdkOrchestrator.create(built)


@contextmanager
def _observing(observed: _Observed) -> Iterator[None]:
    """Run orchestrator functions as `observed` makes them, while the context lasts."""
    token = _observed_by.set(observed)
    try:
        yield
    finally:
        _observed_by.reset(token)


@functools.cache  # once per process
def _hook_sdk() -> None:
    """Stand where the SDK calls the user's function: the app's code may have the SDK's handle anywhere."""
    executor = importlib.import_module(_EXECUTOR[0])
    original = getattr(executor, _EXECUTOR[1])
    execute = original.execute

    def observed_execute(self: Any, context: Any, history: Any, fn: Any) -> Any:
        observed = _observed_by.get()
        return execute(self, context, history, fn if observed is None else observed(fn))

    original.execute = observed_execute


def _attach(context: Any, observation: Observation) -> None:
    set_status = context.set_custom_status

    def set_custom_status(status: Any) -> None:
        observation.statuses.append(status)
        set_status(status)

    context.set_custom_status = set_custom_status
    for method in _CALLS:
        setattr(context, method, _noting(getattr(context, method), method, observation.calls))
    context.wait_for_external_event = _noting(context.wait_for_external_event, _WAIT, observation.waits)


def _noting(make: Callable[..., Any], method: str, calls: list[Call]) -> Callable[..., Any]:
    def noting(*arguments: Any, **named: Any) -> Any:
        task = make(*arguments, **named)
        target = arguments[0] if arguments else next(iter(named.values()), "")
        place = place_of_call(sys._getframe(1))
        calls.append(Call(method, str(getattr(target, "_function", target)), task, place))
        return task

    return noting


def _check_yield(task: Any, user_code: Generator[Any, Any, Any], observation: Observation) -> None:
    from azure.durable_functions.models.Task import TaskBase

    if not isinstance(task, TaskBase):
        sentence = (
            f"The orchestrator yields {reprlib.repr(task)}, which is no task: on the platform the instance hangs or "
            "fails. Yield what a context method returns, lists through task_all or task_any, and a helper that yields "
            "through yield from."
        )
        place = place_text(place_of_generator(user_code))
        observation.report(Finding(rule="yield", text=placed(place, sentence)))
