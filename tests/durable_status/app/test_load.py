"""Loading an app: what it needs, what is refused, and in which words."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from durable_status.app.errors import AppError
from durable_status.app.functions import App
from durable_status.app.load import load_app

_HEAD = """
import azure.durable_functions as df
import azure.functions as func
app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""
_ONE = """
@app.activity_trigger(input_name="x")
def one(x): return x
"""


@pytest.fixture(autouse=True)
def _own_modules() -> Iterator[None]:
    """Forget the modules a test imports: each app has a function_app."""
    before, path = set(sys.modules), list(sys.path)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("function_app", "other_name", "__app__"):
            del sys.modules[name]


def _load(
    root: Path,
    code: str | None = _HEAD + _ONE,
    *,
    host: str = '{"version": "2.0"}',
    local: str | None = None,
    file: str = "function_app.py",
    **environment: str,
) -> App:
    (root / "host.json").write_text(host)
    if code is not None:
        (root / file).write_text(code)
    if local is not None:
        (root / "local.settings.json").write_text(local)
    return load_app(root, environment)


def _problem(root: Path, function: str, head: str = _HEAD) -> str:
    app = _load(root, head + _ONE + function)
    assert [loaded.name for loaded in app.functions] == ["one"]
    (problem,) = app.problems
    return problem


@pytest.mark.conforms("H5-8")
def test_the_script_may_have_another_name_and_is_imported_by_its_stem(tmp_path: Path) -> None:
    app = _load(tmp_path, file="other_name.py", PYTHON_SCRIPT_FILE_NAME="other_name.py")

    assert app.functions[0].call.__module__ == "other_name"


@pytest.mark.conforms("H5-9")
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = 1", "has no app object"),
        (_HEAD + _ONE + "again = app", r"more than one app object \(app, again\)"),
        (_HEAD, "has no function that can be loaded"),
        (_HEAD + "oops(", r"SyntaxError.*function_app.py, line 5"),
        (_HEAD + "import nowhere_at_all", "needs the module 'nowhere_at_all'.*Run: .*pip install nowhere_at_all"),
        (_HEAD + _ONE + _ONE, "unique function name"),
    ],
)
def test_an_app_that_cannot_be_loaded_says_why_in_one_line(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(AppError, match=words) as failure:
        _load(tmp_path, code)

    assert "\n" not in str(failure.value)


@pytest.mark.conforms("H5-9")
def test_an_empty_folder_is_no_app(tmp_path: Path) -> None:
    with pytest.raises(AppError, match=r"no function_app.py in .* nor a folder with function.json"):
        _load(tmp_path, None)


@pytest.mark.conforms("H5-9")
def test_decorators_win_over_folders_and_a_notice_names_those(tmp_path: Path) -> None:
    (tmp_path / "Old").mkdir()
    (tmp_path / "Old" / "function.json").write_text("{}")

    app = _load(tmp_path)

    assert app.notices == ("The folders with function.json are not loaded, because there is function_app.py: Old.",)


@pytest.mark.conforms("H5-15", "H5-16", "H5-22", "H5-23", "H5-24", "H5-31", "H5-44", "H5-46")
@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            '@app.function_name("9lives")\n@app.activity_trigger(input_name="x")\ndef f(x): ...',
            "must start with a letter",
        ),
        ('@app.function_name("host")\n@app.activity_trigger(input_name="x")\ndef f(x): ...', "not be 'host'"),
        ('@app.activity_trigger(input_name="my__x")\ndef f(my__x): ...', "The binding name my__x is invalid"),
        (f'@app.activity_trigger(input_name="{"x" * 129}")\ndef f({"x" * 129}): ...', "is invalid"),
        ('@app.activity_trigger(input_name="y")\ndef f(x): ...', r"\['y'\] are declared"),
        ('@app.activity_trigger(input_name="x")\ndef f(x, z): ...', r"\['z'\] have no binding"),
        (
            '@app.activity_trigger(input_name="x")\ndef f(x: list[str]): ...',
            r"such as typing.List\[int\], not list\[str\]",
        ),
        ('@app.activity_trigger(input_name="x")\ndef f(x: func.Out[str]): ...', "must not be func.Out"),
        ('@app.activity_trigger(input_name="x")\ndef f(x, context: int): ...', "annotated func.Context"),
        (
            'class Own(func.Context): ...\n@app.activity_trigger(input_name="x")\ndef f(x, context: Own): ...',
            "func.Context",
        ),
        (
            '@app.activity_trigger(input_name="x")\ndef f(x: "Missing"): ...',
            "cannot be read: NameError: name 'Missing'",
        ),
        ('f = app.activity_trigger(input_name="x")(len)', "no function of Python code"),
        ('@app.orchestration_trigger(context_name="ctx")\ndef f(ctx): yield', 'the name must be "context"'),
        ('@app.orchestration_trigger(context_name="context", orchestration="@f")\ndef f(context): yield', "'@'"),
        ("@app.route()\ndef f(req: func.HttpRequest) -> dict: ...", "returns func.HttpResponse or str, not dict"),
        ("@app.route()\ndef f(req) -> None: ...", "returns func.HttpResponse or str, not NoneType"),
        ("@app.route()\ndef f(req: int) -> str: ...", r"'req' \(int\) does not go with its binding httpTrigger"),
        ("@app.route()\ndef f(req: func.Out[str]): ...", "must not be func.Out"),
        ("import typing\n@app.route()\ndef f(req: typing.List[int]): ...", "does not go with its binding httpTrigger"),
        (
            '@app.timer_trigger(arg_name="t", schedule="0 * * * * *")\ndef f(t: int): ...',
            r"'t' \(int\) does not go with its binding timerTrigger",
        ),
        (
            '@app.route()\n@app.queue_output(arg_name="q", queue_name="a", connection="c")\ndef f(req, q: str): ...',
            r"'q' is an output: its annotation must be func.Out\[...\], not str",
        ),
        (
            '@app.retry(strategy="fixed_delay", max_retry_count="x", delay_interval="00:00:01")\n'
            '@app.activity_trigger(input_name="x")\ndef f(x): ...',
            "max_retry_count must be a whole number, not 'x'",
        ),
        (
            '@app.retry(strategy="exponential_backoff", max_retry_count="3", minimum_interval="5 s")\n'
            '@app.activity_trigger(input_name="x")\ndef f(x): ...',
            "minimum_interval must be a time such as",
        ),
        ('@app.route(route="administrators")\ndef f(req): ...', "must not start with 'admin' or 'runtime'"),
        ('@app.route(route="%NOT_SET%")\ndef f(req): ...', "app setting %NOT_SET%, which has no value"),
    ],
)
def test_one_bad_function_is_named_and_the_others_are_loaded(tmp_path: Path, function: str, words: str) -> None:
    assert re.search(words, _problem(tmp_path, function))


