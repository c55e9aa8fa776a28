"""Recorded histories against today's code: the verdict is the real host's, whatever the form of the recording."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from durable_status.replay.events import Event, OrchestratorStarted
from durable_status.replay.profile import PROFILE_2_13
from durable_status.testing.bench import DurableBench
from durable_status.testing.check_replay import CheckedHistory, ReplayBroken, check_history
from durable_status.testing.context import FakeOrchestrationContext
from durable_status.testing.errors import HarnessError
from durable_status.testing.functions import Functions
from durable_status.testing.recorded import histories_in, read_histories
from tests.durable_status.testing.edits import EDITS, Edit, original
from tests.durable_status.testing.recordings_of import as_export, as_rows, as_trigger
from tests.paths import GOLDENS

_STORAGE = GOLDENS / "storage"
_WITH_BLOBS = {"large-input-31000", "large-input-70000", "large-result-70000"}

pytestmark = pytest.mark.durable(app="tests/apps/recorded", extension="2.13")


@cache
def _finished() -> tuple[Event, ...]:
    """The history of a finished order that was charged at the second attempt."""
    context = FakeOrchestrationContext(original, "book", profile=PROFILE_2_13)
    context.complete_activity("Price", result=3)
    context.advance(seconds=60)
    context.raise_event("Approve", True)
    context.advance(seconds=1)
    context.complete_sub_orchestration("Ship", result="parcel 7")
    context.advance(seconds=1)
    context.fail_activity("Charge", error="card refused")
    context.advance(seconds=6)
    context.complete_activity("Charge", result=True)
    assert context.completed
    return context.history


def _in_flight() -> tuple[Event, ...]:
    """The same without the last episode: its instance would go on with today's code."""
    history = _finished()
    last = max(index for index, event in enumerate(history) if isinstance(event, OrchestratorStarted))
    return history[:last]


def _check(document: Any, edit: Edit) -> CheckedHistory:
    (history,) = histories_in(document)
    functions = Functions.of_orchestrators(**{history.started.name: edit.code})
    return check_history(history, functions, PROFILE_2_13)


@pytest.mark.parametrize("form", [as_trigger, as_rows, as_export])
@pytest.mark.parametrize("history", [_finished, _in_flight])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_is_judged_as_the_real_host_would(
    edit: Edit, history: Callable[[], tuple[Event, ...]], form: Callable[[Sequence[Event]], Any]
) -> None:
    checked = _check(form(history()), edit)

    assert (checked.problem is None) == edit.survives, str(checked)
    assert edit.mentions in (checked.problem or "")


def test_the_problem_names_the_episode_and_what_had_come() -> None:
    renamed = next(edit for edit in EDITS if edit.name == "a timer removed")

    checked = _check(as_trigger(_finished()), renamed)

    assert str(checked.problem).startswith("in episode 3 of 7, after event Approve(true), at the recorded timer 1: ")


def test_what_the_platform_does_not_mind_is_noted() -> None:
    def notes_of(name: str) -> str:
        return "\n".join(_check(as_trigger(_finished()), next(e for e in EDITS if e.name == name)).notes)

    assert notes_of("nothing changed") == ""
    assert "timer 1 would fire at another time" in notes_of("a timer of another length")
    assert "this code asks for more: Thank(" in notes_of("an activity at the end")


@pytest.mark.parametrize(
    "path", sorted(set(_STORAGE.glob("*.json")) - {_STORAGE / "hub.json"}), ids=lambda path: path.stem
)
def test_rows_of_the_real_history_table_replay(durable: DurableBench, path: Path) -> None:
    if path.stem in _WITH_BLOBS:
        with pytest.raises(HarnessError, match="is in the blob"):
            durable.check_replay(path)
        return
    checked = durable.check_replay(path)

    assert [note for item in checked for note in item.notes] == []


def _real_exports() -> list[tuple[str, Any]]:
    documents = []
    for path in sorted((GOLDENS / "replay").glob("h0*.json")):
        for entry in json.loads(path.read_text())["instances"]:
            documents.append((f"{path.stem}/{entry['orchestrator']}", entry["final"]["http"]["body"]))
    return documents


def test_exports_of_the_real_host_replay(durable: DurableBench) -> None:
    known = set(durable.orchestrators)
    documents = [document for _, document in _real_exports() if document["name"] in known]

    checked = durable.check_replay(*documents)

    assert len(checked) >= 20
    assert [str(item) for item in checked if item.notes] == []


def test_a_real_history_that_differs_from_the_code_is_refused(durable: DurableBench, tmp_path: Path) -> None:
    changed = tmp_path / "hello.json"
    changed.write_text((_STORAGE / "hello.json").read_text().replace("E1_SayHello", "E1_Greet"))

    with pytest.raises(ReplayBroken, match=r"Hello .g-hello. .* would fail\n  in episode 2 of 4"):
        durable.check_replay(changed)


def test_strict_refuses_what_is_only_noted(durable: DurableBench) -> None:
    (hello,) = list(read_histories(_STORAGE / "hello.json"))
    changed = as_trigger(hello.events, "g-hello")
    changed["history"][-2]["Result"] = '["Hello"]'

    assert durable.check_replay(changed)[0].notes
    with pytest.raises(ReplayBroken, match="the outcome would be"):
        durable.check_replay(changed, strict=True)


def test_an_export_without_results_or_inputs_is_refused_with_the_cure(durable: DurableBench) -> None:
    documents = dict(_real_exports())
    export = next(document for name, document in documents.items() if name.endswith("/Hello"))
    bare = json.loads(json.dumps(export))
    for item in bare["historyEvents"]:
        item.pop("Result", None)

    with pytest.raises(HarnessError, match="showHistoryOutput=true"):
        durable.check_replay(bare)


@pytest.mark.parametrize("document", [{}, [], {"history": []}, [7], {"historyEvents": [{"EventType": "Nope"}]}])
def test_what_is_no_history_is_refused(durable: DurableBench, document: Any) -> None:
    with pytest.raises(HarnessError, match="history"):
        durable.check_replay(document)
