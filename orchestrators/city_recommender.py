"""S3, customize the output: recommends cities by the user's choice and waits until one of them is selected."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import azure.durable_functions as df

from durable_status import set_custom_status
from orchestrators.city_recommender_contract import CITY_SELECTED, ORCHESTRATION, Recommendation

_RECOMMENDATIONS: dict[int, Recommendation] = {
    1: {"recommendedCities": ["Tokyo", "Seattle"], "recommendedSeasons": ["Spring", "Summer"]},
    2: {"recommendedCities": ["Seattle", "London"], "recommendedSeasons": ["Summer"]},
    3: {"recommendedCities": ["Tokyo", "London"], "recommendedSeasons": ["Spring", "Summer"]},
}

blueprint = df.Blueprint()


@blueprint.orchestration_trigger(context_name="context", orchestration=ORCHESTRATION)
def city_recommender(context: df.DurableOrchestrationContext) -> Generator[Any, Any, str]:
    """Recommend, wait for a selection and refine the recommendation to it; the output is the selected city.

    Raises:
        ValueError: the input is not 1, 2 or 3.
    """
    choice = context.get_input()
    recommendation = next((offer for number, offer in _RECOMMENDATIONS.items() if _is_number(choice, number)), None)
    if recommendation is None:
        raise ValueError(f"The user's choice is 1, 2 or 3, not {choice!r}.")
    set_custom_status(context, recommendation)
    city = None
    while city is None:
        payload = yield context.wait_for_external_event(CITY_SELECTED)
        city = _selected(payload, recommendation["recommendedCities"])
    set_custom_status(context, recommendation | {"recommendedCities": [city]})
    return city


def _is_number(choice: Any, number: int) -> bool:
    """Whether an input is this number, plain or as a text. In Python True == 1; here it is no choice."""
    return choice in (number, str(number)) and not isinstance(choice, bool)


def _selected(payload: Any, cities: list[str]) -> str | None:
    """The city that an event selects: its name, plain or as the JSON text the Python client sends."""
    return next((city for city in cities if payload in (city, json.dumps(city))), None)