@pytest.mark.conforms("H5-19", "XF-1")
def test_a_setting_disables_a_function(tmp_path: Path) -> None:
    app = _load(tmp_path, **{"AzureWebJobs.one.Disabled": "true"})

    assert app.functions[0].is_disabled


@pytest.mark.conforms("H6-4", "H6-5")
def test_host_json_has_comments_names_in_any_case_and_a_newer_word_in_the_environment(tmp_path: Path) -> None:
    host = '{"VERSION": "2.0", /* c */ "extensions": {"DurableTask": {"HUBNAME": "First"}}, "unknown": 1}'

    assert _load(tmp_path, host=host).settings.hub_name == "First"


@pytest.mark.conforms("H6-6")
def test_the_environment_wins_over_host_json(tmp_path: Path) -> None:
    host = '{"version": "2.0", "extensions": {"durableTask": {"hubName": "First"}}}'

    app = _load(tmp_path, host=host, AzureFunctionsJobHost__extensions__durabletask__HubName="Second")

    assert app.settings.hub_name == "Second"


@pytest.mark.conforms("H6-4", "H6-7", "H6-8", "H6-9", "H6-12", "H6-30", "H6-32")
@pytest.mark.parametrize(
    ("durable", "words"),
    [
        ('"hubName": "no-dash"', "Task hub name 'no-dash' should contain only alphanumeric"),
        ('"hubName": "ab"', "length between 3 and 45"),
        ('"hubName": "%NO_HUB%"', "%NO_HUB%, which has no value"),
        ('"maxConcurrentActivityFunctions": 0', "above zero"),
        ('"maxConcurrentEntityFunctions": -1', "above zero"),
        ('"overridableExistingInstanceStates": "Some"', "NonRunningStates or AnyState"),
        ('"extendedSessionsEnabled": "perhaps"', "true or false"),
        ('"hubName": "a b", "storageProvider": {"type": "mssql"}', "Task hub name 'a b'"),
        ('"storageProvider": {"type": "redis"}', "'redis' does not exist; write AzureStorage"),
        ('"storageProvider": {"partitionCount": 17}', "from 1 to 16"),
        ('"storageProvider": {"partitionCount": 0}', "from 1 to 16"),
        ('"storageProvider": {"controlQueueVisibilityTimeout": "soon"}', "span of time"),
        ('"storageProvider": {"workItemQueueVisibilityTimeout": "01:00:01"}', "01:00:00 at most"),
        ('"storageProvider": {"maxQueuePollingInterval": "00:00:00"}', "longer than 00:00:00"),
        ('"storageProvider": []', "must be an object"),
    ],
)
def test_a_durable_setting_the_extension_refuses_is_refused(tmp_path: Path, durable: str, words: str) -> None:
    with pytest.raises(AppError, match=words):
        _load(tmp_path, host=f'{{"version": "2.0", "extensions": {{"durableTask": {{{durable}}}}}}}')


