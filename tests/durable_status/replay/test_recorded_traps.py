"""Which recorded orchestrators run into which traps, and what strict mode makes of them."""

from __future__ import annotations

from collections import defaultdict

import pytest

from durable_status.replay.profile import PROFILE_2_13
from durable_status.replay.traps import Mode, TrapError
from tests.paths import GOLDENS
from tests.recorded_differences import run_recorded
from tests.recordings import RecordedEpisode, read_episodes, read_host

_FOLDER = GOLDENS / "replay"
_HOST = read_host(_FOLDER)
_EPISODES = read_episodes(_FOLDER)

_TRAPS = {
    "b01-03": "EVENT_COMES_BACK",
    "b01-18": "SHORT_TIMER",
    "b02-21": "UNKNOWN_FUNCTION",
    "b03-15": "OPEN_TIMER",
    "b04-05": "SHORT_TIMER RETRY_IN_TASK_ANY NON_DETERMINISM",
    "b05-07": "FAIL_FAST",
    "b05-18": "NESTED_TASK_ALL MASKED_ERROR",
    "b05-29": "SHORT_TIMER",
    "b06-15": "SHORT_TIMER",
    "b08-24": "SHORT_TIMER OPEN_TIMER",
    "b09-18": "SHORT_TIMER",
    "h00-09-StatusThenWait": "EVENT_CASE",
    "h00-13-BigStatusFirst": "STATUS_TOO_LARGE",
    "h00-15-BigStatusLater": "STATUS_TOO_LARGE MASKED_ERROR",
    "h00-16-BadStatusLater": "STATUS_NOT_JSON MASKED_ERROR",
    "h00-17-StatusOnlyFirstRun": "STATUS_LOST",
    "h00-19-StatusAndContinue": "STATUS_LOST",
    "h00-20-OpenTimer": "OPEN_TIMER",
    "h00-24-EventOrTimeout": "EVENT_CASE",
    "h00-25-RetryTwice": "SHORT_TIMER",
    "h00-26-RetryTwice": "SHORT_TIMER",
    "h00-27-RetryTwice": "SHORT_TIMER",
    "h00-28-RetryThenNext": "SHORT_TIMER",
    "h00-29-RetryThenNext": "SHORT_TIMER",
    "h00-30-UnknownActivity": "UNKNOWN_FUNCTION",
    "h00-33-FailWithKey": "CREDENTIAL_TEXT",
    "h01-02-FailFast": "FAIL_FAST",
    "h01-03-Desync": "ID_SHIFT",
    "h01-04-Desync": "ID_SHIFT",
    "h01-06-ReusedPending": "REUSED_TASK",
    "h01-07-LateCancelEntity": "LATE_CANCEL",
    "h01-08-EarlyEvents": "EARLY_EVENT",
    "h01-09-EarlyEvents": "EARLY_EVENT",
    "h01-10-EarlyEvents": "EARLY_EVENT",
    "h01-11-CaseEvents": "EVENT_CASE",
    "h01-12-CaseEvents": "EVENT_CASE",
    "h01-21-YieldNone": "NOTHING_AWAITED",
    "h01-26-FanOut": "NATIVE_INPUT",
    "h01-22-LongTimer": "LONG_TIMER_IN_TASK_ANY",
    "h01-31-OpenTimer": "OPEN_TIMER",
    "h01-32-OpenTimer": "OPEN_TIMER",
    "h01-33-FailFast": "FAIL_FAST",
    "mx-act-unknown-all": "UNKNOWN_FUNCTION",
    "mx-all-two-fail": "FAIL_FAST",
    "mx-bad-output": "OUTPUT_NOT_JSON",
    "mx-can-open-timer": "OPEN_TIMER",
    "mx-entity-unknown": "UNKNOWN_FUNCTION",
    "mx-error-date": "DATES_REWRITTEN",
    "mx-error-label": "MASKED_ERROR",
    "mx-error-stack-first": "STACK_IN_ERROR",
    "mx-exit-first": "RAW_FAILURE",
    "mx-long-timer-cancel": "LONG_TIMER_IN_TASK_ANY",
    "mx-nested": "SHORT_TIMER",
    "mx-retry-any": "SHORT_TIMER",
    "mx-retry-long-interval": "RETRY_OPTIONS",
    "mx-retry-zero": "RETRY_OPTIONS",
    "mx-signal-unknown-first": "UNKNOWN_FUNCTION",
    "mx-sub-at-id": "CHILD_ID",
    "mx-sub-unknown": "UNKNOWN_FUNCTION",
    "mx-yield-list-later": "YIELDED_NO_TASK MASKED_ERROR",
    "my-change-again": "NON_DETERMINISM",
    "my-change-prepend-signal": "NON_DETERMINISM",
    "my-change-raise": "MASKED_ERROR",
    "my-change-return": "NON_DETERMINISM",
    "my-change-timer-length": "SHORT_TIMER",
    "my-change-unretry": "SHORT_TIMER",
    "my-flip-act-act2": "NON_DETERMINISM",
    "my-flip-act-entity": "NON_DETERMINISM MASKED_ERROR",
    "my-flip-act-none": "NON_DETERMINISM",
    "my-flip-act-sub": "NON_DETERMINISM",
    "my-flip-act-timer": "SHORT_TIMER NON_DETERMINISM",
    "my-flip-entity-act": "NON_DETERMINISM",
    "my-flip-entity-none": "NON_DETERMINISM",
    "my-flip-entity-sub2": "NON_DETERMINISM",
    "my-flip-signal-act": "NON_DETERMINISM",
    "my-flip-signal-entity": "NON_DETERMINISM",
    "my-flip-signal-sub": "NON_DETERMINISM",
    "my-flip-signal-wait": "NON_DETERMINISM",
    "my-flip-sub-act": "NON_DETERMINISM",
    "my-flip-sub-entity": "NON_DETERMINISM MASKED_ERROR",
    "my-flip-sub-none": "NON_DETERMINISM",
    "my-flip-sub-timer": "SHORT_TIMER NON_DETERMINISM",
    "my-flip-timer-act": "SHORT_TIMER NON_DETERMINISM",
    "my-flip-timer-act2": "SHORT_TIMER NON_DETERMINISM",
    "my-flip-timer-none": "SHORT_TIMER NON_DETERMINISM",
    "my-flip-timer-sub": "SHORT_TIMER NON_DETERMINISM",
    "mz-date-status-fail": "DATES_REWRITTEN",
    "mz-fail-big-first": "STATUS_TOO_LARGE",
    "mz-fail-big-sub": "STATUS_TOO_LARGE",
    "mz-fail-exit-sub": "STACK_IN_ERROR MASKED_ERROR RAW_FAILURE",
    "mz-fail-open-timer": "OPEN_TIMER",
    "mz-fail-signal-later": "UNKNOWN_FUNCTION",
}
"""The kinds that the episodes of a recording show, in the order in which they are met; all others show none."""


