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


@pytest.fixture
def storage_project(project: pytest.Pytester) -> pytest.Pytester:
    """The project with npm packages."""
    (project.path / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)
    return project


@pytest.mark.needs_azurite
def test_every_test_has_a_task_hub_of_its_own_in_one_azurite(storage_project: pytest.Pytester) -> None:
    storage_project.makepyfile("""
        import pytest
        from azure.data.tables import TableServiceClient
        from azure.storage.blob import BlobServiceClient
        from azure.storage.queue import QueueServiceClient

        seen = set()

        @pytest.mark.parametrize("number", [1, 2])
        def test_hub(azurite, task_hub, number):
            account, hub = azurite.connection_string, task_hub.name
            seen.add((azurite.pid, hub))
            assert len({pid for pid, _ in seen}) == 1
            assert len({hub for _, hub in seen}) == number
            assert task_hub.settings == {
                "AzureWebJobsStorage": account,
                "AzureFunctionsJobHost__extensions__durableTask__hubName": hub,
            }
            with TableServiceClient.from_connection_string(account) as tables:
                assert not list(tables.list_tables())
                for table in ("Instances", "History", "Partitions"):
                    tables.create_table(hub + table)
            with QueueServiceClient.from_connection_string(account) as queues:
                assert not list(queues.list_queues())
                queues.create_queue(f"{hub.lower()}-workitems")
            with BlobServiceClient.from_connection_string(account) as blobs:
                assert not list(blobs.list_containers())
                blobs.create_container(f"{hub.lower()}-largemessages")
    """)

    assert _outcomes(storage_project) == {"passed": 2}


@pytest.mark.needs_azurite
def test_a_task_hub_goes_quietly_when_its_azurite_has_gone(storage_project: pytest.Pytester) -> None:
    storage_project.makepyfile("def test_hub(azurite, task_hub): azurite.kill()")

    assert _outcomes(storage_project) == {"passed": 1}


def test_a_test_that_needs_azurite_fails_with_the_cure_when_node_is_missing(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(project.path))
    project.makepyfile("def test_hub(task_hub): ...")

    result = project.runpytest_inprocess()

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(["Azurite needs Node.js, *; install Node.js 18 or newer, then run npm ci."])


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
