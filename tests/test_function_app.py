"""What function_app.py registers: names, routes and verbs are what callers outside depend on."""

from __future__ import annotations

import ast
import json
import re

from durable_status.app.functions import ACTIVITY_TRIGGER, HTTP_TRIGGER, ORCHESTRATION_TRIGGER
from tests.hosts import app_in
from tests.paths import ROOT


def test_every_function_is_registered_under_its_name() -> None:
    app = app_in(ROOT)

    assert app.problems == ()
    assert {(function.trigger_type, function.durable_name) for function in app.functions} == {
        (HTTP_TRIGGER, "start_orchestration"),
        (HTTP_TRIGGER, "start_and_wait"),
        (ORCHESTRATION_TRIGGER, "E1_HelloSequence"),
        (ORCHESTRATION_TRIGGER, "CityRecommender"),
        (ORCHESTRATION_TRIGGER, "ReserveTicket"),
        (ORCHESTRATION_TRIGGER, "SetStatusTest"),
        (ACTIVITY_TRIGGER, "E1_SayHello"),
        (ACTIVITY_TRIGGER, "CalculateDiscount"),
    }


def test_the_starters_have_their_routes_verbs_and_a_function_key() -> None:
    triggers = [function.trigger for function in app_in(ROOT).functions if function.trigger_type == HTTP_TRIGGER]

    assert {(trigger["route"], *trigger["methods"], trigger["authLevel"]) for trigger in triggers} == {
        ("orchestrators/{functionName}", "POST", "FUNCTION"),
        ("orchestrators/{functionName}/wait", "POST", "FUNCTION"),
    }


def test_function_app_holds_no_logic() -> None:
    tree = ast.parse((ROOT / "function_app.py").read_text())

    assert not [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If | ast.Try)]
    assert len((ROOT / "function_app.py").read_text().splitlines()) <= 30


def test_every_module_of_orchestrators_and_activities_is_registered() -> None:
    script = (ROOT / "function_app.py").read_text()
    for folder in ("orchestrators", "activities"):
        modules = [path for path in (ROOT / folder).glob("*.py") if "df.Blueprint()" in path.read_text()]
        assert modules
        (imported,) = [line for line in script.splitlines() if line.startswith(f"from {folder} import ")][:1]
        assert imported
        for module in modules:
            assert re.search(rf"from {folder} import .*\b{module.stem}\b", script), module


def test_a_contract_imports_what_types_need_only() -> None:
    for path in (ROOT / "orchestrators").glob("*_contract.py"):
        imported = {
            node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        # pydantic takes a TypedDict of typing only from Python 3.12 on; callers read contracts with it.
        assert imported <= {"__future__", "typing", "typing_extensions"}, path


# host.json and local.settings.json, as Core Tools and the Functions host read them


def test_host_json_is_plain_json_of_version_2_with_a_ga_bundle_that_knows_versions() -> None:
    settings = json.loads((ROOT / "host.json").read_text())

    assert settings["version"] == "2.0"
    assert settings["extensionBundle"] == {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.30.0, 5.0.0)",
    }
    assert set(settings) <= {"version", "functionTimeout", "logging", "extensionBundle", "extensions"}


def test_host_json_names_the_hub_by_setting_and_keeps_what_holds_for_python() -> None:
    durable = json.loads((ROOT / "host.json").read_text())["extensions"]["durableTask"]

    assert durable["hubName"] == "%TASKHUB_NAME%"
    assert durable["storageProvider"]["type"] == "AzureStorage"
    assert durable["storageProvider"]["connectionName"] == "AzureWebJobsStorage"
    assert 1 <= durable["storageProvider"]["partitionCount"] <= 16
    assert "extendedSessionsEnabled" not in durable, "Python has no extended sessions"
    assert (durable["versionMatchStrategy"], durable["versionFailureStrategy"]) == ("CurrentOrOlder", "Reject")
    assert durable["tracing"] == {"traceInputsAndOutputs": False, "traceReplayEvents": False}


def test_the_worker_has_threads_for_all_that_the_extension_hands_it() -> None:
    durable = json.loads((ROOT / "host.json").read_text())["extensions"]["durableTask"]
    values = json.loads((ROOT / "local.settings.json").read_text())["Values"]

    at_once = durable["maxConcurrentActivityFunctions"] + durable["maxConcurrentOrchestratorFunctions"]
    assert at_once <= int(values["PYTHON_THREADPOOL_THREAD_COUNT"]) <= 32


def test_local_settings_hold_texts_only_and_no_secret() -> None:
    settings = json.loads((ROOT / "local.settings.json").read_text())

    assert settings["IsEncrypted"] is False, "Core Tools takes a file without it for an encrypted one"
    assert settings["Values"] == {
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "PYTHON_THREADPOOL_THREAD_COUNT": "16",
        "TASKHUB_NAME": settings["Values"]["TASKHUB_NAME"],
        "HELLO_SECONDS": "1",
    }
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,44}", settings["Values"]["TASKHUB_NAME"])
    assert settings["Host"] == {"LocalHttpPort": 7071}


def test_every_setting_that_the_app_refers_to_is_in_local_settings() -> None:
    values = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    host_json = (ROOT / "host.json").read_text()
    durable = json.loads(host_json)["extensions"]["durableTask"]

    referred = {*re.findall(r"%(\w+)%", host_json), durable["storageProvider"]["connectionName"], "HELLO_SECONDS"}
    assert referred <= set(values)
