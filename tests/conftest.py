"""Settings of all tests, and the Azurite of those that stop it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from hypothesis import settings

from durable_status.testing.azurite import Azurite
from tests.paths import ROOT

# How long an example takes says something about the machine only.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


@pytest.fixture
def own_azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """A running Azurite with a folder, for one test, which may stop, kill and start it."""
    with Azurite(tmp_path_factory.mktemp("own_azurite"), project=ROOT) as running:
        yield running


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker of tests that need Azurite and have no fixture that says so."""
    config.addinivalue_line("markers", "needs_azurite: starts Azurite, so it is skipped where Node.js is missing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Node.js, skip what needs Azurite; `-ra` prints that, and so does dev.py."""
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if not missing:
        return
    skipped = pytest.mark.skip(reason=f"Azurite needs Node.js 18 or newer and npm; missing: {', '.join(missing)}")
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if item.get_closest_marker("needs_azurite") or not {"azurite", "own_azurite"}.isdisjoint(fixtures):
            item.add_marker(skipped)