@pytest.mark.conforms("H6-4")
@pytest.mark.parametrize(
    "host",
    [
        '{"version": "3.0"}',
        '{"x": 1}',
        "{",
        "[]",
        '{"version": "2.0"} {}',
        '{"version": "2.0", "functionTimeout": "soon"}',
    ],
)
def test_a_host_json_that_is_none_stops_the_host(tmp_path: Path, host: str) -> None:
    with pytest.raises(AppError, match=r"host\.json"):
        _load(tmp_path, host=host)


@pytest.mark.conforms("H6-10", "H6-22")
def test_settings_without_effect_are_named_once(tmp_path: Path) -> None:
    durable = (
        '"useGracefulShutdown": true, "extendedSessionsEnabled": true, "storageProvider": {"controlQueueBatchSize": 2}'
    )

    notices = _load(tmp_path, host=f'{{"version": "2.0", "extensions": {{"durableTask": {{{durable}}}}}}}').notices

    assert notices == (
        "host.json: no effect here: useGracefulShutdown.",
        "host.json: no effect here, of storageProvider: controlqueuebatchsize.",
        "host.json: extendedSessionsEnabled is not available to Python apps; it is switched off.",
    )


@pytest.mark.conforms("H6-40")
@pytest.mark.parametrize(
    ("durable", "told"),
    [
        ('"hubname": "Mine"', None),
        ('"maxConcurrentActivities": 5', "has no member maxConcurrentActivities, so it has no effect; write "),
        ('"nonsense": {}', "extensions.durableTask has no member nonsense, so it has no effect; take it out."),
        (
            '"partitionCount": 4',
            "no member partitionCount, so it has no effect; it belongs to extensions.durableTask.sto",
        ),
        ('"traceReplayEvents": true', "it belongs to extensions.durableTask.tracing."),
        ('"storageProvider": {"hubName": "X"}', "extensions.durableTask.storageProvider has no member hubName, so it "),
        (
            '"storageProvider": {"maxQueuePollInterval": "00:00:01"}',
            "so it has no effect; write maxQueuePollingInterval.",
        ),
        (
            '"httpSettings": {"useForwardedHosts": true}',
            "durableTask.httpSettings has no member useForwardedHosts, so ",
        ),
        (
            '"storageProvider": {"type": "mssql", "connectionStringName": "C", "taskEventLockTimeout": "00:01:00"}',
            "mssql",
        ),
    ],
)
def test_a_durable_setting_that_nobody_knows_is_named_with_what_may_be_meant(
    tmp_path: Path, durable: str, told: str | None
) -> None:
    app = _load(tmp_path, host=f'{{"version": "2.0", "extensions": {{"durableTask": {{{durable}}}}}}}')

    assert [notice for notice in app.notices if told is None or told not in notice] == []
    assert len(app.notices) == (told is not None)


@pytest.mark.conforms("H6-40")
def test_settings_at_the_place_of_version_1_are_named_with_their_new_place(tmp_path: Path) -> None:
    host = '{"version": "2.0", "DurableTask": {"hubName": "Old"}, "http": {"routePrefix": ""}, "logger": {}}'

    app = _load(tmp_path, host=host)

    assert (app.settings.hub_name, app.settings.route_prefix) == ("TestHubName", "api")
    assert app.notices == (
        'host.json: "durableTask" at the top has no effect, as in version 1; move it to extensions.durableTask.',
        'host.json: "http" at the top has no effect, as in version 1; move it to extensions.http.',
        'host.json: "logger" at the top has no effect, as in version 1; move it to logging.',
    )


