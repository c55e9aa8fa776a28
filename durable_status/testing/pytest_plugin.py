"""The pytest plugin: the fixture `durable`, its marker and options, and the fixtures `azurite` and `task_hub`.

Nothing of the SDKs is imported before a test asks for a fixture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # for the annotations only: importing them takes half a second
    from durable_status.testing.azurite import Azurite
    from durable_status.testing.bench import DurableBench
    from durable_status.testing.fresh_task_hub import FreshTaskHub

_SNAPSHOT_FOLDER = "timelines"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("durable-status")
    group.addoption("--durable-update", action="store_true", help="accept the timelines that this run sees")
    parser.addini("durable_app", "folder of the app under test (the one with host.json), or script:app", default=".")
    parser.addini("durable_extension", "line of the durable extension to be: 3 or 2.13", default="3")


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker."""
    config.addinivalue_line(
        "markers",
        "durable(app=None, extension=None, allow=()): another app folder, another extension, or rules that this "
        "test's orchestrators may break",
    )


@pytest.fixture
def durable(request: pytest.FixtureRequest) -> DurableBench:
    """Starts, explores and replays the app's orchestrations (`durable_status.testing.bench.DurableBench`)."""
    from durable_status.testing.bench import DurableBench
    from durable_status.testing.snapshots import Snapshots

    options = _marked(request)
    folder, script = _app_place(request.config, options.get("app"))
    return DurableBench.of_folder(
        folder,
        script=script,
        extension=str(options.get("extension") or request.config.getini("durable_extension")),
        allow=tuple(options.get("allow", ())),
        snapshots=Snapshots(
            folder=request.path.parent / _SNAPSHOT_FOLDER / request.path.stem,
            stem=re.sub(r"[^\w.-]+", "-", request.node.name).strip("-"),
            accepts=bool(request.config.getoption("--durable-update")),
        ),
    )


@pytest.fixture(scope="session")
def azurite(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A running Azurite, one for all tests of a process (`durable_status.testing.azurite.Azurite`).

    A test that stops it spoils it for the others; such a test starts an `Azurite` of its own.
    """
    from durable_status.testing.azurite import Azurite
    from durable_status.testing.errors import HarnessError

    running = Azurite(tmp_path_factory.mktemp("azurite"), project=request.config.rootpath)
    try:
        running.start()
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)
    yield running
    running.stop()


@pytest.fixture
def task_hub(azurite: Azurite) -> Iterator[FreshTaskHub]:
    """A task hub in Azurite for one test, deleted after it (`durable_status.testing.fresh_task_hub.FreshTaskHub`)."""
    try:
        from durable_status.testing.fresh_task_hub import FreshTaskHub
    except ModuleNotFoundError as error:
        pytest.fail(f"{error}; task_hub needs the extra azure: pip install 'durable-status[azure]'", pytrace=False)

    hub = FreshTaskHub(azurite.connection_string)
    yield hub
    hub.delete()


def _marked(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The marker's options; those of the test count before those of its class and module."""
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("durable"))):
        options |= marker.kwargs
    return options


def _app_place(config: pytest.Config, marked: str | Path | None) -> tuple[Path, str | None]:
    """The app's folder and script: ``function_app:app`` names a script at the root, all else a folder."""
    text = str(marked or config.getini("durable_app"))
    script, colon, _ = text.partition(":")
    if colon and not Path(text).is_absolute():
        path = config.rootpath / f"{script.replace('.', '/')}.py"
        return path.parent, path.name
    return config.rootpath / text, None
