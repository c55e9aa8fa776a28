"""Traps on the local host: a warning that names the line, or in strict mode the end of the orchestration."""

from __future__ import annotations

import asyncio
import logging

import pytest

from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.hosts import running_host
from tests.paths import APPS

TRAPS = APPS / "traps"
_ENDED = ("Completed", "Failed", "Terminated")
_LINES = (TRAPS / "function_app.py").read_text().splitlines()


def _place(orchestrator: str) -> str:
    """The line that the app has marked in that orchestrator, its decorator included."""
    begin = next(number for number, line in enumerate(_LINES) if line.startswith(f"def {orchestrator}(")) - 1
    return f"function_app.py:{next(at for at in range(begin, len(_LINES)) if '# here: ' in _LINES[at]) + 1}"


def _told(text: str, function: str) -> str:
    """How the line of the app with that text is told."""
    number = next(at for at, line in enumerate(_LINES, 1) if text in line)
    return f"tests/apps/traps/function_app.py:{number} in {function}"


@pytest.mark.conforms("H5-35")
@pytest.mark.parametrize(
    ("orchestrator", "events", "cure"),
    [
        (
            "misspelt",
            [],
            "Correct the name, or mend the function if the host has said at its start that it is not run;",
        ),
        ("leaves_timer_open", [], "Cancel the timer as soon as task_any has another winner. (open timer)"),
        ("gives_up_at_once", [], "Correct the RetryOptions. (retry options)"),
        ("says_too_much", [], "Keep the custom status below 16 KB; put the rest where the client can fetch it."),
        ("says_it_once", [], "Set the custom status in every replay, outside of is_replaying"),
        ("says_nothing_done", [], 'Put it into an object, such as {"done": 0}; None clears the custom status.'),
        ("waits_late", ["go", "first"], "Wait for the event before it can come, or give each event a name of its own."),
        ("forgets_to_yield", [], "Yield it, or put it into a task_all or task_any that is yielded. (unawaited task)"),
        ("lists_twice", [], "List each task once. (task listed twice)"),
        ("hurries", [], "Use at least 2 seconds; timers fire up to one second early. (short timer)"),
        ("retries_in_a_hurry", [], "Use at least 2 seconds; timers fire up to one second early. (short timer)"),
        (
            "waits_long",
            [],
            "Wait in a loop of timers of five days at most, and cancel the one that loses at once.",
        ),
        ("spells_keys_twice", [], "Spell the key of an entity in one way. (entity key case)"),
    ],
)
def test_each_trap_is_a_warning_with_its_orchestrator_its_line_and_its_cure(
    orchestrator: str, events: list[str], cure: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with running_host(TRAPS) as host:
            await host.start(orchestrator, "i")
            for name in events:
                await host.raise_event("i", name, 1)
            while cure not in caplog.text:
                await asyncio.sleep(0.005)

    with caplog.at_level(logging.WARNING):
        asyncio.run(asyncio.wait_for(main(), 60))

    (warning,) = [message for message in caplog.messages if cure in message]
    assert warning.startswith("Instance 'i': ")
    assert f"{_place(orchestrator)}: Orchestrator '{orchestrator}': " in warning
    assert "\n" not in warning


def test_a_warning_names_instance_orchestrator_line_and_cure(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(TRAPS, profile=PROFILE_2_13) as host:
            await host.start("misspelt", "i")
            while "gret" not in caplog.text:
                await asyncio.sleep(0.005)

    with caplog.at_level(logging.WARNING):
        asyncio.run(asyncio.wait_for(main(), 30))

    (warning,) = [record.getMessage() for record in caplog.records if "gret" in record.getMessage()]
    assert warning.startswith("Instance 'i': ")
    assert f"{_place('misspelt')}: Orchestrator 'misspelt': " in warning
    assert "Correct the name" in warning


def test_in_strict_mode_a_trap_ends_the_orchestration_with_its_line_and_cure() -> None:
    async def main() -> None:
        async with running_host(TRAPS, profile=PROFILE_2_13, strict=True) as host:
            await host.start("misspelt", "i")

            output = (await host.until_status("i", "Terminated"))["output"]
            assert f"{_place('misspelt')}: Orchestrator 'misspelt': " in output
            assert "Correct the name" in output

    asyncio.run(main())


@pytest.mark.conforms("R6-33")
def test_an_input_that_was_sent_natively_is_told_with_what_to_send(caplog: pytest.LogCaptureFixture) -> None:
    cure = "(native input)"

    async def main() -> None:
        async with running_host(TRAPS) as host:
            await host.manage("POST", "orchestrators/reads_its_input/i", "[1, 2]")
            output = (await host.until_status("i", "Failed"))["output"]
            assert output.endswith("failed: the JSON object must be str, bytes or bytearray, not list")
            await host.manage("POST", "entities/adds/k?op=add", "5")
            while "operation 'add'" not in caplog.text:
                await asyncio.sleep(0.005)
        async with running_host(TRAPS, strict=True) as host:
            await host.manage("POST", "orchestrators/reads_its_input/i", "[1, 2]")
            assert (await host.until_status("i", "Terminated"))["output"].endswith(cure)

    with caplog.at_level(logging.WARNING):
        asyncio.run(asyncio.wait_for(main(), 60))

    of_instance, of_entity, _ = [message for message in caplog.messages if cure in message]
    assert of_instance.startswith("Instance 'i': ")
    assert f"{_place('reads_its_input')}: Orchestrator 'reads_its_input': It fails with: the JSON object" in of_instance
    assert of_entity == (
        "Entity '@adds@k', operation 'add': Its input was sent as a number, and get_input() takes JSON text in a JSON "
        'text, as the SDK\'s client sends it: "5". (native input)'
    )


def test_an_orchestrator_that_does_not_exist_is_named_and_fails_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(TRAPS) as host:
            await host.start("nobody", "i")
            output = (await host.until_status("i", "Failed"))["output"]

            assert output.startswith("Orchestrator function 'nobody' failed: The function 'nobody' doesn't exist")

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())

    warning, failure = caplog.messages
    assert warning.startswith("Instance 'i': Orchestrator 'nobody': The function 'nobody' doesn't exist")
    assert "Correct the name" in warning
    assert failure.startswith("Instance 'i' of nobody failed: The function 'nobody' doesn't exist")


def test_the_failure_of_an_activity_is_told_with_its_lines_and_without_the_data_in_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        async with running_host(TRAPS) as host:
            await host.start("breaks", "i")
            assert '"$type"' in (await host.until_status("i", "Failed"))["output"]

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())

    of_activity, of_instance = caplog.messages
    raised = _told('raise RuntimeError("no more")', "break_down")
    awaited = _told('call_activity("break_down"', "breaks")
    assert of_activity == f"Activity 'break_down' of instance 'i' failed: RuntimeError: no more ({raised})"
    assert of_instance.startswith(
        "Instance 'i' of breaks failed: Activity function 'break_down' failed: RuntimeError: no"
    )
    assert of_instance.endswith(f" ({raised}, {awaited})")


@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)
@pytest.mark.parametrize("orchestrator", ["only_signals", "clears", "goes_on_by_yield", "waits_in_a_loop"])
def test_what_is_meant_so_and_what_the_cures_lead_to_is_no_trap(
    orchestrator: str, profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with running_host(TRAPS, profile=profile, strict=True) as host:
            await host.start(orchestrator, "i")
            if orchestrator == "waits_in_a_loop":
                await host.until_status("i", "Running")
                await host.raise_event("i", "go", 1)
            ended = await host.until("i", lambda document: document["runtimeStatus"] in _ENDED)
            assert ended["runtimeStatus"] == "Completed"

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())

    assert caplog.messages == []