@pytest.mark.conforms("H6-33")
def test_an_app_made_for_another_storage_provider_is_loaded_with_a_notice(tmp_path: Path) -> None:
    durable = '"hubName": "my-hub_1", "storageProvider": {"type": "AzureManaged", "connectionStringName": "SCHEDULER"}'

    app = _load(tmp_path, host=f'{{"version": "2.0", "extensions": {{"durableTask": {{{durable}}}}}}}')

    assert app.settings.hub_name == "my-hub_1"
    assert app.notices == ("host.json: azureManaged is not used here; the app runs as it would on AzureStorage.",)


@pytest.mark.conforms("H6-34")
@pytest.mark.parametrize(("text", "seconds"), [('"00:05:00"', 300), ('"1.00:00:00"', 86_400), ("-1", None)])
def test_the_time_that_a_function_may_take_is_read(tmp_path: Path, text: str, seconds: float | None) -> None:
    app = _load(tmp_path, host=f'{{"version": "2.0", "functionTimeout": {text}}}')

    assert app.settings.function_timeout_seconds == seconds


@pytest.mark.conforms("H6-23")
def test_an_app_in_another_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="FUNCTIONS_WORKER_RUNTIME says that this is an app in node; this host runs"):
        _load(tmp_path, local='{"Values": {"FUNCTIONS_WORKER_RUNTIME": "node"}}')


@pytest.mark.conforms("H6-31")
@pytest.mark.parametrize(
    ("site", "hub"),
    [("My-Site 1", "MySite1"), ("9lives", "t9lives"), ("--", "DefaultTaskHub"), ("a", "aHub"), ("x" * 60, "x" * 45)],
)
def test_a_default_hub_name_is_made_of_the_site_name(tmp_path: Path, site: str, hub: str) -> None:
    assert _load(tmp_path, WEBSITE_SITE_NAME=site).settings.hub_name == hub


@pytest.mark.conforms("H6-32")
def test_a_slot_needs_a_hub_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="slot 'staging'"):
        _load(tmp_path, WEBSITE_SLOT_NAME="staging")


@pytest.mark.conforms("H6-13", "H6-14", "H6-15", "H6-16", "H6-17", "H6-18", "H6-19")
def test_local_settings_become_variables_unless_the_shell_has_them(tmp_path: Path) -> None:
    local = """{"Values": {"A": "file", "B": 5, "C": true, "D": "", "E": null, "F": "file"}, // no IsEncrypted
      "ConnectionStrings": {"One": "text", "Two": {"ConnectionString": "object", "ProviderName": "p"}},
      "Host": {"LocalHttpPort": 7072, "LocalHttpAddress": "127.0.0.2", "CORS": "http://a.test, http://b.test/",
               "CORSCredentials": true}}"""
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(_HEAD + _ONE)
    (tmp_path / "local.settings.json").write_text(local)
    environment = {"A": "shell", "F": ""}

    app = load_app(tmp_path, environment)

    assert environment == {
        "A": "shell",
        "B": "5",
        "C": "True",
        "D": "",
        "F": "file",
        "ConnectionStrings:One": "text",
        "ConnectionStrings:Two": "object",
    }
    assert app.notices == (
        "local.settings.json: null is no value: E.",
        "local.settings.json: the environment's own value stays for A.",
    )
    settings = app.local_settings
    assert (settings.http_port, settings.http_address, settings.cors_credentials) == (7072, "127.0.0.2", True)
    assert settings.cors_origins == ("http://a.test", "http://b.test")


@pytest.mark.conforms("H6-14")
def test_a_nested_value_makes_all_values_unread(tmp_path: Path) -> None:
    app = _load(tmp_path, local='{"IsEncrypted": false, "Values": {"A": "x", "B": {"c": 1}}}')

    assert app.local_settings.values == {}
    assert app.notices == ('local.settings.json: no value is used, because "B" is not a text; write it as one.',)


@pytest.mark.conforms("H6-13", "H6-19")
@pytest.mark.parametrize(
    ("local", "words"),
    [
        ('{"IsEncrypted": true}', "is encrypted"),
        ('{"Host": {"LocalHttpPort": "many"}}', "must be a port number"),
        ('{"Host": {"LocalHttpAddress": "localhost"}}', "must be an IP address"),
        ('{"Values": []}', "must be an object"),
        ('{"ConnectionStrings": {"A": 5}}', "must be a text"),
    ],
)
def test_local_settings_that_cannot_be_used_say_why(tmp_path: Path, local: str, words: str) -> None:
    with pytest.raises(AppError, match=words):
        _load(tmp_path, local=local)


