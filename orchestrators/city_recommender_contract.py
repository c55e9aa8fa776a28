"""What callers of the recommending orchestration need to know. Plain types only."""

from __future__ import annotations

from typing_extensions import TypedDict

ORCHESTRATION = "CityRecommender"
"""Its input is the user's choice: 1, 2 or 3."""

CITY_SELECTED = "CitySelected"
"""The event that ends it; its payload is one of the recommended cities."""


class Recommendation(TypedDict):
    """The custom status: what is on offer, and in the end what was selected."""

    recommendedCities: list[str]
    recommendedSeasons: list[str]


Status = Recommendation
"""The custom status."""
