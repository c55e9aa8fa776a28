"""Whatever the SDK fails with, the log, and in strict mode the output, says what to do about it, and at which line."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import pytest

from durable_status.replay.profile import PROFILE_2_13, PROFILE_3, Profile
from tests.hosts import RunningHost, running_host
from tests.raw_failures import HANGING, KINDS, ONLY_IN_3, OWN_FAILURES, RAW_FAILURES, line_of

_WARNING = re.compile(r"(?:Instance '[\w-]+': )?.*?function_app\.py:(\d+): Orchestrator '(\w+)': .* \(([\w ]+)\)")


async def _run_all(host: RunningHost, awaits: bool, awaited: tuple[str, ...]) -> dict[str, Any]:
    """Start every orchestrator, and give the documents of all when each of them is where it stays."""
    names = [*KINDS, *OWN_FAILURES]
    for name in names:
        await host.start(name, name, awaits or None)
    statuses = ("Failed", "Terminated", "Completed")
    return {
        name: await host.until(name, lambda document: document["runtimeStatus"] in statuses)
        for name in names
        if name not in awaited
    }


@pytest.mark.conforms("H5-35", "R6-9", "R6-10", "R6-34", "R6-36")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)
@pytest.mark.parametrize("awaits", [False, True], ids=["at the first step", "after an await"])
def test_each_failure_is_warned_of_with_its_own_cure_and_line(
    profile: Profile, awaits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> dict[str, Any]:
        async with running_host(RAW_FAILURES, profile=profile) as host:
            documents = await _run_all(host, awaits, HANGING)
            while any(f"Orchestrator '{name}'" not in caplog.text for name in HANGING):
                await asyncio.sleep(0.005)
            return documents

    with caplog.at_level(logging.WARNING):
        documents = asyncio.run(asyncio.wait_for(main(), 120))

    first: dict[str, tuple[int, str]] = {}
    for found in filter(None, map(_WARNING.fullmatch, caplog.messages)):
        first.setdefault(found[2], (int(found[1]), found[3]))
    expected = {name: kind for name, kind in KINDS.items() if profile is PROFILE_3 or name not in ONLY_IN_3}
    assert {name: kind for name, (_, kind) in first.items()} == expected
    assert {name: at for name, (at, kind) in first.items() if at not in line_of(name, kind)} == {}
    assert {document["runtimeStatus"] for document in documents.values()} == {"Failed"}
    assert not [message for message in caplog.messages if "\n" in message or "site-packages" in message]


@pytest.mark.conforms("R6-35")
@pytest.mark.parametrize("profile", [PROFILE_2_13, PROFILE_3], ids=lambda profile: profile.name)
@pytest.mark.parametrize("awaits", [False, True], ids=["at the first step", "after an await"])
def test_in_strict_mode_each_ends_terminated_with_its_cure_as_output(
    profile: Profile, awaits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> dict[str, Any]:
        async with running_host(RAW_FAILURES, profile=profile, strict=True) as host:
            return await _run_all(host, awaits, ())

    with caplog.at_level(logging.WARNING):
        documents = asyncio.run(asyncio.wait_for(main(), 120))

    own = {*OWN_FAILURES, *(() if profile is PROFILE_3 else ONLY_IN_3)}
    assert {name for name, document in documents.items() if document["runtimeStatus"] == "Failed"} == own
    kinds = {}
    for name in KINDS.keys() - own:
        document = documents[name]
        assert (document["runtimeStatus"], document["output"].count("\n")) == ("Terminated", 0)
        found = _WARNING.fullmatch(document["output"])
        assert found is not None
        assert found[2] == name
        kinds[name] = found[3]
        assert f"Instance '{name}': {document['output']}" in caplog.messages
    assert kinds == {name: kind for name, kind in KINDS.items() if name not in own}


def test_what_user_code_raises_itself_is_told_with_its_type_and_line(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with running_host(RAW_FAILURES) as host:
            for name in OWN_FAILURES:
                await host.start(name, name, True)
                await host.until_status(name, "Failed")

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())

    dumps, recurses, compares = caplog.messages
    assert dumps.startswith(
        "Instance 'dumps_set_itself' of dumps_set_itself failed: TypeError: Object of type set is not"
    )
    assert dumps.endswith(f"function_app.py:{line_of('dumps_set_itself', 'own failure')[0]} in dumps_set_itself)")
    assert "RecursionError: maximum recursion depth exceeded" in recurses
    assert " in down, " in recurses
    assert len(recurses) < 2_000
    line = line_of("compares_spans_itself", "own failure")[0]
    assert compares.endswith(f"function_app.py:{line} in compares_spans_itself)")
