"""How failures of user code and of the SDK reach the instance, and how status and failure meet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from durable_status.replay.events import OrchestrationStatus, TaskFailed
from durable_status.replay.failures import WorkerFailure, activity_failure, cut_state
from durable_status.replay.profile import PROFILE_2_13, PROFILE_3
from tests.durable_status.replay.histories import Driven, event_names, scheduled

FAILED = OrchestrationStatus.FAILED
_LIMIT_TEXT = "The UTF-16 size of the JSON-serialized payload must not exceed 16 KB. The current payload size is 17 KB."


@pytest.mark.conforms("R2.2-2", "R4-2")
def test_an_exception_of_the_orchestrator_fails_it_and_its_status_stays() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("about to fail")
        yield context.call_activity("Echo")
        raise ValueError("bad luck")

    driven = Driven(orchestrator)
    driven.start()
    episode = driven.complete(0)

    assert (episode.runtime_status, episode.custom_status) == (FAILED, '"about to fail"')
    assert episode.output == "Orchestrator function 'Main' failed: bad luck"
    assert event_names(driven.history).endswith("OS TC EC OC")


@pytest.mark.conforms("R3.1-2")
def test_an_activity_error_that_nobody_catches_shows_reason_and_details() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")

    driven = Driven(orchestrator)
    driven.start()
    episode = driven.feed(
        TaskFailed(timestamp=driven.now, task_scheduled_id=0, reason="Activity function 'Echo' failed:", details="{}")
    )

    assert episode.output == "Orchestrator function 'Main' failed: Activity function 'Echo' failed: \n {}"


@pytest.mark.conforms("R2-4")
def test_an_output_that_is_not_json_fails_the_orchestration() -> None:
    def orchestrator(_context: Any) -> Any:
        return {1, 2}

    episode = Driven(orchestrator).start()

    assert episode.output == "Orchestrator function 'Main' failed: Object of type set is not JSON serializable"


@pytest.mark.conforms("R4-8")
@pytest.mark.parametrize(
    ("characters", "status"), [(8_701, OrchestrationStatus.RUNNING), (8_702, OrchestrationStatus.FAILED)]
)
def test_the_platforms_own_limit_fails_a_first_episode_in_its_words(
    characters: int, status: OrchestrationStatus
) -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("x" * characters)
        yield context.call_activity("Echo")

    episode = Driven(orchestrator).start()

    assert episode.runtime_status is status
    if status is FAILED:
        assert (episode.output, episode.custom_status) == (f"Orchestrator function 'Main' failed: {_LIMIT_TEXT}", None)


@pytest.mark.conforms("R4-8", "R5-5")
def test_the_same_later_is_reported_as_non_determinism_and_a_warning_has_the_true_error() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.call_activity("Echo")
        context.set_custom_status("x" * 8_702)
        return "fine"

    driven = Driven(orchestrator)
    driven.start()
    episode = driven.complete(0)

    assert (episode.output or "").startswith("Non-Deterministic workflow detected: ")
    assert episode.custom_status is None
    assert _LIMIT_TEXT in str(episode.warnings[0])


@pytest.mark.conforms("R4-9")
def test_a_user_error_together_with_an_oversized_status_is_lost() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("x" * 8_702)
        if context.instance_id:
            raise ValueError("the true error")
        yield

    assert Driven(orchestrator).start().output == _LIMIT_TEXT


@pytest.mark.conforms("R2.2-3", "R4-10")
def test_a_status_that_the_sdk_cannot_serialise_escapes_without_state() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status({"when": object()})
        yield context.call_activity("Echo")

    episode = Driven(orchestrator).start()

    assert (episode.output or "").startswith(
        "Orchestrator function 'Main' failed: One or more errors occurred. (Result: Failure\nException: TypeError: "
    )


@pytest.mark.conforms("R4-2")
def test_on_the_failing_path_dates_with_an_offset_are_rewritten() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status(
            {
                "offset": "2026-01-02T03:04:05+02:00",
                "zulu": "2026-01-02T03:04:05.1230000Z",
                "plain": "2026-01-02T03:04:05",
                "text": "2026-01-02",
            }
        )
        yield context.call_activity("Echo")
        raise ValueError("2026-01-02T03:04:05")

    driven = Driven(orchestrator)
    untouched = driven.start()
    episode = driven.complete(0)

    assert json.loads(untouched.custom_status or "")["offset"] == "2026-01-02T03:04:05+02:00"
    assert json.loads(episode.custom_status or "") == {
        "offset": "2026-01-02T01:04:05+00:00",
        "zulu": "2026-01-02T03:04:05.123Z",
        "plain": "2026-01-02T03:04:05",
        "text": "2026-01-02",
    }
    assert episode.output == "Orchestrator function 'Main' failed: 01/02/2026 03:04:05"


@pytest.mark.conforms("R1.3-4")
def test_half_a_surrogate_pair_never_reaches_storage() -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("a\ud800")
        yield context.call_activity("\udc00")

    episode = Driven(orchestrator, profile=PROFILE_3).start()

    assert episode.custom_status == '"a\ufffd"'
    (episode.output or "").encode()


@pytest.mark.conforms("R3.1-1", "XR-6")
@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (PROFILE_2_13, "Activity function 'Boom' failed:  ValueError: boom 1"),
        (PROFILE_3, "Activity function 'Boom' failed: ValueError: boom 1"),
    ],
)
def test_the_reason_of_a_failed_activity_has_one_or_two_blanks(profile: Any, reason: str) -> None:
    made, details = activity_failure("Boom", WorkerFailure("ValueError: boom 1", "Traceback"), profile)

    assert made == reason
    assert json.loads(details)["InnerException"]["RemoteStackTrace"] == "Traceback"


@pytest.mark.conforms("R3.1-1")
@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("ValueError: a\nStack: b", "Activity function 'Boom' failed:  ValueError: a"),
        ("ValueError: ", "Activity function 'Boom' failed:  ValueError: "),
    ],
)
def test_the_reason_ends_where_a_stack_seems_to_begin(text: str, cut: str) -> None:
    assert activity_failure("Boom", WorkerFailure(text, ""), PROFILE_2_13)[0] == cut


@pytest.mark.conforms("R2.2-1", "XR-5")
def test_2_13_takes_the_first_state_of_a_failure_text_and_3_the_last_that_is_one() -> None:
    label = "\n\n$OutOfProcData$:"
    state = json.dumps({"isDone": False, "error": "e", "actions": [[]]})
    text = f"Exception: quotes {label}nonsense{label}{state}"

    assert cut_state(WorkerFailure(text), PROFILE_2_13) == f"nonsense{label}{state}"
    assert cut_state(WorkerFailure(text), PROFILE_3) == state
    assert cut_state(WorkerFailure(f"Exception: x{label}{{}}"), PROFILE_3) is None
    assert cut_state(WorkerFailure("Exception: x"), PROFILE_2_13) is None


@pytest.mark.conforms("R0-3")
def test_a_failure_waits_for_open_tasks() -> None:
    def orchestrator(context: Any) -> Any:
        yield context.task_all([context.call_activity("Echo"), context.call_activity("Echo")])

    driven = Driven(orchestrator)
    driven.start()
    waiting = driven.fail(0)
    ended = driven.complete(1)

    assert (waiting.runtime_status, waiting.output) == (OrchestrationStatus.RUNNING, None)
    assert ended.runtime_status is FAILED
    assert scheduled(ended) == []


@pytest.mark.conforms("R4-14")
@pytest.mark.parametrize(("last", "status"), [("small", OrchestrationStatus.COMPLETED), ("x" * 9_000, FAILED)])
def test_only_the_last_status_of_a_run_is_measured_and_too_large_it_loses_the_result(
    last: str, status: OrchestrationStatus
) -> None:
    def orchestrator(context: Any) -> Any:
        context.set_custom_status("x" * 9_000)
        context.set_custom_status(last)
        return "fine"

    episode = Driven(orchestrator).start()

    assert episode.runtime_status is status
    assert (episode.output == '"fine"') is (status is OrchestrationStatus.COMPLETED)


@pytest.mark.conforms("R4-14")
@pytest.mark.parametrize(
    ("character", "longest"),
    [("a", 8_701), ("é", 8_701), ("\x7f", 8_701), ("😀", 4_350), ('"', 4_350), ("\n", 4_350), ("\x01", 1_450),
     ("\x85", 1_450), ("\u2028", 1_450)],
)  # fmt: skip
def test_a_status_is_measured_as_the_host_writes_it(character: str, longest: int) -> None:
    for length, is_refused in ((longest, False), (longest + 1, True)):

        def orchestrator(context: Any, text: str = character * length) -> Any:
            context.set_custom_status(text)
            yield context.call_activity("Echo")

        assert (Driven(orchestrator).start().runtime_status is FAILED) is is_refused


@pytest.mark.conforms("R2-7")
@pytest.mark.parametrize(("value", "stored"), [(0, "0"), ("", '""'), (False, "false"), ([], "[]"), ({}, "{}")])
def test_a_falsy_output_is_an_output(value: Any, stored: str) -> None:
    def orchestrator(_context: Any) -> Any:
        return value
        yield

    assert Driven(orchestrator).start().output == stored
