"""The harness runs apps with a folder per function as the worker calls them."""

from __future__ import annotations

from pathlib import Path

import pytest

from durable_status.app.errors import AppError
from durable_status.testing.bench import DurableBench
from tests.paths import APPS


@pytest.fixture
def bench() -> DurableBench:
    return DurableBench.of_folder(APPS / "trigger_objects")


@pytest.mark.conforms("H5-49")
def test_a_handle_that_is_called_with_the_body_of_the_trigger_runs_and_is_observed(bench: DurableBench) -> None:
    run = bench.start("Orch", "in")

    assert (run.output, run.status) == (["in", "Where"], "counting")
    assert bench.start("AsyncOrch").output == "Where"


@pytest.mark.conforms("H5-44")
def test_an_app_that_the_platform_would_load_nothing_of_is_not_tested(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "lost_app.py").write_text(
        "import azure.durable_functions as df\napp = df.DFApp()\n"
        '@app.activity_trigger(input_name="x")\ndef bad(x: list[int]): ...\n'
        '@app.activity_trigger(input_name="x")\ndef good(x): ...\n'
    )

    with pytest.raises(AppError, match=r"Function 'bad' cannot be loaded .* this app has no function at all"):
        DurableBench.of_folder(tmp_path, script="lost_app.py")
