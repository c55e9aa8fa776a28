"""The plugin in a project of its own, which knows nothing of this repository."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.paths import ROOT

pytest_plugins = ["pytester"]

_APP = """
import azure.durable_functions as df
app = df.DFApp()

@app.activity_trigger(input_name="n")
def Double(n: int) -> int:
    return 2 * n

@app.orchestration_trigger(context_name="context")
def Main(context):
    context.set_custom_status({"working": True})
    return (yield context.call_activity("Double", context.get_input()))

@app.orchestration_trigger(context_name="context")
def Forgetful(context):
    context.call_activity("Double", 1)
    return (yield context.call_activity("Double", 2))
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with an app in a folder, and the plugin switched on."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    folder = pytester.mkdir("shop")
    (folder / "host.json").write_text('{"version": "2.0"}')
    (folder / "function_app.py").write_text(_APP)
    pytester.makeini("[pytest]\ndurable_app = shop\naddopts = -p durable_status.testing.pytest_plugin\n")
    return pytester


def _outcomes(project: pytest.Pytester, *arguments: str) -> dict[str, int]:
    return project.runpytest_inprocess(*arguments).parseoutcomes()


def test_the_fixture_starts_the_app_named_in_the_ini(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_main(durable):
            run = durable.start("Main", 3)
            assert (run.output, run.statuses) == (6, [{"working": True}])
    """)

    assert _outcomes(project) == {"passed": 1}


def test_the_marker_chooses_the_app_and_what_is_allowed(project: pytest.Pytester) -> None:
    other = project.mkdir("other")
    (other / "host.json").write_text('{"version": "2.0"}')
    (other / "function_app.py").write_text(_APP.replace("2 * n", "3 * n"))
    project.makepyfile("""
        import pytest

        @pytest.mark.durable(app="other")
        def test_other_app(durable):
            assert durable.start("Main", 3).output == 9

        @pytest.mark.durable(allow=["unyielded"], extension="2.13")
        def test_allowed(durable):
            assert durable.start("Forgetful").output == 4

        def test_refused(durable):
            durable.start("Forgetful")
    """)

    assert _outcomes(project) == {"passed": 2, "failed": 1}


def test_snapshots_are_accepted_by_a_flag_only(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_story(durable):
            durable.snapshot(durable.start("Main", 3))
    """)

    assert _outcomes(project) == {"failed": 1}
    assert _outcomes(project, "--durable-update") == {"passed": 1}
    assert _outcomes(project) == {"passed": 1}
    (snapshot,) = project.path.rglob("timelines/**/*.txt")
    snapshot.write_text(snapshot.read_text().replace("true", "false"))
    result = project.runpytest_inprocess()
    result.stdout.fnmatch_lines(
        ['*-     0.0s  Running     {"working":false}*', '*+     0.0s  Running     {"working":true}*']
    )


def test_wrong_configuration_is_told_in_one_line(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest

        @pytest.mark.durable(app="nowhere")
        def test_app(durable): ...

        @pytest.mark.durable(allow=["nope"])
        def test_rule(durable): ...

        @pytest.mark.durable(extension="9")
        def test_extension(durable): ...
    """)

    result = project.runpytest_inprocess()

    result.stdout.fnmatch_lines(["*there is no folder*", "*there is no rule 'nope'*", "*there is no extension '9'*"])


def test_no_public_class_looks_like_a_test_to_pytest() -> None:
    import pkgutil

    import durable_status.testing as package

    for module in pkgutil.iter_modules(package.__path__):
        names = vars(__import__(f"{package.__name__}.{module.name}", fromlist=["*"]))
        assert [name for name in names if name.startswith("Test")] == []


def test_the_plugin_imports_nothing_of_the_sdk() -> None:
    code = (
        "import sys, durable_status.testing.pytest_plugin\n"
        "print([name for name in sys.modules if name.startswith(('azure', 'durable_status.replay', 'hypothesis'))])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed == "[]\n"
