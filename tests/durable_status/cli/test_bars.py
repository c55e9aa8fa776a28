"""How instances look as bars, at any width."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from durable_status import Offloaded
from durable_status.cli.bars import Bars, Picture, Row, row_of
from durable_status.instance_status import InstanceStatus, RuntimeStatus
from durable_status.progress import Progress

_LONG_ID = "0123456789abcdef0123456789abcdef"
_PACKING = {"stage": "packing", "done": 12, "total": 20, "message": "a lamp that has no place in a narrow terminal"}


def _status(custom_status: Any, runtime_status: str = "Running", instance_id: str = "order-7") -> InstanceStatus[Any]:
    document = {
        "name": "X",
        "instanceId": instance_id,
        "runtimeStatus": runtime_status,
        "input": None,
        "customStatus": custom_status,
        "output": None,
        "createdTime": "2026-01-02T00:00:00Z",
        "lastUpdatedTime": "2026-01-02T00:00:00Z",
    }
    return InstanceStatus[Any].from_document(document, Any)


def _drawn(*rows: Row, width: int = 80, height: int = 24, shows_all: bool = False) -> list[str]:
    """The lines of a picture without colours, in which only what is done is drawn."""
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    with console.capture() as captured:
        console.print(Picture(rows, shows_all=shows_all))
    return [line.rstrip() for line in captured.get().splitlines()]


def _row(custom_status: Any, runtime_status: str = "Running", instance_id: str = "order-7") -> Row:
    return row_of(_status(custom_status, runtime_status, instance_id))


@pytest.mark.parametrize(
    ("custom_status", "shown"),
    [
        (None, ""),
        ("Tokyo", "Tokyo"),
        ({"stage": "greeting", "done": 1, "total": 3, "message": "Tokyo", "eta": None}, "1/3 Running greeting Tokyo"),
        ({"stage": "packing", "done": 7, "total": None}, "7/? Running packing"),
        ({"progress": {"stage": "packing", "done": 2, "total": 4}, "more": 1}, "2/4 Running packing"),
        ({"stage": "shipping", "progress": {"stage": "packing", "done": 2, "total": 4}}, "2/4 Running shipping"),
        ({"stage": "shipping", "progress": {"stage": "packing", "message": "lamp"}}, "Running shipping"),
        ({"stage": "a", "done": 1, "total": 2, "progress": {"stage": "b", "done": 3, "total": 4}}, "1/2 Running a"),
        ({"stage": 1, "progress": {"stage": "packing", "done": 2, "total": 4}}, "2/4 Running packing"),
        ({"stage": "resting", "since": "noon"}, 'Running {"stage": "resting", "since": "noon"}'),
        ({"done": "x"}, 'Running {"done": "x"}'),
        ({"done": -1, "total": 2}, 'Running {"done": -1, "total": 2}'),
        ({"done": 10**300}, "Running {"),
        ({"stage": "a", "done": True, "total": 2}, 'Running {"stage": "a", "done": true, "total": 2}'),
        (["[red]", 1], 'Running ["[red]", 1]'),
        ("x" * 500, "Running " + "x" * 60 + "…"),
        (Offloaded("status-20260102T030405000006-6b86b273ff34fce1.json.gz", 40_218).to_json(), "(in storage, 40,218"),
    ],
)
def test_a_row_shows_how_far_an_instance_is_in_its_own_words(custom_status: Any, shown: str) -> None:
    (line,) = _drawn(_row(custom_status), width=200)

    assert line.startswith("order-7 ")
    assert shown in " ".join(line.replace("━", " ").replace("╸", " ").split())


def test_the_end_that_a_progress_foresees_is_shown_as_a_time_of_day() -> None:
    progress = {"stage": "packing", "done": 1, "total": 2, "eta": "2026-01-02T03:04:05Z"}

    for status in (progress, {"progress": progress}, {"stage": "shipping", "progress": progress}):
        assert " until " in _drawn(_row(status), width=120)[0]
    assert Progress(stage="packing").eta is None


@pytest.mark.parametrize(("width", "bar"), [(60, 11), (80, 16), (200, 40)])
def test_the_id_and_the_count_stay_whole_and_the_text_is_cut_first(width: int, bar: int) -> None:
    first, second = _drawn(_row(_PACKING, instance_id=_LONG_ID), _row(None, "Completed", "[b]"), width=width)

    assert first.startswith(f"{_LONG_ID} ━")
    assert " 12/20 Running" in first
    assert cell_len(first) <= width
    assert second.startswith(f"[b]{' ' * 29} {'━' * bar} ")


@pytest.mark.parametrize("width", [10, 30, 40])
def test_where_one_line_is_too_short_each_instance_has_two(width: int) -> None:
    lines = _drawn(_row(_PACKING, instance_id=_LONG_ID), _row(None, "Completed", "b"), width=width)

    number = -(-len(_LONG_ID) // width)
    assert "".join(lines[:number]) == _LONG_ID
    assert lines[number + 1] == "b"
    if width >= 30:
        assert " 12/20 Running" in lines[number]
    assert all(cell_len(line) <= width for line in lines)


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_wide_characters_keep_the_columns_in_line(width: int) -> None:
    wide = {"stage": "倉庫で梱包中 📦" * 9, "done": 1, "total": 2}
    lines = _drawn(_row(wide, instance_id="予約-🎫"), _row(wide, instance_id="b"), width=width)

    places = {cell_len(line.partition("1/2")[0]) for line in lines}
    assert (len(places), len(lines)) == (1, 2)
    assert all(cell_len(line) <= width for line in lines)


@pytest.mark.parametrize(
    ("runtime_status", "custom_status", "cells"),
    [
        ("Failed", None, 0),
        ("Failed", {"done": 1, "total": 4}, 4),
        ("Failed", {"done": 4, "total": 4}, 15),
        ("Failed", {"done": 0, "total": 0}, 0),
        ("Terminated", {"done": 9, "total": 4}, 15),
        ("Canceled", "text", 0),
        ("Completed", None, 16),
        ("Completed", {"done": 4, "total": 4}, 16),
        ("Completed", {"done": 2, "total": 4}, 8),
        ("Suspended", {"done": 2, "total": 4}, 8),
        ("Suspended", None, 0),
        ("Pending", None, 0),
    ],
)
def test_a_bar_is_as_long_as_what_is_done_and_never_full_of_what_has_failed(
    runtime_status: str, custom_status: Any, cells: int
) -> None:
    (line,) = _drawn(_row(custom_status, runtime_status), width=80)

    assert line.count("━") == cells


def test_the_bar_of_what_has_failed_looks_the_same_without_its_colours() -> None:
    console = Console(file=io.StringIO(), width=80, color_system="truecolor", force_terminal=True)
    with console.capture() as captured:
        console.print(_row({"done": 1, "total": 4}, "Failed").bar(16))

    assert captured.get().count("━") == 4


def test_of_many_instances_those_that_have_completed_give_way_and_are_counted() -> None:
    rows = [
        _row(None, "Completed" if number % 2 else "Failed" if number % 4 else "Running", f"i{number:02}")
        for number in range(100)
    ]
    lines = _drawn(*rows, height=20)

    assert [line.split()[0] for line in lines[:-1]] == [f"i{number:02}" for number in range(0, 36, 2)]
    assert lines[-1] == "and 82 more: 50 Completed, 16 Running, 16 Failed"
    assert len(_drawn(*rows, height=20, shows_all=True)) == 100
    assert len(_drawn(*rows[:19], height=20)) == 19
    assert [line.split()[0] for line in _drawn(*rows[:5], height=4)] == ["i00", "i02", "and"]


def test_rows_are_in_the_order_given_whatever_comes_first() -> None:
    console = Console(file=io.StringIO(), width=80)
    with Bars(console, ["c", "a", "b"]) as bars:
        bars(_status(None, instance_id="b"))
        bars(_status(None, instance_id="a"))

    output = console.file.getvalue()  # type: ignore[attr-defined]
    assert [line.split()[0] for line in output.splitlines()] == ["c", "a", "b"]
    assert RuntimeStatus.PENDING not in output
