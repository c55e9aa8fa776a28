from __future__ import annotations

import pytest

from activities.ticket_reservation import calculate_discount


@pytest.mark.parametrize("user", ["u1", "", None, 7, {"id": 1}])
def test_everybody_gets_15_percent(user: object) -> None:
    assert calculate_discount(user) == 15