@pytest.mark.conforms("R6-32")
def test_recordings_show_the_traps_they_were_made_for_and_no_others() -> None:
    seen: dict[str, dict[str, None]] = defaultdict(dict)
    for recorded in _EPISODES:
        episode, _ = run_recorded(recorded, _HOST, PROFILE_2_13)
        seen[recorded.file.removesuffix(".json")] |= dict.fromkeys(trap.kind.name for trap in episode.warnings)

    assert {case: " ".join(kinds) for case, kinds in seen.items() if kinds} == _TRAPS


@pytest.mark.conforms("R6-32")
@pytest.mark.parametrize("recorded", _EPISODES, ids=lambda recorded: recorded.name)
def test_strict_mode_raises_the_first_trap_and_agrees_where_there_is_none(recorded: RecordedEpisode) -> None:
    faithful, _ = run_recorded(recorded, _HOST, PROFILE_2_13)
    if not faithful.warnings:
        strict, _ = run_recorded(recorded, _HOST, PROFILE_2_13, Mode.STRICT)
        assert strict == faithful
        return

    with pytest.raises(TrapError) as raised:
        run_recorded(recorded, _HOST, PROFILE_2_13, Mode.STRICT)

    trap = raised.value.trap
    assert trap == faithful.warnings[0]
    assert trap.cure in str(raised.value)
