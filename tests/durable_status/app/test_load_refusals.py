"""Loading an app from its folder, and what is in the way of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from durable_status.app.errors import AppError
from durable_status.app.functions import App
from durable_status.app.load import load_app

_APP = "import azure.durable_functions as df\napp = df.DFApp()\n"
_ACTIVITY = '\n@app.activity_trigger(input_name="x")\ndef {}(x):\n    return x\n'


@pytest.fixture(autouse=True)
def _modules_of_this_test_only(tmp_path: Path) -> Iterator[None]:
    modules, path = dict(sys.modules), list(sys.path)
    yield
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(tmp_path):
            del sys.modules[name]
    sys.modules.update({name: module for name, module in modules.items() if name not in sys.modules})
    sys.path[:] = path


def _load(root: Path, script: str, environment: dict[str, str] | None = None, **files: str) -> App:
    (root / "host.json").write_text(files.pop("host_json", '{"version": "2.0"}'))
    (root / "function_app.py").write_text(script)
    for name, text in files.items():
        (root / name.replace("__", ".")).write_text(text)
    return load_app(root, {} if environment is None else environment)


def _refusal(root: Path, script: str = _APP, **files: str) -> str:
    with pytest.raises(AppError) as refused:
        _load(root, script, **files)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_an_app_is_its_root_its_settings_and_its_functions(tmp_path: Path) -> None:
    app = _load(tmp_path, _APP + _ACTIVITY.format("Echo"))

    assert app.root == tmp_path
    assert [function.name for function in app.functions] == ["Echo"]
    assert app.settings.hub_name == "TestHubName"
    assert app.local_settings.values == {}


def test_an_app_without_http_functions_is_loaded_without_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _load(tmp_path, _APP + _ACTIVITY.format("Echo"))

    assert caplog.messages == []


def test_local_settings_reach_the_app_but_lose_to_the_environment(tmp_path: Path) -> None:
    settings = '{"IsEncrypted": false, "Values": {"ONE": "file", "TWO": "file", "THREE": "file", "N": 3, "B": true}}'
    environment = {"TWO": "shell", "THREE": ""}
    _load(tmp_path, _APP + _ACTIVITY.format("Echo"), environment, local__settings__json=settings)

    assert environment == {"ONE": "file", "TWO": "shell", "THREE": "file", "N": "3", "B": "True"}


def test_a_setting_in_host_json_is_expanded_from_local_settings(tmp_path: Path) -> None:
    app = _load(
        tmp_path,
        _APP + _ACTIVITY.format("Echo"),
        host_json='{"version": "2.0", "extensions": {"durableTask": {"hubName": "%HUB%"}}}',
        local__settings__json='{"Values": {"HUB": "MyHub"}, "Host": {"LocalHttpPort": 7099}}',
    )

    assert (app.settings.hub_name, app.local_settings.http_port) == ("MyHub", 7099)


def test_another_script_may_be_named_by_setting(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(_APP + _ACTIVITY.format("Other"))
    app = _load(tmp_path, "raise SystemExit", {"PYTHON_SCRIPT_FILE_NAME": "other.py"})

    assert [function.name for function in app.functions] == ["Other"]


def test_modules_beside_the_script_are_found(tmp_path: Path) -> None:
    app = _load(tmp_path, "from parts_of_it import app\n", parts_of_it__py=_APP + _ACTIVITY.format("Far"))

    assert [function.name for function in app.functions] == ["Far"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=rf"^there is no folder {tmp_path}/nowhere\.$"):
        load_app(tmp_path / "nowhere", {})


def test_a_folder_without_host_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text(_APP)
    with pytest.raises(AppError, match=r"there is no host.json in .*at least {\"version\": \"2.0\"}"):
        load_app(tmp_path, {})


def test_a_folder_without_a_script_is_refused(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    with pytest.raises(AppError, match=r"there is no function_app.py in .*; name the app's folder with --app\."):
        load_app(tmp_path, {})


@pytest.mark.parametrize("with_requirements", [True, False])
def test_missing_packages_name_the_command_that_cures_it(tmp_path: Path, with_requirements: bool) -> None:
    files = {"requirements__txt": "a\n"} if with_requirements else {}
    refusal = _refusal(tmp_path, "\nimport of_another_world.part\n", **files)

    what = f"-r {tmp_path}/requirements.txt" if with_requirements else "of_another_world"
    assert refusal == (
        "function_app.py needs the module 'of_another_world', which is not installed (function_app.py, line 2). "
        f"Run: {sys.executable} -m pip install {what}"
    )


def test_the_place_is_the_innermost_line_of_the_apps_own(tmp_path: Path) -> None:
    refusal = _refusal(tmp_path, "import helper_of_it\n", helper_of_it__py="import json\n\njson.loads('{')\n")

    assert refusal.startswith("function_app.py cannot be imported: JSONDecodeError: ")
    assert refusal.endswith("(helper_of_it.py, line 3)")


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("price = 1 / 0\n", "ZeroDivisionError: division by zero (function_app.py, line 1)"),
        ("def (:\n", "SyntaxError: invalid syntax (function_app.py, line 1)"),
        ("import sys\nsys.exit(3)\n", "SystemExit: 3 (function_app.py, line 2)"),
        ("raise ValueError('two\\nlines')\n", "ValueError: two lines (function_app.py, line 1)"),
    ],
)
def test_a_script_that_cannot_be_imported_is_told_in_one_line(tmp_path: Path, script: str, told: str) -> None:
    assert _refusal(tmp_path, script) == f"function_app.py cannot be imported: {told}"


def test_a_script_without_an_app_or_with_two_is_refused(tmp_path: Path) -> None:
    assert "has no app object; it needs one, such as `app = df.DFApp()`" in _refusal(tmp_path, "x = 1\n")
    assert "has more than one app object (app, other)" in _refusal(tmp_path, f"{_APP}other = df.DFApp()\n")


@pytest.mark.conforms("H5-9", "H5-47")
def test_two_functions_of_one_name_are_refused(tmp_path: Path) -> None:
    assert "same" in _refusal(tmp_path, _APP + _ACTIVITY.format("same") * 2)
    assert "'Same' and 'same' differ in case only" in _refusal(
        tmp_path, _APP + _ACTIVITY.format("Same") + _ACTIVITY.format("same")
    )


@pytest.mark.conforms("H5-47")
@pytest.mark.parametrize("second", ["Same", "same"])
def test_two_activities_under_one_durable_name_are_loaded_and_one_is_called(tmp_path: Path, second: str) -> None:
    named = '\n@app.activity_trigger(input_name="x", activity="{}")\ndef {}(x):\n    return x\n'
    app = _load(tmp_path, _APP + named.format("Same", "one") + named.format(second, "two"))

    assert [function.name for function in app.functions] == ["one", "two"]
    assert app.problems == (
        f"The functions 'one' and 'two' are both registered as '{second}': only 'two' is called. "
        "Give each activityTrigger a name of its own.",
    )


def test_an_activity_and_an_orchestrator_may_share_a_name_if_their_functions_do_not(tmp_path: Path) -> None:
    orchestrator = (
        '\n@app.orchestration_trigger(context_name="context", orchestration="Same")\ndef two(context):\n    return 1\n'
    )
    app = _load(tmp_path, _APP + _ACTIVITY.replace('"x"', '"x", activity="Same"').format("one") + orchestrator)

    assert [function.durable_name for function in app.functions] == ["Same", "Same"]


@pytest.mark.conforms("H5-44")
def test_a_function_that_the_worker_refuses_is_a_problem_and_costs_the_platform_the_whole_app(tmp_path: Path) -> None:
    broken = '\n@app.activity_trigger(input_name="x")\ndef Broken(y):\n    return y\n'
    app = _load(tmp_path, _APP + _ACTIVITY.format("Fine") + broken)

    assert [function.name for function in app.functions] == ["Fine"]
    assert app.problems == (
        "Function 'Broken' cannot be loaded (function_app.py, line 8): the bindings ['x'] are declared but are not "
        "parameters of the Python function.",
    )
    assert app.loss == (
        "On the platform this app has no function at all, because the Python worker gives up on all of them when it "
        "refuses one: mend 'Broken'."
    )


@pytest.mark.conforms("H5-44")
def test_a_function_that_only_the_host_refuses_costs_the_platform_nothing_else(tmp_path: Path) -> None:
    broken = '\n@app.activity_trigger(input_name="a__b")\ndef Broken(a__b):\n    return a__b\n'
    app = _load(tmp_path, _APP + _ACTIVITY.format("Fine") + broken)

    assert [function.name for function in app.functions] == ["Fine"]
    assert app.loss is None


@pytest.mark.conforms("H5-45")
@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("@app.route()\ndef f(req: str): return req", "'req' must be annotated func.HttpRequest, or not at all."),
        ("@app.route()\ndef f(req: bytes): return req", "'req' must be annotated func.HttpRequest, or not at all."),
        (
            '@app.route()\n@app.durable_client_input(client_name="c")\ndef f(req, c): return "x"',
            "a function with a durable client must be `async def`, without yield.",
        ),
        (
            '@app.route()\n@app.durable_client_input(client_name="c")\nasync def f(req, c): yield "x"',
            "a function with a durable client must be `async def`, without yield.",
        ),
        (
            '@app.generic_output_binding(arg_name="$return", type="http")\n'
            '@app.activity_trigger(input_name="x")\ndef f(x): return x',
            "an activity returns to its orchestration; take its http output out.",
        ),
    ],
)
def test_a_function_that_fails_in_every_call_on_the_platform_is_loaded_and_named(
    tmp_path: Path, code: str, told: str
) -> None:
    app = _load(tmp_path, f"import azure.functions as func\n{_APP}{code}\n")

    assert [function.name for function in app.functions] == ["f"]
    assert app.problems == (f"Function 'f' fails in every call (function_app.py, line 4): {told}",)
    assert app.loss is None
    with pytest.raises(AppError, match=re.escape(told)):
        app.functions[0].call()
