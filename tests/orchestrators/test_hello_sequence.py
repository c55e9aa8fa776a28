"""S1 and S2's other half: cities as plain texts, greetings as the output."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from orchestrators.hello_sequence_contract import ORCHESTRATION, City
from tests.clock import ManualClock
from tests.hosts import running_host


def test_it_greets_the_three_cities_whatever_its_input() -> None:
    async def main() -> None:
        async with running_host(clock=ManualClock()) as host:
            for instance_id, value in (("none", None), ("some", {"ignored": True})):
                await host.start(ORCHESTRATION, instance_id, value)
                document = await host.until_status(instance_id, "Completed")
                assert document["output"] == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]
                assert document["customStatus"] == "London"

    asyncio.run(main())


def test_the_contract_names_the_statuses_in_their_order() -> None:
    assert (ORCHESTRATION, get_args(City)) == ("E1_HelloSequence", ("Tokyo", "Seattle", "London"))


def test_a_setting_that_is_no_number_fails_the_instance_in_the_activitys_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELLO_SECONDS", "soon")

    async def main() -> None:
        async with running_host(clock=ManualClock()) as host:
            await host.start(ORCHESTRATION, "bad")
            document = await host.until_status("bad", "Failed")
            assert "The app setting HELLO_SECONDS is 'soon'; it must be a number of seconds" in document["output"]
            assert document["customStatus"] is None

    asyncio.run(main())
