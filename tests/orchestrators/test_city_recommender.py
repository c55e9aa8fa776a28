"""S3: three recommendations, one refinement, and events that are not an answer."""

from __future__ import annotations

import pytest

from durable_status.testing.bench import DurableBench
from durable_status.testing.moves import event
from orchestrators.city_recommender_contract import CITY_SELECTED, ORCHESTRATION

_OFFERS = {
    1: (["Tokyo", "Seattle"], ["Spring", "Summer"]),
    2: (["Seattle", "London"], ["Summer"]),
    3: (["Tokyo", "London"], ["Spring", "Summer"]),
}


@pytest.mark.parametrize("choice", [1, 2, 3])
def test_each_choice_has_its_offer_and_each_city_on_it_can_be_selected(durable: DurableBench, choice: int) -> None:
    cities, seasons = _OFFERS[choice]
    for city in cities:
        run = durable.start(ORCHESTRATION, choice).raise_event(CITY_SELECTED, city)

        assert run.output == city
        assert run.statuses == [
            {"recommendedCities": cities, "recommendedSeasons": seasons},
            {"recommendedCities": [city], "recommendedSeasons": seasons},
        ]


def test_what_is_not_on_offer_is_ignored_for_ever(durable: DurableBench) -> None:
    run = durable.start(ORCHESTRATION, 2)
    offer = run.status
    for payload in ("Tokyo", "london", " London", ["London"], {"city": "London"}, 0, True, None, '"Tokyo"', '"'):
        run.raise_event(CITY_SELECTED, payload)
    run.raise_event("SomethingElse", "London").advance(seconds=400 * 24 * 3600)  # no deadline

    assert (run.runtime_status, run.status, run.waits_for) == ("Running", offer, (CITY_SELECTED,))
    assert run.raise_event(CITY_SELECTED, "London", sent_by_sdk=True).output == "London"


def test_whatever_else_is_selected_the_offered_city_wins_in_every_order(durable: DurableBench) -> None:
    events = [event(CITY_SELECTED, city) for city in ("Paris", "Tokyo", "Rome")]

    report = durable.explore(ORCHESTRATION, 1, events=events, batch=2)

    assert report.is_complete
    report.at_end(lambda run: run.output == "Tokyo")


@pytest.mark.parametrize("choice", ["1", 1.0])
def test_a_choice_may_come_as_a_text(durable: DurableBench, choice: object) -> None:
    assert durable.start(ORCHESTRATION, choice).status["recommendedCities"] == ["Tokyo", "Seattle"]


@pytest.mark.parametrize("choice", [0, 4, None, "two", [1], {"choice": 1}, 2.5, True])
def test_any_other_choice_fails_in_one_sentence_and_sets_no_status(durable: DurableBench, choice: object) -> None:
    run = durable.start(ORCHESTRATION, choice)

    assert (run.runtime_status, run.statuses) == ("Failed", [])
    assert str(run.output).startswith(
        f"Orchestrator function 'CityRecommender' failed: The user's choice is 1, 2 or 3, not {choice!r}."
    )
