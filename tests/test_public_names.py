"""The names that users import."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

import durable_status
from durable_status.app.errors import AppError
from durable_status.client.status_client import AsyncStatusClient, StatusClient
from durable_status.client.task_hub_reader import AsyncTaskHubReader, TaskHubReader
from durable_status.errors import DurableStatusError, StatusEncodeError
from durable_status.local_host import errors as host_errors


def test_the_librarys_names_are_these() -> None:
    assert durable_status.__all__ == [
        "MAX_STATUS_BYTES",
        "DurableStatusError",
        "Failure",
        "HostError",
        "InstanceEndedError",
        "InstanceFailedError",
        "InstanceNotFoundError",
        "InstanceStateError",
        "InstanceStatus",
        "Offloaded",
        "PayloadError",
        "PayloadMissingError",
        "PayloadStore",
        "Progress",
        "RecentItems",
        "RefusedError",
        "RuntimeStatus",
        "StatusDecodeError",
        "StatusEncodeError",
        "WaitTimeoutError",
        "clear_custom_status",
        "publish_status",
        "set_custom_status",
        "wait_all",
        "wait_with_reports",
    ]


def test_every_name_is_importable_and_nothing_else_is_public() -> None:
    submodules = {path.stem for path in Path(durable_status.__file__).parent.iterdir()}
    # pytest adds names with @ to the modules of a package that holds a plugin: it rewrites their assertions.
    public = {name for name in vars(durable_status) if not name.startswith(("_", "@"))} - submodules

    assert public == set(durable_status.__all__)


def test_what_the_library_raises_has_one_root() -> None:
    raised = {StatusEncodeError, AppError} | {
        value for value in vars(host_errors).values() if isinstance(value, type) and issubclass(value, Exception)
    }

    assert all(issubclass(kind, DurableStatusError) for kind in raised)


def test_the_trees_in_the_docstrings_are_the_classes() -> None:
    for module_name in ("durable_status.errors", "durable_status.local_host.errors"):
        module = importlib.import_module(module_name)
        own = {
            name
            for name, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == module_name
        }
        assert module.__doc__
        assert {word for word in module.__doc__.split() if word.endswith("Error")} == own


_READING = {"get_status", "list_statuses", "watch", "wait_for_status", "wait_for_completion"}


def _verbs(kind: type) -> dict[str, list[str]]:
    """The verbs of a client and the names of their arguments."""
    return {
        name: list(inspect.signature(value).parameters)
        for name, value in inspect.getmembers(kind, callable)
        if not name.startswith("_")
    }


@pytest.mark.parametrize(
    ("kind", "for_asyncio"), [(StatusClient, AsyncStatusClient), (TaskHubReader, AsyncTaskHubReader)]
)
def test_clients_of_both_kinds_have_the_same_verbs(kind: type, for_asyncio: type) -> None:
    assert _verbs(kind) == _verbs(for_asyncio)


def test_a_reader_of_a_task_hub_has_the_verbs_of_the_other_clients_that_change_nothing() -> None:
    reader, client = _verbs(TaskHubReader), _verbs(StatusClient)

    assert set(reader) == _READING | {"close", "from_connection_string", "from_settings", "get_history"}
    for verb in _READING:
        shared = [name for name in client[verb] if name != "show_history"]  # which has a verb of its own
        assert [name for name in reader[verb] if name != "show_output"] == shared


def test_the_library_is_typed() -> None:
    assert (Path(durable_status.__file__).parent / "py.typed").is_file()
