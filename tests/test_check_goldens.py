"""`dev.py goldens` on folders that are right, wrong and broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import pytest

from durable_status.replay.episode import Episode
from durable_status.replay.events import Event, ExecutionStarted, GenericEvent
from durable_status.replay.profile import PROFILE_2_13
from durable_status.replay.rewind import rewind
from durable_status.replay.trigger import trigger_text
from tests.check_goldens import main
from tests.durable_status.replay.histories import Driven
from tests.paths import GOLDENS

_RECORDINGS = GOLDENS / "replay"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the recordings of one parent and child, one fan-out and one call of an entity."""
    for name in ("functions", "h00-34-FanOut", "h01-15-ParentOfFailure", "h01-19-CallEntity"):
        shutil.copy(_RECORDINGS / f"{name}.json", tmp_path)
    return tmp_path


def _change(path: Path, change: Callable[[Any], None]) -> None:
    recording = json.loads(path.read_text())
    change(recording)
    path.write_text(json.dumps(recording))


def test_equal_recordings_end_well(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out == "9 episodes: 9 equal, 0 different\n"


def _episode(recording: Any, number: int) -> Any:
    return recording["instances"][0]["episodes"][number]


@pytest.mark.parametrize(
    ("file", "change", "field"),
    [
        (
            "h00-34-FanOut",
            lambda it: _episode(it, 0)["committed"].update(CustomStatus='"other"'),
            "episode 0: CustomStatus",
        ),
        ("h00-34-FanOut", lambda it: _episode(it, 0)["committed"].update(Output="1"), "episode 0: Output"),
        (
            "h00-34-FanOut",
            lambda it: _episode(it, 0)["committed"].update(RuntimeStatus="Completed"),
            "episode 0: RuntimeStatus",
        ),
        (
            "h00-34-FanOut",
            lambda it: _episode(it, 1)["trigger"]["history"][2].update(Name="Other"),
            "episode 0: decisions[0].Name",
        ),
        (
            "h00-34-FanOut",
            lambda it: _episode(it, 1)["trigger"]["history"][1].update(IsPlayed=False),
            "episode 0: history[1].IsPlayed",
        ),
        (
            "h00-34-FanOut",
            lambda it: _episode(it, 0)["trigger"].update(isReplaying=True),
            "episode 0: triggers[0].isReplaying",
        ),
        (
            "h01-15-ParentOfFailure",
            lambda it: it["instances"][1]["episodes"][0]["trigger"]["history"][1].update(Name="Other"),
            "episode 0: child of task 0.Name",
        ),
        (
            "h01-15-ParentOfFailure",
            lambda it: [
                event.update(Reason="other")
                for event in [*it["instances"][0]["final"]["history"], *_episode(it, 1)["trigger"]["history"]]
                if event.get("EventType") in (9, "SubOrchestrationInstanceFailed")
            ],
            "message to the parent.Reason",
        ),
    ],
)
def test_a_changed_recording_is_named_with_instance_episode_and_field(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, change: Callable[[Any], None], field: str
) -> None:
    _change(folder / f"{file}.json", change)

    assert main([str(folder)]) == 1
    printed = capsys.readouterr().out
    assert f"{file}.json: instance " in printed
    assert field in printed
    assert not printed.endswith(" 0 different\n")


def test_what_is_volatile_is_not_compared(folder: Path) -> None:
    def change(recording: Any) -> None:
        for row in recording["instances"][0]["final"]["history"]:
            row["_Timestamp"] = "2030-01-01T00:00:00Z"

    _change(folder / "h00-34-FanOut.json", change)

    assert main([str(folder)]) == 0


def test_the_extension_that_was_not_recorded_differs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--extension", "3", str(folder)]) == 1
    assert "triggers[0].upperSchemaVersionNew: recorded 2, engine 3" in capsys.readouterr().out


def test_several_folders_are_counted_together(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), str(folder)]) == 0
    assert capsys.readouterr().out == "18 episodes: 18 equal, 0 different\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a recording in the known format"),
        ("{}", "there is no 'instances'"),
        ('{"instances": [{"id": "a", "episodes": [{}]}]}', "there is no 'trigger'"),
        ('{"instances": [{"id": "a", "episodes": 7}]}', "is not a recording in the known format"),
    ],
)
def test_a_file_that_is_no_recording_gets_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (folder / "broken.json").write_text(text)

    assert main([str(folder)]) == 1
    printed = capsys.readouterr()
    assert printed.out == "9 episodes: 9 equal, 0 different; 1 not read\n"
    assert printed.err.count("\n") == 1
    assert "broken.json" in printed.err
    assert words in printed.err


