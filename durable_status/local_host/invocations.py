"""Says when a function is called and how that ended, a line each, and what it put where nothing is."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from durable_status.app.bindings import Output
from durable_status.app.functions import AppFunction
from durable_status.local_host.log_categories import of_function

logger = logging.getLogger(__name__)

_LONGEST_OUTPUT = 500  # characters, in a log line


_instance_id: ContextVar[str | None] = ContextVar("instance_id", default=None)


@contextmanager
def on_behalf_of(instance_id: str) -> Iterator[None]:
    """Name this instance in the lines of the calls that the context makes, in this thread or task."""
    before = _instance_id.set(instance_id)
    try:
        yield
    finally:
        _instance_id.reset(before)


@contextmanager
def invocation(function_name: str, invocation_id: str | None = None) -> Iterator[None]:
    """Log the start and the end of a call, in the words of ``func start``."""
    if not logger.isEnabledFor(logging.INFO):
        yield
        return
    number = invocation_id or str(uuid.uuid4())
    instance_id = _instance_id.get()
    caller = "" if instance_id is None else f", Instance='{instance_id}'"
    began = time.perf_counter()
    about = of_function(function_name)
    logger.info("Executing 'Functions.%s' (Id=%s%s)", function_name, number, caller, extra=about)
    outcome = "Failed"
    try:
        yield
        outcome = "Succeeded"
    finally:
        milliseconds = round((time.perf_counter() - began) * 1000)
        level = logging.INFO if outcome == "Succeeded" else logging.ERROR
        logger.log(
            level,
            "Executed 'Functions.%s' (%s, Id=%s, Duration=%dms%s)",
            function_name,
            outcome,
            number,
            milliseconds,
            caller,
            extra=about,
        )


def tell_outputs(function: AppFunction, arguments: Mapping[str, Any]) -> None:
    """Log what a function has put into outputs that this host does not have."""
    for binding in function.foreign_outputs:
        output = arguments.get(binding["name"])
        if isinstance(output, Output) and output.get() is not None:
            logger.warning(
                "Function '%s': '%s' (%s) goes nowhere on this host: %s",
                function.name,
                binding["name"],
                binding["type"],
                str(output.get())[:_LONGEST_OUTPUT],
                extra=of_function(function.name),
            )
