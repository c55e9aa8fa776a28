"""S1 and S2's other half: cities as plain texts, greetings as the output."""

from __future__ import annotations

from typing import get_args

import pytest

from durable_status.testing.bench import DurableBench
from orchestrators.hello_sequence_contract import ORCHESTRATION, City


@pytest.mark.parametrize("value", [None, {"ignored": True}])
def test_it_greets_the_three_cities_whatever_its_input(durable: DurableBench, value: object) -> None:
    run = durable.start(ORCHESTRATION, value)

    assert run.output == ["Hello Tokyo!", "Hello Seattle!", "Hello London!"]
    assert run.statuses == list(get_args(City))
    assert run.timeline.unseen == []


def test_the_contract_names_the_statuses_in_their_order() -> None:
    assert (ORCHESTRATION, get_args(City)) == ("E1_HelloSequence", ("Tokyo", "Seattle", "London"))


def test_a_setting_that_is_no_number_fails_the_instance_in_the_activitys_words(
    durable: DurableBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELLO_SECONDS", "soon")

    run = durable.start(ORCHESTRATION)

    assert (run.failed, run.statuses) == (True, [])
    assert "The app setting HELLO_SECONDS is 'soon'; it must be a number of seconds" in str(run.output)
