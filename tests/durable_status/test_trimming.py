"""A status over its budget: what is given up, in which order, and what never is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durable_status import MAX_STATUS_BYTES, Progress, RecentItems, StatusEncodeError, set_custom_status
from durable_status.status_codec import to_plain
from durable_status.stored_json import dump_stored, utf16_size
from durable_status.trimming import trimmed


class _Context:
    status: Any = None

    def set_custom_status(self, status: Any) -> None:
        """Keep `status`."""
        self.status = status


def _window(*items: Any) -> dict[str, Any]:
    return {"items": list(items), "start": 0, "total": len(items)}


def test_what_fits_is_left_as_it_is() -> None:
    status = {"log": _window("a", "b"), "message": "m"}

    assert trimmed(status, 10_000) is status


def test_the_oldest_items_go_first_and_the_window_says_so() -> None:
    context = _Context()
    log = RecentItems.last([f"{number:04}" + "x" * 96 for number in range(200)], keep=200)

    set_custom_status(context, {"log": log, "stage": "s"}, too_large="trim")

    window = context.status["log"]
    assert 0 < window["start"] < 200
    assert (window["start"] + len(window["items"]), window["total"]) == (200, 200)
    assert window["items"][0][:4] == f"{window['start']:04}"
    size = utf16_size(dump_stored(context.status))
    assert MAX_STATUS_BYTES - 250 < size <= MAX_STATUS_BYTES


@pytest.mark.parametrize("window", [{"total": 7}, {"start": True, "total": 2}, {"items": "ab"}, {"more": 1}])
def test_what_only_looks_like_a_window_is_not_trimmed(window: dict[str, Any]) -> None:
    status = {"log": _window("a" * 50) | window}

    assert trimmed(status, 20) == status


def test_no_message_is_cut_while_there_is_a_window_to_trim() -> None:
    status = {"log": _window("a" * 100), "message": "m" * 100}

    assert trimmed(status, 310) == {"log": {"items": [], "start": 1, "total": 1}, "message": "m" * 100}


def test_then_the_longest_message_is_cut() -> None:
    status = trimmed({"parts": [{"message": "short"}, {"message": "l" * 500}]}, 400)

    assert status["parts"][0]["message"] == "short"
    assert status["parts"][1]["message"].endswith("l…")


def test_next_actions_are_never_touched_and_what_is_still_too_large_is_refused() -> None:
    context = _Context()
    offer = {"nextActions": [{"message": "x" * 8_000, "log": _window("y" * 300)}], "log": _window("z" * 9_000)}

    with pytest.raises(StatusEncodeError):
        set_custom_status(context, offer, too_large="trim")

    assert context.status is None
    assert trimmed(offer, 17_000)["nextActions"] == offer["nextActions"]


def test_the_status_of_the_caller_stays_as_it_was() -> None:
    status = {"log": _window("a" * 100)}

    trimmed(status, 50)

    assert status == {"log": _window("a" * 100)}


_TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["\x01", "é", "\U0001f3ab"]).map(
    lambda character: character * 5_000
)
_STATUSES = st.fixed_dictionaries(
    {"progress": st.builds(Progress, stage=st.just("s"), message=_TEXTS)},
    optional={
        "log": st.lists(_TEXTS, max_size=20).map(lambda items: RecentItems.last(items, keep=20)),
        "nested": st.lists(
            st.fixed_dictionaries({"message": _TEXTS, "log": st.lists(_TEXTS).map(lambda x: _window(*x))})
        ),
    },
)


@settings(deadline=None)
@given(status=_STATUSES)
def test_a_trimmed_status_is_never_over_the_budget_and_keeps_its_shape(status: Any) -> None:
    context = _Context()

    set_custom_status(context, status, too_large="trim")

    assert utf16_size(dump_stored(context.status)) <= MAX_STATUS_BYTES
    assert context.status.keys() == status.keys()
    assert context.status["progress"].keys() == to_plain(status, 60)["progress"].keys()


@settings(deadline=None)
@given(status=st.recursive(st.integers() | _TEXTS, lambda inner: st.lists(inner) | st.dictionaries(_TEXTS, inner)))
def test_trimming_never_makes_anything_larger_and_always_comes_to_an_end(status: Any) -> None:
    assert utf16_size(dump_stored(trimmed(status, 100))) <= utf16_size(dump_stored(json.loads(json.dumps(status))))