def test_a_folder_that_is_missing_or_empty_gets_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing")]) == 1
    assert capsys.readouterr().err == f"goldens: {tmp_path / 'missing'} is no folder; name one that holds recordings.\n"
    contents = {
        "functions.json": '{"orchestrator": [], "activity": [], "entity": []}',
        "empty.json": '{"instances": []}',
    }
    for name in ("", *contents):
        if name:
            (tmp_path / name).write_text(contents[name])
        assert main([str(tmp_path)]) == 1
        assert capsys.readouterr().err == f"goldens: {tmp_path} holds no recorded episodes (*.json).\n"


def test_a_folder_that_does_not_name_its_functions_gets_those_of_our_own_recordings(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "functions.json").unlink()

    assert main([str(folder)]) == 0
    note, count = capsys.readouterr().out.splitlines()
    assert note.endswith("functions.json is not there; taking the functions of tests/goldens/replay.")
    assert count == "9 episodes: 9 equal, 0 different"


@pytest.mark.parametrize("text", ["{}", "[]", "7", '{"orchestrator": 1, "activity": [], "entity": []}'])
def test_broken_names_of_functions_get_one_line(folder: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (folder / "functions.json").write_text(text)

    assert main([str(folder)]) == 1
    assert "functions.json is not in the format" in capsys.readouterr().err


def _both_ends(recording: Any) -> Any:
    return [instance["final"] for instance in recording["instances"]]


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["instances"].append({"id": "never ran", "episodes": []}),
        lambda it: [end.pop("history") for end in _both_ends(it)],
        lambda it: [instance.pop("final") for instance in it["instances"]],
        lambda it: [end.update(instance=None) for end in _both_ends(it)],
        lambda it: [instance.update(more={"than": "known"}) for instance in it["instances"]],
        lambda it: _episode(it, 0).update(more=1),
    ],
)
def test_what_a_recording_leaves_out_or_adds_is_not_compared(folder: Path, change: Callable[[Any], None]) -> None:
    for path in folder.glob("h*.json"):
        _change(path, change)

    assert main([str(folder)]) == 0


def test_a_file_may_hold_several_recordings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recordings = [json.loads(path.read_text()) for path in sorted(folder.glob("h*.json"))]
    for path in folder.glob("h*.json"):
        path.unlink()
    (folder / "all.json").write_text(json.dumps(recordings))

    assert main([str(folder)]) == 0
    assert capsys.readouterr().out == "9 episodes: 9 equal, 0 different\n"


@pytest.mark.parametrize("members", [{"EventType": 18, "State": "x"}, {"EventType": 21, "Reason": "again"}])
def test_events_that_this_extension_never_writes_are_taken(
    folder: Path, capsys: pytest.CaptureFixture[str], members: dict[str, Any]
) -> None:
    event = members | {"EventId": -1, "IsPlayed": False, "Timestamp": "2026-11-22T11:30:00Z"}
    _change(folder / "h00-34-FanOut.json", lambda it: _episode(it, 1)["trigger"]["history"].insert(2, event))

    assert main([str(folder)]) == 1
    assert "Error" not in capsys.readouterr().out


