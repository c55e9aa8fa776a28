"""Conditions on rows, as the table service takes them (storage.md §5). Keys are indexed; all else is a scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from durable_status.instance_status import RuntimeStatus
from durable_status.stored_json import well_formed
from durable_status.task_hub.names import escape_key
from durable_status.task_hub.tables import time_text

_LAST_BEFORE_SURROGATES = "\ud7ff"


def all_of(conditions: Iterable[str]) -> str:
    """What meets all conditions; empty, which is everything, without any."""
    return " and ".join(conditions)


def of_partition(partition_key: str) -> str:
    """The rows of one instance, by its escaped id."""
    return f"PartitionKey eq {quoted(partition_key)}"


def after_partition(partition_key: str) -> str:
    """The rows of all instances behind one."""
    return f"PartitionKey gt {quoted(partition_key)}"


def of_execution(partition_key: str, execution_id: str) -> str:
    """The history of one execution, and the sentinel that names it."""
    return all_of((of_partition(partition_key), f"ExecutionId eq {quoted(execution_id)}"))


def with_prefix(prefix: str) -> Iterator[str]:
    """The rows of instances whose ids begin with a text that is not empty, and maybe of some more."""
    key = escape_key(well_formed(prefix))
    yield f"PartitionKey ge {quoted(key)}"
    if key[-1] < _LAST_BEFORE_SURROGATES:  # above them, the order of the service is not ours
        yield f"PartitionKey lt {quoted(key[:-1] + chr(ord(key[-1]) + 1))}"


def created(first: str | None, last: str | None) -> Iterator[str]:
    """What was created in a span of time, ends included; None is no end. Times are UTC texts."""
    if first is not None:
        yield f"CreatedTime ge datetime'{time_text(first)}'"
    if last is not None:
        yield f"CreatedTime le datetime'{time_text(last)}'"


def with_status(statuses: Iterable[RuntimeStatus]) -> str:
    """What has one of these statuses."""
    return "(" + " or ".join(f"RuntimeStatus eq {quoted(status)}" for status in sorted(statuses)) + ")"


def quoted(text: str) -> str:
    """A text as a condition holds it."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
