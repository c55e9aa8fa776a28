"""`dev.py goldens` on folders that are right, wrong and broken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.check_goldens import main
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
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "broken.json" in printed.err
    assert words in printed.err


def test_a_folder_that_is_missing_or_empty_gets_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing")]) == 1
    assert capsys.readouterr().err == f"goldens: {tmp_path / 'missing'} is no folder; name one that holds recordings.\n"
    for name in ("", "functions.json", "empty.json"):
        if name:
            (tmp_path / name).write_text('{"instances": []}')
        assert main([str(tmp_path)]) == 1
        assert capsys.readouterr().err == f"goldens: {tmp_path} holds no recorded episodes (*.json).\n"


def test_recordings_need_the_names_of_the_functions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "functions.json").unlink()

    assert main([str(folder)]) == 1
    assert "functions.json cannot be read" in capsys.readouterr().err