@pytest.mark.conforms("H5-4")
@pytest.mark.parametrize(
    ("description", "words"),
    [
        ('{"bindings": []}', "exactly one trigger among its bindings; this one has none"),
        ('{"bindings": {}}', "must be a list of objects"),
        ('{"scriptFile": "gone.py", "bindings": [{"type": "activityTrigger", "name": "x"}]}', "there is no gone.py"),
        (
            '{"scriptFile": "a.txt", "bindings": [{"type": "activityTrigger", "name": "x"}]}',
            "'a.txt' is no Python file",
        ),
        ('{"scriptFile": "../../x.py", "bindings": [{"type": "activityTrigger", "name": "x"}]}', "there is no ../../x"),
        ('{"bindings": [{"type": "activityTrigger", "name": "my__x"}]}', "The binding name my__x is invalid"),
        (
            '{"bindings": [{"type": "httpTrigger", "name": "x"}, '
            '{"type": "http", "name": "$return", "direction": "inout"}]}',
            "'$return' must have the direction out",
        ),
    ],
)
def test_a_folder_that_cannot_be_loaded_says_why(tmp_path: Path, description: str, words: str) -> None:
    for name in ("Good", "Bad"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("def main(x, my__x=None): return x\n")
    (tmp_path / "Good" / "__init__.py").write_text("def main(x): return x\n")
    (tmp_path / "Good" / "function.json").write_text('{"bindings": [{"type": "activityTrigger", "name": "x"}]}')
    (tmp_path / "Bad" / "a.txt").write_text("")
    (tmp_path / "Bad" / "function.json").write_text(description)

    app = _load(tmp_path, None)

    assert [function.name for function in app.functions] == ["Good"]
    assert words in app.problems[0]


_ACTIVITY = '{"bindings": [{"type": "activityTrigger", "name": "x"}]}'
_HTTP = '{"bindings": [{"type": "httpTrigger", "name": "x"}, {"type": "http", "name": "$return", "direction": "out"}]}'


@pytest.mark.conforms("H5-4", "H5-45")
@pytest.mark.parametrize(
    ("description", "code", "words"),
    [
        (_ACTIVITY, "def other(x): return x", "Bad/__init__.py has no function main(); define it"),
        (_ACTIVITY, "main = 5", "Bad/__init__.py has no function main(); define it"),
        (_ACTIVITY, "def main(", "SyntaxError"),
        (_ACTIVITY, "import nowhere_at_all", "needs the module 'nowhere_at_all'"),
        (_ACTIVITY, "def main(x, y): return x", "['y'] have no binding (Bad/__init__.py, line 1)."),
        (_ACTIVITY, "def main(x: list[str]): return x", "such as typing.List[int], not list[str]"),
        (_HTTP, "def main(x) -> int: return 1", "returns func.HttpResponse or str, not int"),
        (_HTTP, "def main(x: str): return x", "'x' must be annotated func.HttpRequest"),
        (_HTTP.replace("httpT", "HTTPT"), "def main(x): return 'x'", 'write the type "HTTPTrigger" as "httpTrigger"'),
        (
            _HTTP.replace("{", '{"configurationSource": "attributes", ', 1),
            "def main(x): return 'x'",
            "is for compiled functions",
        ),
    ],
)
def test_a_script_that_is_not_in_order_fails_in_every_call_and_the_others_work(
    tmp_path: Path, description: str, code: str, words: str
) -> None:
    for name, text in (("Good", _ACTIVITY), ("Bad", description)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "function.json").write_text(text)
    (tmp_path / "Good" / "__init__.py").write_text("def main(x): return x\n")
    (tmp_path / "Bad" / "__init__.py").write_text(code)

    app = _load(tmp_path, None)

    assert [function.name for function in app.functions] == ["Bad", "Good"]
    (problem,) = app.problems
    assert problem.startswith("Function 'Bad' fails in every call: ")
    assert words in problem
    assert app.loss is None
    with pytest.raises(AppError, match=re.escape(words)):
        app.functions[0].call(x=1)


@pytest.mark.conforms("H5-48")
def test_only_a_setting_disables_a_function_not_its_function_json(tmp_path: Path) -> None:
    for name in ("One", "Two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("def main(x): return x\n")
        disabled = "true" if name == "One" else "false"
        (tmp_path / name / "function.json").write_text(_ACTIVITY.replace("{", f'{{"disabled": {disabled}, ', 1))

    app = _load(tmp_path, None, **{"AzureWebJobs.Two.Disabled": "1"})

    assert {function.name: function.is_disabled for function in app.functions} == {"One": False, "Two": True}
    assert app.notices == (
        'One/function.json: "disabled" has no effect; set AzureWebJobs.One.Disabled to true instead.',
    )
