"""Activities in the harness get all their bindings; their clients are answered in the task hub of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from durable_status.testing.bench import DurableBench
from durable_status.testing.errors import HarnessError, RuleBroken
from durable_status.testing.faults import Faults

pytestmark = pytest.mark.durable(app="tests/apps/activity_bindings")

_LINES = Path("tests/apps/activity_bindings/function_app.py")


def _line(text: str) -> int:
    """The line of the app with that text that is marked."""
    lines = _LINES.read_text().splitlines()
    return next(at for at, line in enumerate(lines, 1) if text in line and line.endswith("# here"))


def test_what_an_activity_reports_is_heard_while_it_runs_and_its_sleeps_cost_virtual_time(
    durable: DurableBench,
) -> None:
    run = durable.start("Hears")

    assert run.output == [[0, 1], [0, 1]]
    assert run.statuses == [[0], [0, 1]]
    assert run.elapsed.total_seconds() == 60


@pytest.mark.parametrize("faults", [Faults(rerun_episodes=True), Faults(batch=3), Faults(early_timers=1)])
def test_faults_change_nothing_of_it(durable: DurableBench, faults: Faults) -> None:
    assert durable.start("Hears", faults=faults).output == [[0, 1], [0, 1]]


def test_it_is_explored_and_each_order_has_a_hub_of_its_own(durable: DurableBench) -> None:
    report = durable.explore("Listens")

    report.at_end(lambda run: run.completed and run.output == [None, 0, 1])
    assert report.explored == 1


def test_an_activity_starts_an_instance_beside_its_own(durable: DurableBench) -> None:
    assert durable.start("Calls", ["StartsOne", "other"]).output == ["other", "Running"]


def test_starts_of_clients_in_two_runs_do_not_meet(durable: DurableBench) -> None:
    for _ in range(2):
        assert durable.start("Calls", ["StartsOne", "other"]).completed


def test_outputs_and_the_invocation_context_are_there(durable: DurableBench) -> None:
    assert durable.start("Calls", ["PutsOut", "x"]).output == "x"
    assert durable.start("Calls", ["HasAll", "x"]).output == ["x", "DurableOrchestrationClient", "x", "HasAll"]


def test_an_input_that_there_is_not_in_a_test_is_named_with_the_cure(durable: DurableBench) -> None:
    with pytest.raises(HarnessError, match=r"ReadsABlob takes 'blob' \(blob\), which .* an outcome in `activities`"):
        durable.start("Calls", ["ReadsABlob", "x"])

    assert durable.start("Calls", ["ReadsABlob", "x"], activities={"ReadsABlob": "read"}).output == "read"


def test_a_call_of_the_client_that_is_not_awaited_breaks_a_rule(durable: DurableBench) -> None:
    with pytest.raises(RuleBroken) as raised:
        durable.start("Calls", ["StartsNone", "other"])

    (finding,) = raised.value.findings
    place = f"{_LINES}:{_line('    client.start_new')}"
    assert finding.rule == "await"
    assert finding.text == (
        f"StartsNone: {place}: client.start_new(...) is never awaited, so nothing is sent; "
        "write: await client.start_new(...)"
    )
    assert durable.start("Calls", ["StartsNone", "other"], allow=["await"]).output == "other"


def test_one_that_goes_on_in_a_task_breaks_none(durable: DurableBench) -> None:
    assert durable.start("Calls", ["StartsInATask", "other"]).completed


@pytest.mark.parametrize(
    ("function", "request_parts", "marked"),
    [("start", {"route": {"name": "n"}}, "instance_id = client"), ("later", {}, "DurableClient(client).start_new")],
)
def test_neither_is_it_forgiven_in_a_starter(
    durable: DurableBench, function: str, request_parts: dict[str, Any], marked: str
) -> None:
    with pytest.raises(RuleBroken, match=rf":{_line(marked)}: client\.start_new\(\.\.\.\) is never awaited"):
        durable.call(function, **request_parts)


@pytest.mark.durable(allow=["await"])
def test_it_may_be_allowed(durable: DurableBench) -> None:
    assert durable.call("later").get_body() == b"started"