def test_an_event_of_an_unknown_number_makes_its_episode_different(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _change(folder / "h00-34-FanOut.json", lambda it: _episode(it, 1)["trigger"]["history"][2].update(EventType=99))

    assert main([str(folder)]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "episode 1: episode: recorded 'an episode', engine 'ValueError: unknown event type 99'" in printed.out


@pytest.mark.parametrize(
    "change",
    [
        lambda it: _episode(it, 0).update(answer=None),
        lambda it: _episode(it, 0).update(answer={"isDone": True}),
        lambda it: _episode(it, 0).update(answer="no JSON"),
        lambda it: _episode(it, 0).update(failure={"message": "Exception: it broke", "stack": ""}),
        lambda it: _episode(it, 0)["trigger"].pop("maximumShortTimerDuration"),
        lambda it: _episode(it, 0).update(committed={}),
        lambda it: _episode(it, 0)["trigger"]["history"][1].update(Unexpected={"a": [1]}),
    ],
)
def test_what_an_engine_cannot_have_done_is_a_difference(
    folder: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Any], None]
) -> None:
    _change(folder / "h00-34-FanOut.json", change)

    assert main([str(folder)]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "episode 0: " in printed.out


def test_a_text_that_lies_in_a_blob_is_not_compared(folder: Path) -> None:
    def change(recording: Any) -> None:
        instance = recording["instances"][0]
        url = "http://127.0.0.1:10000/devstoreaccount1/hub-largemessages/a/history-0.json.gz"
        instance["episodes"][-1]["committed"].update(Output=url)
        for row in instance["final"]["history"]:
            if row.get("EventType") == "ExecutionCompleted":
                row.update(Result="", ResultBlobName="a/history-0.json.gz")

    _change(folder / "h00-34-FanOut.json", change)

    assert main([str(folder)]) == 0


def _rewound_recording() -> dict[str, Any]:
    """An instance that failed because of its activity, was rewound and then went on."""
    answers: list[dict[str, Any]] = []

    def orchestrator(context: Any) -> Any:
        return (yield context.call_activity("Echo"))

    driven = Driven(orchestrator)

    def record(episode: Episode, known: Sequence[Event]) -> None:
        new = [event for event in episode.appended if event.event_id == -1]
        history = [*known, *new[:-1]]
        trigger = json.loads(
            trigger_text(history, started, is_replaying=bool(known), host=driven.host, profile=PROFILE_2_13)
        )
        for event in trigger["history"][len(known) :]:
            event["IsPlayed"] = False
        answers.append(
            {
                "trigger": trigger,
                **_recorded_answer(orchestrator, json.dumps(trigger)),
                "committed": {
                    "RuntimeStatus": episode.runtime_status.value,
                    "CustomStatus": episode.custom_status or "null",
                    "Output": episode.output or (answers[-1]["committed"]["Output"] if answers else None),
                },
            }
        )

    first = driven.start()
    started = next(event for event in driven.history if isinstance(event, ExecutionStarted))
    record(first, ())
    known = driven.history
    record(driven.fail(0), known)
    driven.history = known = rewind(driven.history).history
    record(driven.feed(GenericEvent(timestamp=driven.now, data="try again")), known)
    return {"case": "rewound", "instances": [{"id": "instance", "episodes": answers}]}


def _recorded_answer(orchestrator: Any, trigger: str) -> dict[str, Any]:
    """What the SDK says to a trigger, in a recording's words."""
    try:
        return {"answer": df.Orchestrator.create(orchestrator)(trigger)}
    except Exception as error:
        return {"failure": {"message": f"Exception: {error}", "stack": ""}}


def test_a_rewound_instance_is_compared_with_what_the_rewind_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = _rewound_recording()
    (tmp_path / "rewound.json").write_text(json.dumps(recording))

    assert main([str(tmp_path)]) == 0, capsys.readouterr().out
    recording["instances"][0]["episodes"][2]["trigger"]["history"][5]["EventId"] = 7
    (tmp_path / "rewound.json").write_text(json.dumps(recording))
    assert main([str(tmp_path)]) == 1
