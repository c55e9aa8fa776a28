"""The app: every blueprint, registered. No logic lives here."""

from __future__ import annotations

import azure.durable_functions as df
import azure.functions as func

from activities import hello_sequence as hello_activities
from activities import ticket_reservation as ticket_activities
from clients import starters
from orchestrators import city_recommender, hello_sequence, set_status_test, ticket_reservation

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)

for module in (
    starters,
    hello_sequence,
    hello_activities,
    city_recommender,
    ticket_reservation,
    ticket_activities,
    set_status_test,
):
    app.register_functions(module.blueprint)
