"""What objects look like in assertions and logs: what they are and where they stand, in one line, and no key."""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

import durable_status
import durable_status.testing
from durable_status.app.links import Links
from durable_status.app.load import load_app
from durable_status.client.reporter import Reporter
from durable_status.client.status_client import AsyncStatusClient, StatusClient
from durable_status.testing import HANG, Azurite, DurableBench, FakeOrchestrationContext, either, in_turn
from durable_status.testing.errors import RuleBroken
from tests.durable_status.testing import orchestrators as code

_ORDERS = pytest.mark.durable(app="tests/apps/orders")
_CLIENTS = ("status_client", "task_hub_reader", "durable_client", "reporter")
_KEY = "s3cr3t"


@_ORDERS
def test_a_run_says_where_it_stands(durable: DurableBench) -> None:
    waiting = durable.start("OneApproval", instance_id="w", activities={"Prepare": 4})
    ended = durable.start("FanOut", 2, instance_id="e")
    failed = durable.start("OneApproval", instance_id="f", activities={"Prepare": OSError("down")})
    terminated = durable.start("OneApproval", instance_id="t", activities={"Prepare": HANG}).terminate("over")

    assert repr(waiting) == (
        "<OrchestrationRun 'w' of OneApproval: Running, status {\"size\": 4}, waits for event Approve, "
        "timer 1: fires at 2026-01-01T00:01:00Z>"
    )
    assert repr(ended) == ("<OrchestrationRun 'e' of FanOut: Completed, status {\"done\": [0, 1]}, output [0, 1]>")
    assert repr(failed).startswith(
        "<OrchestrationRun 'f' of OneApproval: Failed, Activity function 'Prepare' failed: OSError: down (tests/apps/"
    )
    assert repr(failed).endswith(" in OneApproval)>")
    assert repr(terminated) == "<OrchestrationRun 't' of OneApproval: Terminated, status null, output \"over\">"
    assert len({len(repr(run).splitlines()) for run in (waiting, ended, failed, terminated)}) == 1


@_ORDERS
def test_an_assertion_that_fails_shows_why_the_instance_has(durable: DurableBench) -> None:
    run = durable.start("OneApproval", instance_id="f", activities={"Prepare": OSError("down")})

    with pytest.raises(
        AssertionError, match=r"where False = <OrchestrationRun 'f' of OneApproval: Failed, .*OSError: d"
    ):
        assert run.completed


@_ORDERS
def test_children_explorations_timelines_and_benches_say_what_they_are(durable: DurableBench) -> None:
    family = durable.start("Family")
    report = durable.explore("OneApproval", activities={"Prepare": 4})

    assert repr(family.sub_orchestrations[0]).startswith("<InstanceView '")
    assert repr(report) == f"<Exploration: {report}>"
    assert repr(report.runs[0]).endswith(f"; after {report.runs[0].schedule!r}>")
    assert repr(family.timeline) == f"<Timeline of Family(): {len(family.timeline)} entries, then Completed>"
    assert repr(durable).startswith("<DurableBench of '")
    assert repr(durable).endswith("tests/apps/orders', extension 3>")


def test_what_stands_for_an_outcome_is_written_as_it_is_made() -> None:
    assert repr([HANG, either(1, HANG), in_turn("a")]) == "[HANG, either(1, HANG), in_turn('a')]"


def test_a_context_without_an_app_says_where_it_stands() -> None:
    context = FakeOrchestrationContext(code.two_waits)

    assert repr(context) == (
        "<FakeOrchestrationContext 'instance' of two_waits: Running, status null, waits for activity 0: Echo(null)>"
    )
    context._hub.remove("instance")
    assert repr(context) == "<FakeOrchestrationContext 'instance': not in the task hub>"


def test_no_object_that_users_see_is_an_address_in_memory() -> None:
    modules = [importlib.import_module(f"durable_status.client.{name}") for name in _CLIENTS]
    public = [
        *(getattr(durable_status, name) for name in durable_status.__all__),
        *(getattr(durable_status.testing, name) for name in durable_status.testing.__all__),
        *(
            item
            for module in modules
            for item in vars(module).values()
            if getattr(item, "__module__", "") == module.__name__
        ),
    ]
    nameless = [
        item.__name__
        for item in public
        if inspect.isclass(item) and item.__repr__ is object.__repr__ and not getattr(item, "_is_protocol", False)
    ]

    assert nameless == []


def test_no_key_is_in_any_of_them(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\napp = func.FunctionApp()\n@app.route('a')\ndef a(req): pass\n"
    )
    values = {"AzureWebJobsStorage": f"AccountKey={_KEY}"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    app = load_app(tmp_path, {})
    client, later = StatusClient("http://localhost:1", key=_KEY), AsyncStatusClient("http://localhost:1", key=_KEY)
    links = Links(hub="H", connection=None, key=_KEY, public_origin="", rpc_base_url=None, writes_newer_members=True)
    seen: list[Any] = [app, app.local_settings, client, later, links, Reporter(later, "i", "Packed"), Azurite(tmp_path)]

    assert _KEY not in repr(seen)
    assert "AccountKey" not in repr(seen)
    assert repr(app) == f"<App in {str(tmp_path)!r}: a>"
    assert repr(seen[-2:]) == "[<Reporter of 'Packed' to 'i': 0 of 20>, <Azurite: not running>]"
    client.close()


@_ORDERS
def test_a_broken_rule_tells_what_failed_with_its_lines(durable: DurableBench) -> None:
    with pytest.raises(RuleBroken) as raised:
        durable.start("Misspells")

    assert "tests/apps/orders/function_app.py:" in str(raised.value)
