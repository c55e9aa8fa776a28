"""S3 in the harness: what is on offer, and what a selection makes of it."""

from __future__ import annotations

from durable_status.testing.bench import DurableBench
from durable_status.testing.moves import event


def test_a_selection_refines_what_was_recommended(durable: DurableBench) -> None:
    run = durable.start("CityRecommender", 1).raise_event("CitySelected", "Tokyo")

    offer = {"recommendedCities": ["Tokyo", "Seattle"], "recommendedSeasons": ["Spring", "Summer"]}
    assert run.output == "Tokyo"
    assert run.statuses == [offer, offer | {"recommendedCities": ["Tokyo"]}]


def test_what_was_not_on_offer_is_ignored(durable: DurableBench) -> None:
    run = durable.start("CityRecommender", 3)
    for payload in ("Seattle", 7, None):
        run.raise_event("CitySelected", payload)

    assert run.waits_for == ("CitySelected",)
    assert run.raise_event("CitySelected", "London", sent_by_sdk=True).output == "London"


def test_a_choice_that_is_none_fails_in_words(durable: DurableBench) -> None:
    run = durable.start("CityRecommender", 4)

    assert (run.runtime_status, run.statuses) == ("Failed", [])
    assert run.output == "Orchestrator function 'CityRecommender' failed: The user's choice is 1, 2 or 3, not 4."


def test_whatever_else_is_selected_the_offered_city_wins_in_every_order(durable: DurableBench) -> None:
    events = [event("CitySelected", city) for city in ("Paris", "Tokyo", "Rome")]

    report = durable.explore("CityRecommender", 1, events=events, batch=2)

    assert report.is_complete
    report.at_end(lambda run: run.output == "Tokyo")
